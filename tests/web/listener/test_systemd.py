import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from exporter.web.listener import systemd
from exporter.web.listener.sockets import BoundAddress
from exporter.web.listener.systemd import listen_fds


@pytest.fixture
def first(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A descriptor from where on some are free, in place of systemd's first."""
    descriptor = 200
    monkeypatch.setattr(systemd, "_FIRST", descriptor)
    yield descriptor
    for leftover in range(descriptor, descriptor + 4):
        try:
            os.close(leftover)
        except OSError:
            continue


def hand_over(number: int, original: socket.socket) -> None:
    os.dup2(original.fileno(), number, inheritable=True)
    original.close()


def environment(count: object, pid: int | None = None) -> dict[str, str]:
    return {
        "LISTEN_PID": str(os.getpid() if pid is None else pid),
        "LISTEN_FDS": str(count),
        "LISTEN_FDNAMES": "web",
        "HOME": "/",
    }


def close(places: tuple[BoundAddress, ...]) -> None:
    for place in places:
        for listening in place.sockets:
            listening.close()


def test_sockets_are_taken_with_their_urls(first: int, tmp_path: Path) -> None:
    path = tmp_path / "web.sock"
    unix = socket.socket(socket.AF_UNIX)
    unix.bind(str(path))
    unix.listen()
    tcp = socket.create_server(("127.0.0.1", 0))
    everywhere = socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    ports = [tcp.getsockname()[1], everywhere.getsockname()[1]]
    for offset, original in enumerate((tcp, everywhere, unix)):
        hand_over(first + offset, original)
    given = environment(3)
    places = listen_fds(given)
    urls = [place.url(encrypted=False) for place in places]
    assert urls == [
        f"http://127.0.0.1:{ports[0]}",
        f"http://localhost:{ports[1]}",
        f"http+unix://{path}",
    ]
    assert given == {"HOME": "/"}
    assert not any(os.get_inheritable(first + offset) for offset in range(3))
    close(places)


@pytest.mark.parametrize(
    "given",
    [{}, environment(0), environment(""), environment("-1"), environment("x"), environment(1, 1)],
)
def test_no_socket_is_said_with_what_to_do(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"handed over no socket: .* by a \.socket unit"):
        listen_fds(given)


def test_what_is_no_socket_is_refused(first: int) -> None:
    descriptor = os.open("/dev/null", os.O_RDONLY)
    os.dup2(descriptor, first)
    os.close(descriptor)
    with pytest.raises(ValueError, match=f"descriptor {first} of systemd is no socket"):
        listen_fds(environment(1))


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_socket_that_does_not_listen_is_refused(first: int, kind: socket.SocketKind) -> None:
    hand_over(first, socket.socket(socket.AF_INET, kind))
    with pytest.raises(ValueError, match="write ListenStream= and Accept=no"):
        listen_fds(environment(1))
