"""The client's first packet, and the server's reply to it.

No other packet is ever built: an acknowledgement would make the server keep an instance of the
client for a minute.
"""

import contextlib

from exporter.port_probe.outcome import ProbeOutcome
from exporter.port_probe.wrapping import (
    HEADER_BYTES,
    InvalidPacketError,
    PlainWrapping,
    Wrapping,
)

SESSION_ID_BYTES = 8

MAX_REPLY_BYTES = 1024
"""Longest reply that is read; a server's has at most 100 bytes."""

LENGTH_BYTES = 2
"""Bytes of the length before each packet over TCP, big-endian."""

_OPCODE_SHIFT = 3
_SERVER_RESET = 8 << _OPCODE_SHIFT  # P_CONTROL_HARD_RESET_SERVER_V2, key id 0
_ID_BYTES = 4
_MAX_ACKS = 8

_NO_ACKS = bytes(1)
_FIRST_MESSAGE_ID = bytes(_ID_BYTES)


class FirstPacket:
    """The first packet of one client, and the check of replies to it."""

    def __init__(self, wrapping: Wrapping, session_id: bytes, time: int) -> None:
        """`session_id` has `SESSION_ID_BYTES` random bytes; `time`: seconds since the epoch."""
        self._wrapping = wrapping
        self._session_id = session_id
        header = bytes([wrapping.client_opcode << _OPCODE_SHIFT]) + session_id
        self.content = wrapping.wrap(header, _NO_ACKS + _FIRST_MESSAGE_ID, time)

    def check_reply(self, reply: bytes) -> ProbeOutcome:
        """Return whether a packet is the server's answer to this one, wrapped or plain."""
        if not HEADER_BYTES < len(reply) <= MAX_REPLY_BYTES or reply[0] != _SERVER_RESET:
            return ProbeOutcome.INVALID_ANSWER
        with contextlib.suppress(InvalidPacketError):
            if self._acknowledges(self._wrapping.unwrap(reply)):
                return ProbeOutcome.ANSWERED
        if not isinstance(self._wrapping, PlainWrapping) and self._is_plain(reply):
            return ProbeOutcome.ANSWERED_WITHOUT_KEY
        return ProbeOutcome.INVALID_ANSWER

    def _is_plain(self, reply: bytes) -> bool:
        """Return whether a server without a key sent the reply to a wrapped packet.

        It takes what it can from that packet: over TCP it sees no id to acknowledge in tls-crypt.
        """
        body = PlainWrapping().unwrap(reply)
        return self._acknowledges(body) or body == _NO_ACKS + _FIRST_MESSAGE_ID

    def _acknowledges(self, body: bytes) -> bool:
        """Return whether the acknowledgements in a body are for the session of this packet."""
        acks = body[0] if body else 0
        start = 1 + acks * _ID_BYTES
        end = start + SESSION_ID_BYTES
        # The id of the reply follows, and from 2.6 on perhaps a flag for tls-crypt-v2.
        is_complete = len(body) >= end + _ID_BYTES
        return 1 <= acks <= _MAX_ACKS and is_complete and body[start:end] == self._session_id


def with_length(packet: bytes) -> bytes:
    """Return a packet as it is sent over TCP."""
    return len(packet).to_bytes(LENGTH_BYTES, "big") + packet
