"""The first lines of other protocols, whose servers or clients an address may lead to."""

import re

_BANNERS = {
    "SSH": rb"SSH-",
    "HTTP": rb"HTTP/|[A-Z]+ \S+ HTTP/",
    "TLS": rb"[\x15\x16]\x03",  # an alert or a ClientHello
    "SMTP or FTP": rb"220[ -]",
    "POP3": rb"\+OK",
    "IMAP": rb"\* OK",
    "VNC": rb"RFB \d",
    "MySQL's protocol": rb".{2}\0\0$",  # a length before the protocol's version, which is a \n
}
_PATTERNS = {name: re.compile(pattern, re.DOTALL) for name, pattern in _BANNERS.items()}


def protocol_of(first_line: bytes) -> str | None:
    """Return the name of the protocol that begins with this line, None if it is not known."""
    return next((name for name, pattern in _PATTERNS.items() if pattern.match(first_line)), None)
