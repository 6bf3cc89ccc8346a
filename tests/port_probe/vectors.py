"""First packets and replies of real servers, with test keys: tests/data/port_probe."""

import json
from pathlib import Path

import msgspec

from exporter.port_probe.keys import parse_client_key, parse_server_key, parse_static_key
from exporter.port_probe.packets import LENGTH_BYTES, FirstPacket
from exporter.port_probe.wrapping import (
    PlainWrapping,
    TlsAuthWrapping,
    TlsCryptV2Wrapping,
    TlsCryptWrapping,
    Wrapping,
)

DATA = Path(__file__).parents[1] / "data" / "port_probe"

STATIC_KEY = parse_static_key((DATA / "static.key").read_bytes())
CLIENT_KEY = parse_client_key((DATA / "client.key").read_bytes())
SERVER_KEY = parse_server_key((DATA / "server.key").read_bytes())

WRAPPINGS: dict[str, Wrapping] = {
    "plain": PlainWrapping(),
    "auth-sha1-dir0": TlsAuthWrapping(STATIC_KEY, direction=1),
    "auth-sha1-dir1": TlsAuthWrapping(STATIC_KEY, direction=0),
    "auth-sha1-nodir": TlsAuthWrapping(STATIC_KEY),
    "auth-sha256-dir0": TlsAuthWrapping(STATIC_KEY, direction=1, digest="SHA256"),
    "crypt": TlsCryptWrapping(STATIC_KEY),
    "crypt2-early": TlsCryptV2Wrapping(CLIENT_KEY),
}
"""By mode; the directions in the names are those of the server."""


class Exchange(msgspec.Struct, frozen=True):
    """What a client sent and a server of this version replied; over TCP with lengths."""

    mode: str
    transport: str
    server: str
    session_id: bytes
    time: int
    request: bytes
    reply: bytes

    @property
    def first_packet(self) -> FirstPacket:
        return FirstPacket(WRAPPINGS[self.mode], self.session_id, self.time)

    @property
    def reply_packet(self) -> bytes:
        """The reply without the length."""
        return self.reply[LENGTH_BYTES:] if self.transport == "tcp" else self.reply


def exchanges() -> list[Exchange]:
    """Return the recorded exchanges."""
    found = [_exchange(fields) for fields in json.loads((DATA / "packets.json").read_bytes())]
    return [exchange for exchange in found if exchange.mode in WRAPPINGS]


def _exchange(fields: dict[str, str | int]) -> Exchange:
    raw = {"session_id", "request", "reply"}
    return msgspec.convert(
        {key: bytes.fromhex(str(fields[key])) if key in raw else fields[key] for key in fields},
        Exchange,
    )
