"""Any bytes give messages or a protocol error, within the memory limits."""

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.management.errors import ProtocolError
from exporter.management.messages import Message
from exporter.management.protocol import ManagementProtocol
from tests.fuzz.targets import BUFFER_LIMIT, REPLY_LIMIT, parse_message
from tests.management.buffered import buffered
from tests.management.captures import CAPTURES, GREETING

WORDS = st.sampled_from(
    [b"ENTER PASSWORD:", b"SUCCESS: ", b"ERROR: ", b">", b">LOG:", b">CLIENT:ESTABLISHED,1",
     b">CLIENT:ENV,", b">CLIENT:ENV,END", b">UPDOWN:UP", b"END", b"\r\n", b"\n", b"\r", b"\0",
     b"TITLE\t", b"TITLE,x\n", b"TIME,x,1\n", b"OpenVPN CLIENT LIST\n", b"OpenVPN STATISTICS\n",
     b"HEADER,CLIENT_LIST,Common Name,Real Address\n", b"CLIENT_LIST,", b"a,b", b"\xff", GREETING]
)  # fmt: skip
SESSIONS = st.lists(WORDS | st.binary(max_size=8), max_size=60).map(b"".join)
NAMES = st.sampled_from([name for name, received in CAPTURES.items() if len(received) < 20_000])


@st.composite
def mutated_captures(draw: st.DrawFn) -> bytes:
    """Draw a part of a capture with bytes changed, removed and inserted."""
    received = bytearray(CAPTURES[draw(NAMES)])
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, len(received)))
        end = min(len(received), start + draw(st.integers(0, 100)))
        received[start:end] = draw(st.binary(max_size=10) | WORDS)
    return bytes(received)


@settings(max_examples=500)
@given(
    received=SESSIONS | SESSIONS.map(GREETING.__add__) | mutated_captures(),
    size=st.integers(1, 5000),
)
def test_any_bytes_give_messages_or_a_protocol_error(received: bytes, size: int) -> None:
    protocol = ManagementProtocol(reply_limit=REPLY_LIMIT)
    messages: list[Message] = []
    with contextlib.suppress(ProtocolError):
        for start in range(0, len(received), size):
            messages += protocol.receive_data(received[start : start + size])
            assert buffered(protocol) <= BUFFER_LIMIT
    messages += protocol.receive_eof()
    assert buffered(protocol) == 0
    for message in messages:
        parse_message(message)


@settings(max_examples=300)
@given(
    received=SESSIONS | SESSIONS.map(GREETING.__add__) | mutated_captures(), size=st.integers(1, 50)
)
def test_any_bytes_give_the_same_messages_in_any_pieces(received: bytes, size: int) -> None:
    def messages_of(pieces: list[bytes]) -> list[Message]:
        protocol = ManagementProtocol(reply_limit=REPLY_LIMIT)
        messages: list[Message] = []
        with contextlib.suppress(ProtocolError):
            for piece in pieces:
                messages += protocol.receive_data(piece)
        return messages + protocol.receive_eof()

    pieces = [received[start : start + size] for start in range(0, len(received), size)]
    assert messages_of(pieces) == messages_of([received])
