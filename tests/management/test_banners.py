"""Other protocols, by their first bytes."""

import pytest

from exporter.management.banners import protocol_of
from exporter.management.errors import ProtocolError
from exporter.management.protocol import ManagementProtocol


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", "SSH"),
        (b"HTTP/1.1 400 Bad Request\r\n", "HTTP"),
        (b"GET /metrics HTTP/1.1\r\n", "HTTP"),
        (b"\x15\x03\x01\x00\x02\x02\x0a\n", "TLS"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n", "TLS"),
        (b"220 mail.example.org ESMTP\r\n", "SMTP or FTP"),
        (b"220-Welcome\r\n", "SMTP or FTP"),
        (b"+OK Dovecot ready.\r\n", "POP3"),
        (b"* OK [CAPABILITY IMAP4rev1] Dovecot ready.\r\n", "IMAP"),
        (b"RFB 003.008\n", "VNC"),
        (b"J\0\0\0\n8.0.33\0", "MySQL's protocol"),
    ],
)
def test_another_protocol_is_named_even_where_the_line_is_hidden(data: bytes, name: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        ManagementProtocol().receive_data(data)
    expected = f"the peer speaks {name}, not OpenVPN's management protocol"
    assert caught.value.redacted == expected
    assert str(caught.value).startswith(f"{expected}; it began with ")


@pytest.mark.parametrize(
    "line", [b"", b"\0", b"Hello", b"2200", b"HTTP", b"GET /", b"alice,\0\0,\0\0", b"x" * 10_000]
)
def test_other_lines_are_of_no_known_protocol(line: bytes) -> None:
    assert protocol_of(line) is None
