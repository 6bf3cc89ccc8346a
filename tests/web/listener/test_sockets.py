import os
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from exporter.web.listener import (
    BoundAddress,
    ListenAddress,
    bind,
    listen_fds,
    parse_listen_address,
    sockets,
)


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
def test_a_listen_address_has_the_syntax_of_prometheus_exporters(
    text: str, address: ListenAddress
) -> None:
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
def test_any_other_listen_address_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"write :9176 or 127\.0\.0\.1:9176"):
        parse_listen_address(text)


def close(*addresses: BoundAddress) -> None:
    for address in addresses:
        for listening in address.sockets:
            listening.close()


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("127.0.0.1:0", "127.0.0.1"),
        ("[::1]:0", "[::1]"),
        ("localhost:0", "localhost"),
        (":0", "localhost"),
    ],
)
async def test_a_bound_address_has_a_url_with_its_real_port(address: str, host: str) -> None:
    (bound,) = await bind([parse_listen_address(address)])
    port = bound.sockets[0].getsockname()[1]
    assert bound.url(encrypted=False) == f"http://{host}:{port}"
    assert bound.url(encrypted=True) == f"https://{host}:{port}"
    close(bound)


async def test_if_one_address_is_in_use_no_socket_stays_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        addresses = [parse_listen_address(f"127.0.0.{host}:{port}") for host in (2, 1)]
        with pytest.raises(OSError, match=str(port)):
            await bind(addresses)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", port))


@pytest.mark.parametrize("host", ["no.such.host.invalid", "ü.invalid", f"{'a' * 64}.invalid"])
async def test_the_error_names_an_unknown_host(host: str) -> None:
    with pytest.raises(OSError, match=re.escape(host)):
        await bind([parse_listen_address(f"{host}:80")])


@pytest.fixture
def first(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The first of some free descriptors, in place of systemd's first."""
    descriptor = 200
    monkeypatch.setattr(sockets, "SD_LISTEN_FDS_START", descriptor)
    yield descriptor
    for leftover in range(descriptor, descriptor + 4):
        try:
            os.close(leftover)
        except OSError:
            continue


def pass_socket(number: int, original: socket.socket) -> None:
    os.dup2(original.fileno(), number, inheritable=True)
    original.close()


def environment(count: object, pid: int | None = None) -> dict[str, str]:
    return {
        "LISTEN_PID": str(os.getpid() if pid is None else pid),
        "LISTEN_FDS": str(count),
        "LISTEN_FDNAMES": "web",
        "HOME": "/",
    }


async def test_only_an_address_is_resolved_on_the_event_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolve, resolved_here = socket.getaddrinfo, []

    def record(host: bytes, port: int, *, type: int, flags: int = 0) -> object:  # noqa: A002
        if threading.current_thread() is threading.main_thread():
            resolved_here.append((host, flags))
        return resolve(host, port, type=type, flags=flags)

    monkeypatch.setattr(socket, "getaddrinfo", record)
    for address in await bind([parse_listen_address("localhost:0")]):
        close(address)
    assert resolved_here == [(b"localhost", socket.AI_NUMERICHOST)]


def test_passed_sockets_have_urls(first: int, tmp_path: Path) -> None:
    path = tmp_path / "web.sock"
    unix = socket.socket(socket.AF_UNIX)
    unix.bind(str(path))
    unix.listen()
    tcp = socket.create_server(("127.0.0.1", 0))
    wildcard = socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    wildcard_ipv4 = socket.create_server(("", 0))
    ports = [each.getsockname()[1] for each in (tcp, wildcard, wildcard_ipv4)]
    for offset, original in enumerate((tcp, wildcard, unix, wildcard_ipv4)):
        pass_socket(first + offset, original)
    given = environment(4)
    addresses = listen_fds(given)
    urls = [address.url(encrypted=False) for address in addresses]
    assert urls == [
        f"http://127.0.0.1:{ports[0]}",
        f"http://localhost:{ports[1]}",
        f"http+unix://{path}",
        f"http://localhost:{ports[2]}",
    ]
    assert given == {"HOME": "/"}
    assert not any(os.get_inheritable(first + offset) for offset in range(4))
    close(*addresses)


@pytest.mark.parametrize(
    "given",
    [{}, environment(0), environment(""), environment("-1"), environment("x"), environment(1, 1)],
)
def test_no_passed_socket_is_an_error_with_what_to_do(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"passed no socket: .* by a \.socket unit"):
        listen_fds(given)


def test_a_descriptor_that_is_no_socket_is_refused(first: int) -> None:
    descriptor = os.open("/dev/null", os.O_RDONLY)
    os.dup2(descriptor, first)
    os.close(descriptor)
    with pytest.raises(ValueError, match=f"descriptor {first} of systemd is not a socket"):
        listen_fds(environment(1))


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_socket_that_does_not_listen_is_refused(first: int, kind: socket.SocketKind) -> None:
    pass_socket(first, socket.socket(socket.AF_INET, kind))
    with pytest.raises(ValueError, match="write ListenStream= and Accept=no"):
        listen_fds(environment(1))
