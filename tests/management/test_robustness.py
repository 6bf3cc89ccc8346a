"""Any bytes at all give messages or our own error, and never more memory than the caps allow."""

import contextlib
from collections.abc import Callable
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.management import replies
from exporter.management.errors import ProtocolError, ReplyError
from exporter.management.messages import Failure, Listing, Message, Notification, Success
from exporter.management.notifications import parse_notification
from exporter.management.protocol import LINE_COST, LINE_LIMIT, Protocol
from exporter.management.status import parse_status
from tests.management.captures import CAPTURES, GREETING

T = TypeVar("T")

REPLY_LIMIT = 2048
# One reply, the line that breaks its cap, a line under way, and a block of variables.
BUFFERED = REPLY_LIMIT + 2 * (LINE_LIMIT + LINE_COST)

WORDS = st.sampled_from(
    [b"ENTER PASSWORD:", b"SUCCESS: ", b"ERROR: ", b">", b">LOG:", b">CLIENT:ESTABLISHED,1",
     b">CLIENT:ENV,", b">CLIENT:ENV,END", b">UPDOWN:UP", b"END", b"\r\n", b"\n", b"\r", b"\0",
     b"TITLE\t", b"TITLE,x\n", b"TIME,x,1\n", b"OpenVPN CLIENT LIST\n", b"OpenVPN STATISTICS\n",
     b"HEADER,CLIENT_LIST,Common Name,Real Address\n", b"CLIENT_LIST,", b"a,b", b"\xff", GREETING]
)  # fmt: skip
SPEECH = st.lists(WORDS | st.binary(max_size=8), max_size=60).map(b"".join)
NAMES = st.sampled_from([name for name, said in CAPTURES.items() if len(said) < 20_000])


@st.composite
def mutated_captures(draw: st.DrawFn) -> bytes:
    """Draw a part of a recorded session with bytes changed, left out and put in."""
    said = bytearray(CAPTURES[draw(NAMES)])
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, len(said)))
        end = min(len(said), start + draw(st.integers(0, 100)))
        said[start:end] = draw(st.binary(max_size=10) | WORDS)
    return bytes(said)


def understand(message: Message) -> None:
    """Read a message in every way that anybody may."""
    match message:
        case Notification():
            parse_notification(message)
        case Listing(lines):
            for parse in (parse_status, replies.parse_version, replies.parse_states):
                _read(parse, lines)
        case Success(text) | Failure(text):
            for parse_line in (
                replies.parse_pid,
                replies.parse_verb,
                replies.parse_hold,
                replies.parse_load_stats,
            ):
                _read(parse_line, text)
        case _:
            pass


def _read(parse: Callable[[T], object], said: T) -> None:
    with contextlib.suppress(ReplyError):
        parse(said)


@settings(max_examples=500)
@given(said=SPEECH | SPEECH.map(GREETING.__add__) | mutated_captures(), size=st.integers(1, 5000))
def test_any_bytes_give_messages_or_a_protocol_error(said: bytes, size: int) -> None:
    protocol = Protocol(reply_limit=REPLY_LIMIT)
    messages: list[Message] = []
    with contextlib.suppress(ProtocolError):
        for start in range(0, len(said), size):
            messages += protocol.receive(said[start : start + size])
            assert protocol.buffered <= BUFFERED
    messages += protocol.receive_eof()
    assert protocol.buffered == 0
    for message in messages:
        understand(message)


@settings(max_examples=300)
@given(said=SPEECH | SPEECH.map(GREETING.__add__) | mutated_captures(), size=st.integers(1, 50))
def test_any_bytes_mean_the_same_however_they_are_cut(said: bytes, size: int) -> None:
    def heard(pieces: list[bytes]) -> list[Message]:
        protocol = Protocol(reply_limit=REPLY_LIMIT)
        messages: list[Message] = []
        with contextlib.suppress(ProtocolError):
            for piece in pieces:
                messages += protocol.receive(piece)
        return messages + protocol.receive_eof()

    pieces = [said[start : start + size] for start in range(0, len(said), size)]
    assert heard(pieces) == heard([said])
