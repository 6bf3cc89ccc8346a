import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.management.endpoint import (
    Endpoint,
    ListenEndpoint,
    ListenUnixEndpoint,
    TcpEndpoint,
    UnixEndpoint,
    parse_endpoint,
)


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("127.0.0.1:7505", TcpEndpoint("127.0.0.1", 7505)),
        ("[::1]:7505", TcpEndpoint("::1", 7505)),
        ("localhost:7505", TcpEndpoint("localhost", 7505)),
        ("vpn-1.example.org.:1", TcpEndpoint("vpn-1.example.org.", 1)),
        ("a:65535", TcpEndpoint("a", 65535)),
        ("unix:/run/openvpn/office.sock", UnixEndpoint("/run/openvpn/office.sock")),
        ("unix:/run/my vpn:1.sock", UnixEndpoint("/run/my vpn:1.sock")),
        ("listen:127.0.0.1:7600", ListenEndpoint("127.0.0.1", 7600)),
        ("listen:[::]:7600", ListenEndpoint("::", 7600)),
        ("listen:unix:/run/a b.sock", ListenUnixEndpoint("/run/a b.sock")),
    ],
)
def test_canonical_text_is_read_and_given_back(text: str, endpoint: Endpoint) -> None:
    assert parse_endpoint(text) == endpoint
    assert str(endpoint) == text


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("LocalHost:7505", "localhost:7505"),
        ("a:07505", "a:7505"),
        ("[0:0::0001]:7505", "[::1]:7505"),
        ("[FE80::1]:7505", "[fe80::1]:7505"),
    ],
)
def test_other_spellings_become_the_same_endpoint(text: str, canonical: str) -> None:
    assert parse_endpoint(text) == parse_endpoint(canonical)
    assert str(parse_endpoint(text)) == canonical


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is not an address: write 127.0.0.1:7505"),
        ("7505", "is not an address"),
        ("localhost", "is not an address"),
        ("localhost:", "is not an address"),
        ("localhost:http", "is not an address"),
        ("127.0.0.1:7505:1", "is not an address"),
        ("::1:7505", "is not an address"),
        ("127.0.0.1:7505\n", "is not an address"),
        ("localhost:٣", "is not an address"),
        (":7505", "'' is not a host"),
        ("a b:7505", "'a b' is not a host"),
        ("a..b:7505", "is not a host"),
        ("x" * 64 + ":1", "is not a host"),
        ("a." + "x" * 64 + ":1", "is not a host"),
        ("a." * 127 + ":1", "is not a host"),
        (".".join(["x" * 60] * 5) + ":1", "is not a host"),
        ("127.0.0.256:7505", "is not an IPv4 address"),
        ("127.1:7505", "is not an IPv4 address"),
        ("[127.0.0.1]:7505", "is not an IPv6 address"),
        ("[]:7505", "is not an IPv6 address"),
        ("[fe80::1%a\nb]:7505", "is not an address"),
        ("localhost:0", "port 0 does not exist: use one from 1 to 65535"),
        ("localhost:65536", "port 65536 does not exist"),
        ("localhost:100000", "is not an address"),
        ("tcp:localhost:7505", "is not an address"),
        ("listen:7600", "is not an address"),
        ("listen::7600", "'' is not a host"),
        ("listen:unix:x.sock", "'x.sock' is not an absolute path"),
        ("listen:/run/x.sock", "is not an address"),
        ("/run/x.sock", "'/run/x.sock' is a path: put unix: before it"),
        ("unix:", "'' is not an absolute path: write unix:/run"),
        ("unix:x.sock", "'x.sock' is not an absolute path"),
        ("unix:/run/a\x00b", "is not an absolute path"),
        ("unix:/" + "x" * 107, "the socket path has 108 bytes and the system takes 107"),
        ("unix:/" + "é" * 54, "the socket path has 109 bytes"),
    ],
)
def test_an_invalid_address_is_an_error_that_says_what_to_write(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as caught:
        parse_endpoint(text)
    assert reason in str(caught.value)
    assert str(caught.value).isprintable()


def test_the_longest_socket_path_is_valid() -> None:
    path = "/" + "x" * 106
    assert parse_endpoint(f"unix:{path}") == UnixEndpoint(path)


def test_the_same_address_of_another_kind_is_another_endpoint() -> None:
    assert parse_endpoint("a:1") != parse_endpoint("listen:a:1")


@given(
    st.sampled_from(["", "unix:/", "listen:", "listen:unix:/"]),
    st.text(alphabet="a1:./[]%-_ \n") | st.text(),
)
def test_any_text_has_a_canonical_form_or_a_one_line_error(prefix: str, text: str) -> None:
    try:
        endpoint = parse_endpoint(prefix + text)
    except ValueError as error:
        endpoint, refusal = None, str(error)
    else:
        refusal = ""
    assert refusal.isprintable()
    assert endpoint is None or parse_endpoint(str(endpoint)) == endpoint
