"""Peer-chosen bytes as safe text.

Common names, user names, addresses and log lines are chosen by whoever connects to the VPN. They
are bytes without an encoding; nothing in OpenVPN validates them.
"""

import hashlib

LIMIT = 128
"""Longest text kept of a peer-chosen value, in characters.

A common name has at most 64 bytes (255 with several `--x509-username-field`), a user name 4095.
"""

_DIGEST_SIZE = 4


def clean(raw: str, limit: int = LIMIT) -> str:
    """Return `raw` without control characters and no longer than `limit` characters.

    Unprintable characters become U+FFFD. A text that is too long keeps its beginning and ends in
    `…` and a digest of the whole, so that two long names stay two names.
    """
    if len(raw) <= limit and raw.isprintable():
        return raw
    if len(raw) > limit:
        digest = hashlib.blake2s(raw.encode(errors="replace"), digest_size=_DIGEST_SIZE).hexdigest()
        raw = f"{raw[: limit - 1 - len(digest)]}…{digest}"
    return "".join(char if char.isprintable() else "\ufffd" for char in raw)


def decode(raw: bytes) -> str:
    """Decode bytes of the daemon as UTF-8; what is not becomes U+FFFD."""
    return raw.decode("utf-8", "replace")


def clean_bytes(raw: bytes, limit: int = LIMIT) -> str:
    """Decode and clean in one step."""
    return clean(decode(raw), limit)
