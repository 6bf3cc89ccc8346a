import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.port_probe.keys import ClientKey, static_key
from exporter.port_probe.outcome import ProbeOutcome
from exporter.port_probe.packets import MAX_REPLY_BYTES, FirstPacket, with_length
from exporter.port_probe.wrapping import PlainWrapping, Wrapping
from tests.port_probe.vectors import CLIENT_KEY, WRAPPINGS, Exchange, exchanges

EXCHANGES = exchanges()
SESSION = bytes(range(8))


def by_mode(exchange: Exchange) -> str:
    return f"{exchange.mode}-{exchange.transport}-{exchange.server}"


@pytest.mark.parametrize("exchange", EXCHANGES, ids=by_mode)
class TestRecordedExchange:
    def test_the_first_packet_is_that_of_openvpn(self, exchange: Exchange) -> None:
        packet = exchange.first_packet.content
        assert exchange.request == (with_length(packet) if exchange.transport == "tcp" else packet)

    def test_the_reply_is_an_answer(self, exchange: Exchange) -> None:
        assert exchange.first_packet.check_reply(exchange.reply_packet) is ProbeOutcome.ANSWERED

    def test_a_reply_to_another_session_is_none(self, exchange: Exchange) -> None:
        other = FirstPacket(WRAPPINGS[exchange.mode], SESSION, exchange.time)
        assert other.check_reply(exchange.reply_packet) is ProbeOutcome.INVALID_ANSWER

    def test_a_reply_with_one_other_bit_is_none(self, exchange: Exchange) -> None:
        first, reply = exchange.first_packet, exchange.reply_packet
        answers = [
            position
            for position in range(len(reply))
            if first.check_reply(_flip(reply, position)) is not ProbeOutcome.INVALID_ANSWER
        ]
        # A plain server's own session id and message id are not known before.
        assert answers == (
            [*range(1, 9), *range(10, 14), *range(22, 26)] if _is_plain(exchange) else []
        )

    def test_a_part_of_the_reply_is_none(self, exchange: Exchange) -> None:
        first, reply = exchange.first_packet, exchange.reply_packet
        parts = {first.check_reply(reply[:size]) for size in range(len(reply))}
        assert parts == {ProbeOutcome.INVALID_ANSWER}


def _flip(content: bytes, position: int) -> bytes:
    return content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :]


def _is_plain(exchange: Exchange) -> bool:
    return exchange.mode == "plain"


def test_all_modes_and_transports_are_recorded() -> None:
    modes = {(exchange.mode, exchange.transport) for exchange in EXCHANGES}
    assert modes == {(mode, transport) for mode in WRAPPINGS for transport in ("udp", "tcp")}


WRAPPED = [mode for mode in WRAPPINGS if mode != "plain"]


def plain_reply(session: bytes = SESSION, acks: int = 1) -> bytes:
    return b"\x40" + bytes(8) + bytes([acks]) + bytes(4 * acks) + session + bytes(4)


@pytest.mark.parametrize("mode", WRAPPED)
def test_a_plain_answer_to_a_wrapped_packet_is_one_without_the_key(mode: str) -> None:
    first = FirstPacket(WRAPPINGS[mode], SESSION, time=1)
    assert first.check_reply(plain_reply()) is ProbeOutcome.ANSWERED_WITHOUT_KEY


@pytest.mark.parametrize("mode", WRAPPED)
def test_a_plain_reply_without_acknowledgement_is_one_without_the_key(mode: str) -> None:
    reply = b"\x40" + bytes(8) + bytes(5)
    wrapped = FirstPacket(WRAPPINGS[mode], SESSION, time=1)
    assert wrapped.check_reply(reply) is ProbeOutcome.ANSWERED_WITHOUT_KEY
    assert wrapped.check_reply(reply + b"\0") is ProbeOutcome.INVALID_ANSWER
    plain = FirstPacket(PlainWrapping(), SESSION, time=1)
    assert plain.check_reply(reply) is ProbeOutcome.INVALID_ANSWER


@pytest.mark.parametrize("mode", WRAPPED)
def test_the_answer_of_a_server_with_another_key_is_invalid(mode: str) -> None:
    (exchange,) = (each for each in EXCHANGES if each.mode == mode and each.transport == "udp")
    other = static_key(bytes(256))
    key = ClientKey(other, CLIENT_KEY.wrapped) if mode == "crypt2-early" else other
    wrapping = msgspec.structs.replace(WRAPPINGS[mode], key=key)  # type: ignore[type-var]
    first = FirstPacket(wrapping, exchange.session_id, exchange.time)
    assert first.check_reply(exchange.reply) is ProbeOutcome.INVALID_ANSWER


@pytest.mark.parametrize("acks", [0, 9, 255])
def test_a_server_acknowledges_one_to_eight_packets(acks: int) -> None:
    first = FirstPacket(PlainWrapping(), SESSION, time=1)
    assert first.check_reply(plain_reply(acks=acks)) is ProbeOutcome.INVALID_ANSWER


def test_a_reply_may_acknowledge_eight_packets() -> None:
    first = FirstPacket(PlainWrapping(), SESSION, time=1)
    assert first.check_reply(plain_reply(acks=8)) is ProbeOutcome.ANSWERED


def test_a_reply_has_a_maximum_length() -> None:
    first = FirstPacket(PlainWrapping(), SESSION, time=1)
    longest = plain_reply().ljust(MAX_REPLY_BYTES, b"\0")
    assert first.check_reply(longest) is ProbeOutcome.ANSWERED
    assert first.check_reply(longest + b"\0") is ProbeOutcome.INVALID_ANSWER


@given(reply=st.binary(max_size=200), wrapping=st.sampled_from([*WRAPPINGS.values()]))
def test_any_bytes_are_no_answer(reply: bytes, wrapping: Wrapping) -> None:
    first = FirstPacket(wrapping, SESSION, time=1)
    assert first.check_reply(reply) is ProbeOutcome.INVALID_ANSWER
    assert first.check_reply(b"\x40" + reply) is ProbeOutcome.INVALID_ANSWER


def test_a_time_after_2106_is_cut_to_four_bytes() -> None:
    wrapping = WRAPPINGS["auth-sha1-dir1"]
    assert wrapping.wrap(bytes(9), bytes(5), 2**32 + 7) == wrapping.wrap(bytes(9), bytes(5), 7)
