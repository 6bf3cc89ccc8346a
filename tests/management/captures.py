"""Byte-exact sessions of a real OpenVPN 2.6.14, recorded under `tests/data/transcripts`."""

from collections.abc import Iterable
from pathlib import Path

from exporter.management.messages import Message
from exporter.management.protocol import PASSWORD_PROMPT, ManagementProtocol

GREETING = b">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info\r\n"

_ROOT = Path(__file__).parents[1] / "data" / "transcripts" / "2.6.14"


def _load(path: Path) -> bytes:
    received = path.read_bytes()
    # A file named after a command has only the bytes of its reply.
    begins = received.startswith((GREETING, PASSWORD_PROMPT))
    return received if begins else GREETING + received


SENT = tuple(path.read_bytes() for path in sorted(_ROOT.rglob("*.sent")))
"""The bytes of the recorded clients."""

CAPTURES = {
    str(path.relative_to(_ROOT).with_suffix("")): _load(path)
    for path in sorted(_ROOT.rglob("*.recv"))
}
"""The bytes of the daemon, from the first to the last, by name (`server-events/session`)."""


def decode(pieces: Iterable[bytes]) -> list[Message]:
    """Return the messages of a whole session that comes in these pieces."""
    protocol = ManagementProtocol()
    messages = [message for piece in pieces for message in protocol.receive_data(piece)]
    return messages + protocol.receive_eof()
