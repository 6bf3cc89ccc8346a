"""Packets of the control channel, wrapped with a key as the server's configuration says.

A packet is a header (opcode and session id), then with a key a packet id and its proof, then the
body. Nothing here checks packet ids and times: one reply is read for one request.
"""

import hashlib
import hmac
from collections.abc import Callable
from typing import Protocol

import msgspec

from exporter.port_probe.keys import ClientKey, KeySlot, StaticKey, static_key
from exporter.secret import SecretBytes

HEADER_BYTES = 9
"""One byte of opcode and key id, eight bytes of session id."""

PACKET_ID_BYTES = 8
"""A number and the time, four bytes each, big-endian."""

CLIENT_KEY_BYTES = 256

FIRST_PACKET_ID = 1

EARLY_PACKET_ID = 0x0F00_0001
"""Asks a server of 2.6 and later to answer without keeping anything (a cookie in its reply)."""

DIGESTS = ("SHA1", "SHA224", "SHA256", "SHA384", "SHA512")
"""The values of `auth` that are known here: HMACs of the standard library."""

_SHA256_BYTES = 32
_AES_KEY_BYTES = 32
_IV_BYTES = 16
_LENGTH_BYTES = 2


class InvalidPacketError(Exception):
    """A packet that is malformed, or not from a peer with the same key."""


class Wrapping(Protocol):
    """How both sides of a control channel wrap their packets."""

    @property
    def client_opcode(self) -> int:
        """The opcode of a client's first packet."""

    def wrap(self, header: bytes, body: bytes, time: int) -> bytes:
        """Return a client's packet; `time` is in seconds since the epoch."""

    def unwrap(self, packet: bytes) -> bytes:
        """Return the body of a server's packet; raises InvalidPacketError."""


class PlainWrapping(msgspec.Struct, frozen=True):
    """No key."""

    client_opcode: int = 7  # P_CONTROL_HARD_RESET_CLIENT_V2

    def wrap(self, header: bytes, body: bytes, time: int) -> bytes:  # noqa: ARG002 -- no packet id
        """Return a client's packet."""
        return header + body

    def unwrap(self, packet: bytes) -> bytes:
        """Return the body of a server's packet."""
        return packet[HEADER_BYTES:]


class TlsAuthWrapping(msgspec.Struct, frozen=True):
    """`tls-auth`: an HMAC.

    `direction` is that of the client: 0, 1, or None if neither side has one. `digest` is the
    daemon's `auth`, one of `DIGESTS`.
    """

    key: StaticKey
    direction: int | None = None
    digest: str = "SHA1"
    client_opcode: int = 7

    def wrap(self, header: bytes, body: bytes, time: int) -> bytes:
        """Return a client's packet."""
        packet_id = _packet_id(FIRST_PACKET_ID, time)
        slot = self.key.second if self.direction == 1 else self.key.first
        return header + self._hmac(slot, packet_id + header + body) + packet_id + body

    def unwrap(self, packet: bytes) -> bytes:
        """Return the body of a server's packet."""
        size = hashlib.new(self.digest).digest_size
        header, rest = packet[:HEADER_BYTES], packet[HEADER_BYTES:]
        found, packet_id, body = _split(rest, size, PACKET_ID_BYTES)
        slot = self.key.second if self.direction == 0 else self.key.first
        _check(found, self._hmac(slot, packet_id + header + body))
        return body

    def _hmac(self, slot: KeySlot, message: bytes) -> bytes:
        # OpenVPN uses as many bytes of the key as the digest has.
        key = slot.hmac.reveal()[: hashlib.new(self.digest).digest_size]
        return hmac.digest(key, message, self.digest)


class TlsCryptWrapping(msgspec.Struct, frozen=True):
    """`tls-crypt`: an HMAC and encryption; needs the extra `certificates`."""

    key: StaticKey
    client_opcode: int = 7
    packet_id: int = FIRST_PACKET_ID

    def __post_init__(self) -> None:
        """Load the library, which takes too long for the event loop; raises ValueError."""
        load_library()

    def wrap(self, header: bytes, body: bytes, time: int) -> bytes:
        """Return a client's packet."""
        start = header + _packet_id(self.packet_id, time)
        slot = self.key.second
        tag = _sha256(slot, start + body)
        return start + tag + _aes_ctr(slot, tag, body)

    def unwrap(self, packet: bytes) -> bytes:
        """Return the body of a server's packet."""
        start, tag, encrypted = _split(packet, HEADER_BYTES + PACKET_ID_BYTES, _SHA256_BYTES)
        slot = self.key.first
        body = _aes_ctr(slot, tag, encrypted)
        _check(tag, _sha256(slot, start + body))
        return body


class TlsCryptV2Wrapping(msgspec.Struct, frozen=True):
    """`tls-crypt-v2`: as `tls-crypt`, with a key of the client, which its first packet carries."""

    key: ClientKey
    client_opcode: int = 10  # P_CONTROL_HARD_RESET_CLIENT_V3

    def __post_init__(self) -> None:
        """Load the library, which takes too long for the event loop; raises ValueError."""
        load_library()

    def wrap(self, header: bytes, body: bytes, time: int) -> bytes:
        """Return a client's packet."""
        return self._tls_crypt.wrap(header, body, time) + self.key.wrapped.reveal()

    def unwrap(self, packet: bytes) -> bytes:
        """Return the body of a server's packet."""
        return self._tls_crypt.unwrap(packet)

    @property
    def _tls_crypt(self) -> TlsCryptWrapping:
        return TlsCryptWrapping(self.key.key, packet_id=EARLY_PACKET_ID)


def make_client_key(server: KeySlot, random: bytes, time: int) -> ClientKey:
    """Return a client key that a server with this key accepts.

    `random` are the `CLIENT_KEY_BYTES` of the key. `time` is that of its creation, in seconds since
    the epoch, which a server with `tls-crypt-v2-max-age` checks.
    """
    plain = random + b"\x01" + time.to_bytes(8, "big")  # metadata of type 1: a time
    length = (_SHA256_BYTES + len(plain) + _LENGTH_BYTES).to_bytes(_LENGTH_BYTES, "big")
    tag = _sha256(server, length + plain)
    return ClientKey(static_key(random), SecretBytes(tag + _aes_ctr(server, tag, plain) + length))


def _packet_id(number: int, time: int) -> bytes:
    return number.to_bytes(4, "big") + (time & 0xFFFF_FFFF).to_bytes(4, "big")


def _split(content: bytes, first: int, second: int) -> tuple[bytes, bytes, bytes]:
    if len(content) < first + second:
        raise InvalidPacketError("a packet that is too short")
    return content[:first], content[first : first + second], content[first + second :]


def _check(found: bytes, expected: bytes) -> None:
    if not hmac.compare_digest(found, expected):
        raise InvalidPacketError("a packet with another key")


def _sha256(slot: KeySlot, message: bytes) -> bytes:
    return hmac.digest(slot.hmac.reveal()[:_SHA256_BYTES], message, "SHA256")


def _aes_ctr(slot: KeySlot, tag: bytes, content: bytes) -> bytes:
    """Encrypt or decrypt: both are the same."""
    return load_library()(slot.cipher.reveal()[:_AES_KEY_BYTES], tag[:_IV_BYTES], content)


class ServerKey(msgspec.Struct, frozen=True):
    """The key of a server with `tls-crypt-v2`, with which it encrypts the keys of its clients."""

    slot: KeySlot


def client_wrapping(
    key: Wrapping | ServerKey, *, random: Callable[[int], bytes], time: int
) -> Wrapping:
    """Return the wrapping of a client; for a server's key with a new client key."""
    if isinstance(key, ServerKey):
        return TlsCryptV2Wrapping(make_client_key(key.slot, random(CLIENT_KEY_BYTES), time))
    return key


def load_library() -> Callable[[bytes, bytes, bytes], bytes]:
    """Return the encryption; the first call takes too long for the event loop.

    Raises:
        ValueError: the library is not installed.
    """
    try:
        from exporter.port_probe.aes import aes_ctr  # noqa: PLC0415 -- an optional, slow library
    except ImportError:
        raise ValueError(
            "tls-crypt needs a library that is not installed: pip install cryptography"
        ) from None
    return aes_ctr
