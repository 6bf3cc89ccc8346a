"""Sessions of a real OpenVPN 2.6.14, played again with `ServerProtocol` in the daemon's place."""

import re
from collections.abc import Iterable
from pathlib import Path

from exporter.management.server.commands import OPENVPN_2_6, CommandError
from exporter.management.server.protocol import Request, ServerProtocol
from exporter.management.server.replies import error

ROOT = Path(__file__).parents[2] / "data" / "transcripts" / "2.6.14"

_SINGLE = sorted((ROOT / "server-0-clients").glob("[0-9]*.sent"))
REPLIES = {
    path.read_text().rstrip("\n"): path.with_suffix(".recv").read_bytes()
    for path in _SINGLE
    if path.stem != "99-whole-session"
}
"""The recorded reply of a server without clients, by command."""


def sent(name: str) -> bytes:
    """Return what the recorded client sent."""
    return (ROOT / f"{name}.sent").read_bytes()


def received(name: str) -> bytes:
    """Return what the recorded daemon sent."""
    return (ROOT / f"{name}.recv").read_bytes()


def numberless(data: bytes) -> bytes:
    """Return bytes without the numbers, in which two daemons differ."""
    return re.sub(rb"\d+", b"N", data)


def recorded_reply(request: Request) -> bytes:
    """Return the daemon's recorded reply, or the error text of the command table."""
    try:
        OPENVPN_2_6.check(request.words)
    except CommandError as refused:
        return error(str(refused))
    if (reply := REPLIES.get(" ".join(request.words))) is None:
        assert request.name == "kill"
        return error(f"common name '{request.words[1]}' not found")
    return reply


def serve(protocol: ServerProtocol, pieces: Iterable[bytes] = (), *, eof: bool = False) -> bytes:
    """Give a client's bytes to the protocol, answer as recorded; return what is sent."""
    output = answer(protocol)
    for piece in pieces:
        protocol.receive(piece)
        output += answer(protocol)
    if eof:
        protocol.receive_eof()
        output += answer(protocol)
    return output


def answer(protocol: ServerProtocol) -> bytes:
    """Answer all requests as recorded; return what is sent."""
    while (event := protocol.next_event()) is not None:
        if isinstance(event, Request):
            protocol.reply(recorded_reply(event))
    return protocol.output()
