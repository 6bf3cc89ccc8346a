"""Any bytes at all give messages or our own error, and never more memory than the caps allow."""

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


@settings(max_examples=500)
@given(said=SPEECH | SPEECH.map(GREETING.__add__) | mutated_captures(), size=st.integers(1, 5000))
def test_any_bytes_give_messages_or_a_protocol_error(said: bytes, size: int) -> None:
    protocol = ManagementProtocol(reply_limit=REPLY_LIMIT)
    messages: list[Message] = []
    with contextlib.suppress(ProtocolError):
        for start in range(0, len(said), size):
            messages += protocol.receive_data(said[start : start + size])
            assert buffered(protocol) <= BUFFER_LIMIT
    messages += protocol.receive_eof()
    assert buffered(protocol) == 0
    for message in messages:
        parse_message(message)


@settings(max_examples=300)
@given(said=SPEECH | SPEECH.map(GREETING.__add__) | mutated_captures(), size=st.integers(1, 50))
def test_any_bytes_mean_the_same_however_they_are_cut(said: bytes, size: int) -> None:
    def heard(pieces: list[bytes]) -> list[Message]:
        protocol = ManagementProtocol(reply_limit=REPLY_LIMIT)
        messages: list[Message] = []
        with contextlib.suppress(ProtocolError):
            for piece in pieces:
                messages += protocol.receive_data(piece)
        return messages + protocol.receive_eof()

    pieces = [said[start : start + size] for start in range(0, len(said), size)]
    assert heard(pieces) == heard([said])
