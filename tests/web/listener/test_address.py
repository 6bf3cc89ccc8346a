import pytest

from exporter.web.listener import ListenAddress, parse_listen_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (":9176", ListenAddress(None, 9176)),
        ("127.0.0.1:9176", ListenAddress("127.0.0.1", 9176)),
        ("[::1]:9176", ListenAddress("::1", 9176)),
        ("[::]:0", ListenAddress("::", 0)),
        ("localhost:65535", ListenAddress("localhost", 65535)),
        ("vpn.example.org:80", ListenAddress("vpn.example.org", 80)),
    ],
)
def test_addresses_are_read_as_exporters_write_them(text: str, address: ListenAddress) -> None:
    assert parse_listen_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "9176",
        "127.0.0.1",
        ":65536",
        ":-1",
        ":+1",
        ": 80",
        "::1:9176",
        "[::1]",
        "[x]:80",
        "http://localhost:9176",
        ":9176\n",
        ":٣",
        "localhost:http",
        "[]:80",
    ],
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"write :9176 or 127\.0\.0\.1:9176"):
        parse_listen_address(text)
