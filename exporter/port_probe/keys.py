"""OpenVPN's key files, as `openvpn --genkey` writes them.

Errors are ValueErrors with one sentence, without the content of the file.
"""

import base64
import binascii
import re

import msgspec

from exporter.secret import SecretBytes

MAX_FILE_BYTES = 64 * 1024
"""Largest key file; a tls-crypt-v2 client key has less than 2 KiB."""

KEY_BYTES = 64
"""Bytes of one cipher or HMAC key in a file; algorithms use the first ones."""

_SLOT_BYTES = 2 * KEY_BYTES
_STATIC_BYTES = 2 * _SLOT_BYTES
_LENGTH_BYTES = 2
_MAX_WRAPPED_BYTES = 1024  # TLS_CRYPT_V2_MAX_WKC_LEN

_STATIC = "OpenVPN Static key V1"
_CLIENT = "OpenVPN tls-crypt-v2 client key"
_SERVER = "OpenVPN tls-crypt-v2 server key"
_NAMES = {
    _STATIC: "static key ('openvpn --genkey secret FILE')",
    _CLIENT: "tls-crypt-v2 client key",
    _SERVER: "tls-crypt-v2 server key",
}


class KeySlot(msgspec.Struct, frozen=True):
    """The keys of one direction: each of `KEY_BYTES`."""

    cipher: SecretBytes
    hmac: SecretBytes


class StaticKey(msgspec.Struct, frozen=True):
    """Two slots: the client of `tls-crypt` sends with the second and receives with the first."""

    first: KeySlot
    second: KeySlot


class ClientKey(msgspec.Struct, frozen=True):
    """The key of a client with `tls-crypt-v2`; `wrapped` is the same, encrypted for the server."""

    key: StaticKey
    wrapped: SecretBytes


def parse_static_key(content: bytes) -> StaticKey:
    """Parse a key for `tls-auth` or `tls-crypt`; raises ValueError."""
    digits = b"".join(
        line for line in _block(content, _STATIC).split() if not line.startswith((b"#", b";"))
    )
    try:
        raw = binascii.unhexlify(digits)
    except binascii.Error:
        raise ValueError("has a static key with other characters than hexadecimal digits") from None
    if len(raw) != _STATIC_BYTES:
        raise ValueError(f"has a static key of {len(raw)} bytes, not {_STATIC_BYTES}")
    return static_key(raw)


def parse_client_key(content: bytes) -> ClientKey:
    """Parse a client's key for `tls-crypt-v2`; raises ValueError."""
    raw = _base64(content, _CLIENT)
    key, wrapped = raw[:_STATIC_BYTES], raw[_STATIC_BYTES:]
    length = int.from_bytes(wrapped[-_LENGTH_BYTES:], "big")
    if not _STATIC_BYTES < len(wrapped) == length <= _MAX_WRAPPED_BYTES:
        raise ValueError("has a tls-crypt-v2 client key of a wrong length")
    return ClientKey(static_key(key), SecretBytes(wrapped))


def parse_server_key(content: bytes) -> KeySlot:
    """Parse a server's key for `tls-crypt-v2`; raises ValueError."""
    raw = _base64(content, _SERVER)
    if len(raw) != _SLOT_BYTES:
        raise ValueError("has a tls-crypt-v2 server key of a wrong length")
    return _slot(raw)


def static_key(raw: bytes) -> StaticKey:
    """Return a key of 256 bytes."""
    return StaticKey(_slot(raw[:_SLOT_BYTES]), _slot(raw[_SLOT_BYTES:]))


def _slot(raw: bytes) -> KeySlot:
    return KeySlot(SecretBytes(raw[:KEY_BYTES]), SecretBytes(raw[KEY_BYTES:]))


def _base64(content: bytes, title: str) -> bytes:
    try:
        return base64.b64decode(b"".join(_block(content, title).split()), validate=True)
    except binascii.Error:
        raise ValueError(f"has a {_NAMES[title]} that is not base64") from None


def _block(content: bytes, title: str) -> bytes:
    """Return what stands between the first and the last line of a key."""
    for found, name in _NAMES.items():
        marker = re.escape(found.encode())
        block = re.search(
            rb"^-----BEGIN " + marker + rb"-----\s*?$(.*?)^-----END " + marker + rb"-----",
            content,
            re.DOTALL | re.MULTILINE,
        )
        if block and found == title:
            return block[1]
        if block:
            raise ValueError(f"has a {name}, not a {_NAMES[title]}")
    raise ValueError(f"has no {_NAMES[title]}")
