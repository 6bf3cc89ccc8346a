"""Connecting: each error of the system is a real one and becomes a management error."""

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from exporter.management.endpoint import Endpoint, TcpEndpoint, UnixEndpoint
from exporter.management.errors import (
    ConnectionRefused,
    EndpointNotFound,
    EndpointPermissionError,
    EndpointUnreachable,
    ManagementError,
    SlotBusy,
)
from exporter.transport.connector import connector_for
from tests.fake_daemon import TEST_TIMEOUT, fake_daemon, free_port
from tests.transport.sessions import SHORT

NOBODY_UID = 65534


async def fails_with(
    kind: type[ManagementError], endpoint: Endpoint, *, deadline: float = TEST_TIMEOUT
) -> str:
    opening = connector_for(endpoint, timeout=deadline)
    with pytest.raises(ManagementError) as caught:
        await opening.connect()
    await opening.close()
    assert type(caught.value) is kind
    assert str(caught.value).startswith(f"{endpoint}: ")
    return str(caught.value)


@contextlib.contextmanager
def without_root() -> Iterator[None]:
    """Drop the rights of root, which may enter every directory."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY_UID)
    try:
        yield
    finally:
        if before == 0:
            os.seteuid(before)


def fill(family: socket.AddressFamily, address: str | tuple[str, int]) -> list[socket.socket]:
    """Connect until the queue of the listening socket is full."""
    queue = []
    while True:
        waiting = socket.socket(family, socket.SOCK_STREAM)
        waiting.settimeout(0.1)
        queue.append(waiting)
        try:
            waiting.connect(address)
        except OSError:
            return queue


@contextlib.contextmanager
def full_listener(
    family: socket.AddressFamily, address: str | tuple[str, int]
) -> Iterator[socket.socket]:
    """Listen with a full queue."""
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.bind(address)
        listener.listen(0)
        queue = fill(family, listener.getsockname())
        try:
            yield listener
        finally:
            for waiting in queue:
                waiting.close()


async def test_tcp_connects_and_names_its_address() -> None:
    async with fake_daemon() as daemon:
        stream = await connector_for(daemon.endpoint, timeout=TEST_TIMEOUT).connect()
        session = await daemon.accept()
        session.send_lines(b"hello")
        assert await stream.read() == b"hello\r\n"
        assert stream.peer == str(daemon.endpoint)
        stream.close()


async def test_a_unix_socket_connects_and_names_its_path(tmp_path: Path) -> None:
    async with fake_daemon(tmp_path / "office.sock") as daemon:
        stream = await connector_for(daemon.endpoint, timeout=TEST_TIMEOUT).connect()
        session = await daemon.accept()
        session.send_lines(b"hello")
        assert await stream.read() == b"hello\r\n"
        assert stream.peer == f"unix:{tmp_path}/office.sock"
        stream.close()


async def test_a_port_without_a_listener_refuses() -> None:
    await fails_with(ConnectionRefused, TcpEndpoint("127.0.0.1", free_port()))


async def test_a_name_with_several_addresses_refuses_if_one_of_them_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As `localhost` does on a machine without IPv6."""
    port = free_port()
    addresses = ["127.255.255.255", "127.0.0.1", "127.0.0.2"]
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    await fails_with(ConnectionRefused, TcpEndpoint("office", port))


async def test_of_several_errors_other_than_refusals_the_first_is_raised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broadcast = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.255.255.255", 7505))
    without_interface = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("fe80::1", 7505, 0, 0))
    messages = []
    for found in [broadcast, without_interface], [without_interface, broadcast]:
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, found=found, **__: found)
        messages.append(await fails_with(EndpointUnreachable, TcpEndpoint("office", 7505)))
    assert [os.strerror(errno.ENETUNREACH) in text for text in messages] == [True, False]


async def test_a_name_with_several_addresses_is_connected_at_the_one_that_listens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with fake_daemon() as daemon:
        assert isinstance(daemon.endpoint, TcpEndpoint)
        port = daemon.endpoint.port
        addresses = ["127.0.0.2", "127.0.0.1"]
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port)) for host in addresses]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        stream = await connector_for(TcpEndpoint("office", port), timeout=TEST_TIMEOUT).connect()
        await daemon.accept()
        stream.close()


async def test_a_host_name_that_does_not_resolve_is_not_found() -> None:
    # A reserved name (RFC 6761), for which no resolver needs the network.
    message = await fails_with(EndpointNotFound, TcpEndpoint("nobody.invalid", 7505))
    assert "no such host name" in message


async def test_an_address_without_a_route_is_unreachable() -> None:
    # The broadcast address of loopback, which the kernel rejects for TCP.
    await fails_with(EndpointUnreachable, TcpEndpoint("127.255.255.255", 7505))


async def test_a_full_queue_on_loopback_means_busy() -> None:
    with full_listener(socket.AF_INET, ("127.0.0.1", 0)) as listener:
        host, port = listener.getsockname()
        message = await fails_with(SlotBusy, TcpEndpoint(host, port), deadline=SHORT)
    assert "wait for the single slot" in message


async def test_a_path_without_a_socket_is_not_found(tmp_path: Path) -> None:
    await fails_with(EndpointNotFound, UnixEndpoint(str(tmp_path / "office.sock")))


async def test_the_socket_of_a_dead_daemon_refuses(tmp_path: Path) -> None:
    path = str(tmp_path / "office.sock")
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(path)
    await fails_with(ConnectionRefused, UnixEndpoint(path))


async def test_a_socket_in_a_closed_directory_is_a_permission_error(tmp_path: Path) -> None:
    directory = tmp_path / "closed"
    directory.mkdir(mode=0o700)
    async with fake_daemon(directory / "office.sock") as daemon:
        if os.geteuid():
            directory.chmod(0)
        try:
            with without_root():
                message = await fails_with(EndpointPermissionError, daemon.endpoint)
        finally:
            directory.chmod(0o700)
    assert "directory" in message


async def test_a_full_queue_on_a_unix_socket_means_busy_at_once(tmp_path: Path) -> None:
    path = str(tmp_path / "office.sock")
    with full_listener(socket.AF_UNIX, path):
        opening = asyncio.ensure_future(fails_with(SlotBusy, UnixEndpoint(path)))
        await asyncio.sleep(0)
        assert opening.done()  # in one pass of the event loop
    assert "ss -xp" in await opening
