"""Values in OpenVPN's output: text, unsigned numbers, dates and addresses.

Common names, user names and log lines are chosen by the VPN's peers. They are bytes without a
declared encoding, and OpenVPN validates none of them: `clean` makes them safe to show.
"""

import datetime
import hashlib
import re

import msgspec

OTHER = "other"
"""Label value for everything outside a closed list."""

MAX_LENGTH = 128
"""Default length limit of `clean`, in characters.

A common name has at most 64 bytes (255 with several `--x509-username-field`), a user name 4095.
"""

UNDEFINED = "UNDEF"
"""Printed in place of a common name or user name that is not (yet) known."""

_DIGEST_SIZE = 4
_MAX_DIGITS = 20
_MAX_NUMBER = 2**64 - 1

_MAX_BYTE = 0xFF
_MAX_UTF_16_UNIT = 0xFFFF
# A backslash before what `decode` and `clean` print for a byte or a character.
_ESCAPE = re.compile(rb"\\(?=x(?:[01][0-9a-f]|7f|5c|[89a-f][0-9a-f])|u[0-9a-f]{4}|U[0-9a-f]{8})")

MAX_TIME = 253_402_300_799
"""9999-12-31 23:59:59 UTC, the last time that has a date of four digits."""

ZONE_STEP = 900
"""Seconds: offsets of time zones are whole quarters of an hour."""

_MIN_ZONE_OFFSET, _MAX_ZONE_OFFSET = -12 * 3600, 14 * 3600

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)", re.ASCII)
_CTIME = re.compile(
    rf"[A-Z][a-z]{{2}} ({'|'.join(_MONTHS)}) ([ \d]?\d) (\d\d):(\d\d):(\d\d) (\d{{4}})", re.ASCII
)

_PROTOCOL = re.compile(r"((?:udp|tcp)[46]?(?:-server|-client)?):(.+)")
_BRACKETED = re.compile(r"\[([^\]]+)\](?::([0-9]{1,5}))?")
_HOST_PORT = re.compile(r"([^:]+):([0-9]{1,5})")
_PORT_DIGITS = 5
_MAC = re.compile(r"(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}(?:@[0-9]+)?")


def decode(raw: bytes) -> str:
    r"""Decode UTF-8; an invalid byte becomes an escape like `\xff`, so that names stay distinct.

    What looks like an escape already gets its backslash escaped.
    """
    if b"\\" in raw:
        raw = _ESCAPE.sub(rb"\\x5c", raw)
    return raw.decode("utf-8", "backslashreplace")


def clean(text: str, limit: int = MAX_LENGTH) -> str:
    r"""Return `text` without unprintable characters, at most `limit` characters long.

    Unprintable characters become escapes like `\x1b` and `\u200b`. A longer text is cut and ends
    in `…` and a digest of the whole text, so that two long names stay distinct.
    """
    if len(text) <= limit and text.isprintable():
        return text
    escaped = "".join(map(_escape, text[:limit]))
    if len(text) <= limit and len(escaped) <= limit:
        return escaped
    digest = hashlib.blake2s(
        text.encode(errors="surrogatepass"), digest_size=_DIGEST_SIZE
    ).hexdigest()
    return f"{escaped[: limit - 1 - len(digest)]}…{digest}"


def _escape(char: str) -> str:
    if char.isprintable():
        return char
    code = ord(char)
    if code <= _MAX_BYTE:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= _MAX_UTF_16_UNIT else f"\\U{code:08x}"


def clean_bytes(raw: bytes, limit: int = MAX_LENGTH) -> str:
    """Decode and clean."""
    return clean(decode(raw), limit)


def clean_name(text: str) -> str:
    """Clean a common name or user name; `UNDEF` becomes ""."""
    return "" if text == UNDEFINED else clean(text)


def parse_number(text: str) -> int:
    """Parse an unsigned 64-bit decimal.

    `int` alone also accepts signs, blanks, underscores and digits of other scripts.

    Raises:
        ValueError: the text is anything else.
    """
    if (
        text.isascii()
        and text.isdigit()
        and len(text) <= _MAX_DIGITS
        and (number := int(text)) <= _MAX_NUMBER
    ):
        return number
    raise ValueError("not an unsigned 64-bit decimal number")


def parse_time(text: str) -> int:
    """Parse a time in seconds since the epoch, up to `MAX_TIME`.

    Raises:
        ValueError: the text is anything else.
    """
    if (seconds := parse_number(text)) <= MAX_TIME:
        return seconds
    raise ValueError("a time beyond the year 9999")


def parse_date(text: str, zone_offset: int = 0) -> int:
    """Parse a date without a zone; return seconds since the epoch.

    OpenVPN prints `2026-11-23 03:30:16` since 2.5 and `Mon Nov 23 03:43:31 2026` before, in the
    daemon's local time, which is `zone_offset` seconds ahead of UTC.

    Raises:
        ValueError: neither spelling, or no such time.
    """
    if match := _ISO.fullmatch(text):
        year, month, day, hour, minute, second = (int(group) for group in match.groups())
    elif match := _CTIME.fullmatch(text):
        month = _MONTHS.index(match[1]) + 1
        day, hour, minute, second, year = (int(match[group]) for group in (2, 3, 4, 5, 6))
    else:
        raise ValueError("not a date as OpenVPN prints it")
    # A leap second is printed as :60; the epoch does not count it.
    date = datetime.datetime(year, month, day, hour, minute, min(second, 59), tzinfo=datetime.UTC)
    seconds = int(date.timestamp()) - zone_offset
    if seconds > MAX_TIME:
        raise ValueError("a time beyond the year 9999")
    return max(seconds, 0)  # 0 in another zone


def parse_zone_offset(text: str, printed_at: float | None) -> int:
    """Parse the date of a status; return by how many seconds the daemon's zone is ahead of UTC.

    `printed_at` is the time at which the daemon printed it, in seconds since the epoch by another
    clock: the whole quarters of an hour between both are the zone. They are 0 if that time is not
    known, or if both are further apart than any zone: then one of the clocks is wrong.

    Raises:
        ValueError: not a date.
    """
    printed = parse_date(text)
    if printed_at is None:
        return 0
    offset = round((printed - printed_at) / ZONE_STEP) * ZONE_STEP
    return offset if _MIN_ZONE_OFFSET <= offset <= _MAX_ZONE_OFFSET else 0


class RealAddress(msgspec.Struct, frozen=True):
    """The address from which a client reaches the server.

    `protocol` is the server's socket type (`udp4`, `tcp6-server`), printed since 2.7 and else
    empty. `port` is None where the daemon does not print it: native IPv6 up to 2.6.
    """

    protocol: str
    host: str
    port: int | None


def parse_real_address(text: str) -> RealAddress:
    """Split a Real Address into its parts; a text of no known form becomes the host unchanged.

    Known forms: `127.0.0.1:49630`, `::1`, `udp4:127.0.0.1:49630`, `tcp6-server:[::1]:60260`,
    `udp6:127.0.0.1:39244` (a dual-stack socket).
    """
    host, _, digits = text.rpartition(":")
    if ":" not in host and _is_port(digits):
        return RealAddress("", host, int(digits))  # the most frequent form
    protocol = ""
    if match := _PROTOCOL.fullmatch(text):
        protocol, text = match[1], match[2]
    match = _BRACKETED.fullmatch(text) or _HOST_PORT.fullmatch(text)
    if match is None:
        return RealAddress(protocol, text, None)
    return RealAddress(protocol, match[1], int(match[2]) if match[2] else None)


def _is_port(digits: str) -> bool:
    # `isdigit` alone accepts "²", too.
    return digits.isascii() and digits.isdigit() and len(digits) <= _PORT_DIGITS


def is_mac(text: str) -> bool:
    """Return whether a virtual address is a MAC, as in TAP mode (`MAC@VLAN` since 2.5)."""
    return _MAC.fullmatch(text) is not None


def is_host_route(text: str) -> bool:
    """Return whether a virtual address is a client's own: no subnet, MAC or cached host.

    A host cached from traffic ends in an upper-case `C`; IPv6 addresses are printed in lower case.
    """
    return bool(text) and "/" not in text and not text.endswith("C") and not is_mac(text)
