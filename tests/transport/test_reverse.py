"""Daemons that connect to us: over real sockets, with peers that are no daemons beside them."""

import asyncio
import contextlib
import os
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from exporter import descriptors
from exporter.management.endpoint import ListenEndpoint, ListenUnixEndpoint
from exporter.management.errors import (
    AuthenticationFailed,
    EndpointNotFound,
    EndpointPermissionError,
    EndpointUnreachable,
    ManagementError,
    PasswordFileError,
    ProtocolError,
    ReplyTimeout,
    SessionClosed,
)
from exporter.secret import Secret
from exporter.transport import reverse
from exporter.transport.connection import Connection
from exporter.transport.listening import Access, accept
from exporter.transport.reverse import MAX_LOGGING_IN, MAX_WAITING, ReverseConnector, ReverseOptions
from exporter.transport.stream import Stream
from tests.fake_daemon import (
    GREETING,
    PROMPT,
    TEST_TIMEOUT,
    FakeSession,
    connect_fake_daemon,
    free_port,
)
from tests.transport.sessions import SHORT

NOBODY = 65534
PASSWORD = "s3cret"


async def read_password() -> Secret | None:
    return Secret(PASSWORD)


@contextlib.asynccontextmanager
async def listening(
    endpoint: ListenEndpoint | ListenUnixEndpoint | None = None,
    *,
    deadline: float = TEST_TIMEOUT,
    access: Access | None = None,
) -> AsyncIterator[tuple[ReverseConnector, asyncio.Task[Stream]]]:
    """Listen, and wait for the first daemon."""
    endpoint = endpoint or ListenEndpoint("127.0.0.1", free_port())
    connector = ReverseConnector(
        endpoint, ReverseOptions(deadline, access or Access(), read_password)
    )
    connecting = asyncio.create_task(connector.connect())
    try:
        for _ in range(10_000):
            if connector.is_listening or connecting.done():
                break
            await asyncio.sleep(0.001)
        yield connector, connecting
    finally:
        connecting.cancel()
        await asyncio.gather(connecting, return_exceptions=True)
        await connector.close()


@contextlib.asynccontextmanager
async def peer(connector: ReverseConnector) -> AsyncIterator[FakeSession]:
    endpoint = connector.endpoint
    connecting = (
        connect_fake_daemon(endpoint.host, endpoint.port)
        if isinstance(endpoint, ListenEndpoint)
        else connect_fake_daemon(endpoint.path)
    )
    async with connecting as session:
        yield session


async def is_served(connector: ReverseConnector, stream: Stream, daemon: FakeSession) -> None:
    """Exchange a greeting and `quit`, and close."""
    connection = Connection(stream, timeout=TEST_TIMEOUT)
    await connection.log_in(None)
    assert stream.peer == str(connector.endpoint)
    await connection.close()
    while (line := await daemon.read_line()) not in {b"quit", b""}:
        pass
    assert line == b"quit"


async def fails_with(kind: type[ManagementError], connecting: asyncio.Task[Stream]) -> str:
    with pytest.raises(ManagementError) as caught:
        await connecting
    assert type(caught.value) is kind
    return str(caught.value)


async def rejects_with(
    kind: type[ManagementError], connector: ReverseConnector, connecting: asyncio.Task[Stream]
) -> str:
    """Return the error for a rejected peer; its login may have outlasted the first call."""
    if connecting.done():
        connecting.exception()
        connecting = asyncio.create_task(connector.connect())
    return await fails_with(kind, connecting)


async def is_closed(session: FakeSession) -> bool:
    """Wait until the exporter has closed the connection; return whether it sent nothing before."""
    try:
        return await session.read_line() == b""
    except ConnectionError:
        return True


async def test_a_daemon_that_connects_is_served() -> None:
    async with listening() as (connector, connecting), peer(connector) as daemon:
        daemon.send_lines(GREETING)
        await is_served(connector, await connecting, daemon)


async def test_a_daemon_that_asks_gets_the_password() -> None:
    async with listening() as (connector, connecting), peer(connector) as daemon:
        daemon.send_bytes(PROMPT)
        assert await daemon.read_line() == PASSWORD.encode()
        daemon.send_lines(b"SUCCESS: password is correct", GREETING)
        await is_served(connector, await connecting, daemon)


async def test_bytes_after_the_greeting_are_not_lost() -> None:
    async with listening() as (connector, connecting), peer(connector) as daemon:
        daemon.send_bytes(GREETING[:7])
        await asyncio.sleep(0.01)
        daemon.send_lines(GREETING[7:], b">HOLD:Waiting for hold release:0", b">STATE:1,EXITING")
        stream = await connecting
        messages: list[str] = []
        connection = Connection(stream, timeout=TEST_TIMEOUT)
        connection.subscribe(lambda message: messages.append(message.keyword))
        await connection.log_in(None)
        assert messages == ["INFO", "HOLD", "STATE"]
        await connection.close()


class TestPeersThatAreNoDaemons:
    @pytest.mark.parametrize(
        "first", [b"", b"GET / HTTP/1.1\r\n", PROMPT, PROMPT * 2, b"SUCCESS: "]
    )
    async def test_delay_no_daemon(self, first: bytes) -> None:
        async with listening() as (connector, connecting), contextlib.AsyncExitStack() as stack:
            for _ in range(5):
                stranger = await stack.enter_async_context(peer(connector))
                stranger.send_bytes(first)
            async with peer(connector) as daemon:
                daemon.send_lines(GREETING)
                await is_served(connector, await connecting, daemon)

    @pytest.mark.parametrize(
        ("first", "kind", "text"),
        [
            (b"", ReplyTimeout, "a peer connected, but sent no greeting within 0.3 s"),
            (PROMPT, ReplyTimeout, "no greeting within"),
            (b"\r\n", ReplyTimeout, "no greeting within"),
            (PROMPT * 2, AuthenticationFailed, "does not accept the password"),
            (b"GET / HTTP/1.1\r\n", ProtocolError, "the peer speaks HTTP"),
            (b"\r\n" * 40_000, ProtocolError, "lines before the greeting"),
        ],
    )
    async def test_are_closed_in_time(
        self, first: bytes, kind: type[ManagementError], text: str
    ) -> None:
        async with listening(deadline=SHORT) as (connector, connecting):
            async with peer(connector) as stranger:
                stranger.send_bytes(first)
                with contextlib.suppress(ConnectionError):
                    await stranger.wait_closed()
            assert text in await rejects_with(kind, connector, connecting)

    async def test_that_close_at_once_are_reported(self) -> None:
        async with listening(deadline=SHORT) as (connector, connecting):
            async with peer(connector):
                pass
            assert "closed the connection" in await fails_with(SessionClosed, connecting)

    async def test_that_reset_their_connection_are_reported(self) -> None:
        async with listening(deadline=SHORT) as (connector, connecting):
            async with peer(connector) as stranger:
                stranger.reset()
            message = await fails_with(SessionClosed, connecting)
            assert "closed the connection before its greeting: Connection reset" in message

    async def test_replace_each_other_above_the_limit_and_no_daemon(self) -> None:
        async with listening() as (connector, connecting), contextlib.AsyncExitStack() as stack:
            strangers = [
                await stack.enter_async_context(peer(connector)) for _ in range(MAX_LOGGING_IN + 5)
            ]
            for stranger in strangers[:5]:
                await stranger.wait_closed()
            async with peer(connector) as daemon:
                daemon.send_lines(GREETING)
                await is_served(connector, await connecting, daemon)

    async def test_without_a_readable_password_file_get_none(self) -> None:
        async def fail() -> Secret | None:
            raise PasswordFileError("office.password is empty")

        async with listening(deadline=SHORT) as (connector, connecting):
            connector.reconfigure(ReverseOptions(SHORT, read_password=fail))
            async with peer(connector) as stranger:
                stranger.send_bytes(PROMPT)
                assert await stranger.read_line() == b""
            await fails_with(PasswordFileError, connecting)


async def test_without_a_daemon_the_error_says_how_to_start_one() -> None:
    async with listening(deadline=SHORT) as (connector, connecting):
        endpoint = connector.endpoint
        assert isinstance(endpoint, ListenEndpoint)
        message = await fails_with(EndpointNotFound, connecting)
        assert f"management {endpoint.host} {endpoint.port}" in message


async def test_a_port_on_which_another_program_listens_is_unreachable() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        async with listening(ListenEndpoint(*other.getsockname())) as (_, connecting):
            assert "another port" in await fails_with(EndpointUnreachable, connecting)


async def test_an_address_that_this_machine_does_not_have_is_unreachable() -> None:
    async with listening(ListenEndpoint("192.0.2.1", free_port())) as (_, connecting):
        await fails_with(EndpointUnreachable, connecting)


async def test_a_daemon_that_connects_between_two_calls_is_served() -> None:
    """Such a daemon connects once, at its start, and exits if that fails."""
    async with listening(deadline=SHORT) as (connector, connecting):
        await fails_with(EndpointNotFound, connecting)
        async with peer(connector) as daemon:
            daemon.send_lines(GREETING)
            await is_served(connector, await connector.connect(), daemon)


async def test_daemons_that_connect_are_served_one_after_the_other() -> None:
    async with (
        listening() as (connector, connecting),
        peer(connector) as first,
        peer(connector) as second,
    ):
        first.send_lines(GREETING)
        stream = await connecting
        assert not connector.has_waiting_peer
        second.send_lines(GREETING)
        await is_served(connector, stream, first)
        await is_served(connector, await connector.connect(), second)


async def test_a_cancelled_call_loses_no_daemon() -> None:
    async with listening() as (connector, connecting), peer(connector) as daemon:
        connecting.cancel()
        daemon.send_lines(GREETING)
        await is_served(connector, await connector.connect(), daemon)


async def test_daemons_that_wait_are_limited_and_all_served() -> None:
    count = MAX_WAITING * 2
    async with listening() as (connector, connecting), contextlib.AsyncExitStack() as stack:
        daemons = [await stack.enter_async_context(peer(connector)) for _ in range(count)]
        for daemon in daemons:
            daemon.send_lines(GREETING)
        streams = [await connecting]
        streams += [await connector.connect() for _ in range(count - 1)]
        for stream in streams:
            stream.close()


async def test_closing_the_connector_closes_every_connection() -> None:
    async with (
        listening(deadline=SHORT) as (connector, connecting),
        peer(connector) as silent,
        peer(connector) as waiting,
    ):
        waiting.send_lines(GREETING)
        (await connecting).close()
        async with peer(connector) as next_one:
            next_one.send_lines(GREETING)
            await connector.close()
            assert await is_closed(silent)
            assert await is_closed(next_one)


@pytest.mark.parametrize("passes", range(8))
async def test_closing_the_connector_closes_a_connection_that_comes_then(passes: int) -> None:
    async with listening() as (connector, _):
        assert isinstance(connector.endpoint, ListenEndpoint)
        with socket.create_connection((connector.endpoint.host, connector.endpoint.port)):
            for _ in range(passes):
                await asyncio.sleep(0)
            await connector.close()  # one that is left open is a ResourceWarning, thus an error


async def test_a_closed_connector_does_not_listen() -> None:
    async with listening(deadline=SHORT) as (connector, connecting):
        await fails_with(EndpointNotFound, connecting)
        await connector.close()
        assert not connector.is_listening
        with pytest.raises(ConnectionRefusedError):
            async with peer(connector):
                pass


async def test_a_failure_to_accept_is_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    failures = [OSError(24, "Too many open files")]

    async def failing(listener: socket.socket, check: Callable[[], None]) -> socket.socket:
        if failures:
            raise failures.pop()
        return await accept(listener, check)

    monkeypatch.setattr(reverse, "accept", failing)
    monkeypatch.setattr(reverse, "_ACCEPT_RETRY_DELAY", 0.0)
    async with listening() as (connector, connecting), peer(connector) as daemon:
        daemon.send_lines(GREETING)
        await is_served(connector, await connecting, daemon)


async def test_a_daemon_waits_for_a_descriptor_and_is_not_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reverse, "_ACCEPT_RETRY_DELAY", 0.0)
    async with listening(deadline=SHORT) as (connector, connecting):
        monkeypatch.setattr(descriptors, "daemon_limit", lambda: 0)
        async with peer(connector) as daemon:
            daemon.send_lines(GREETING)
            assert "too many open files" in await fails_with(EndpointUnreachable, connecting)
            monkeypatch.setattr(descriptors, "daemon_limit", lambda: None)
            connector.reconfigure(ReverseOptions(TEST_TIMEOUT))
            await is_served(connector, await connector.connect(), daemon)


class TestAddresses:
    """Another address of loopback stands for another host: `is_loopback` is taken from it."""

    @pytest.fixture(autouse=True)
    def other_host(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("ipaddress.IPv4Address.is_loopback", property(lambda _: False))

    async def test_others_than_loopback_are_refused(self) -> None:
        async with listening(deadline=SHORT) as (connector, connecting):
            async with peer(connector) as stranger:
                stranger.send_bytes(PROMPT)
                assert await is_closed(stranger)
            message = await fails_with(EndpointPermissionError, connecting)
            assert "a peer at 127.0.0.1 was refused; add its network to 'allow_from'" in message

    @pytest.mark.parametrize("network", ["127.0.0.0/8", "127.0.0.1/32"])
    async def test_of_allowed_networks_are_served(self, network: str) -> None:
        access = Access(networks=("192.0.2.0/24", network))
        async with listening(access=access) as (connector, connecting), peer(connector) as daemon:
            daemon.send_lines(GREETING)
            await is_served(connector, await connecting, daemon)

    async def test_a_network_may_be_added_and_removed(self) -> None:
        async with listening(deadline=SHORT) as (connector, connecting):
            await fails_with(EndpointNotFound, connecting)
            allowed = Access(networks=("127.0.0.1/32",))
            connector.reconfigure(ReverseOptions(SHORT, allowed, read_password))
            async with peer(connector) as daemon:
                daemon.send_lines(GREETING)
                await is_served(connector, await connector.connect(), daemon)
            connector.reconfigure(ReverseOptions(SHORT, Access(), read_password))
            async with peer(connector):
                retried = asyncio.create_task(connector.connect())
                await fails_with(EndpointPermissionError, retried)


async def test_an_ipv4_peer_of_a_socket_for_both_families_is_known_by_its_ipv4_address() -> None:
    async with listening(ListenEndpoint("::", free_port())) as (connector, connecting):
        endpoint = connector.endpoint
        assert isinstance(endpoint, ListenEndpoint)
        async with connect_fake_daemon("127.0.0.1", endpoint.port) as daemon:
            daemon.send_lines(GREETING)
            await is_served(connector, await connecting, daemon)


@pytest.fixture
def path() -> Iterator[str]:
    """Return the path of a socket in a directory that everyone can enter."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        yield f"{directory}/office.sock"


def mode(path: str) -> int:
    return stat.S_IMODE(Path(path).stat().st_mode)


def change_mode(path: str, mode: int) -> None:
    Path(path).chmod(mode)


def group(path: str) -> int:
    return Path(path).stat().st_gid


def exists(path: str) -> bool:
    return Path(path).exists()


@pytest.fixture
def file(path: str) -> Path:
    """Return an ordinary file in place of the socket."""
    file = Path(path)
    file.write_text("precious")
    return file


async def ask_as_nobody(path: str, *groups: int) -> str:
    """Send the prompt as another user in these groups; return what comes back, or the error."""
    script = (
        "import os, socket, sys\n"
        f"os.setgroups({list(groups)})\nos.setgid({NOBODY})\nos.setuid({NOBODY})\n"
        "peer = socket.socket(socket.AF_UNIX)\n"
        "try:\n"
        "    peer.connect(sys.argv[1])\n"
        "    peer.sendall(b'ENTER PASSWORD:')\n"
        "    print(peer.recv(100).decode().strip())\n"
        "except OSError as error:\n"
        "    print(error.strerror)\n"
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-c", script, path), stdout=subprocess.PIPE
    )
    output, _ = await process.communicate()
    return output.decode().strip()


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")


class TestUnixSocket:
    async def test_serves_a_daemon_and_vanishes_with_the_connector(self, path: str) -> None:
        async with listening(ListenUnixEndpoint(path)) as (connector, connecting):
            assert mode(path) == 0o600
            async with peer(connector) as daemon:
                daemon.send_bytes(PROMPT)
                assert await daemon.read_line() == PASSWORD.encode()
                daemon.send_lines(b"SUCCESS: password is correct", GREETING)
                await is_served(connector, await connecting, daemon)
        assert not exists(path)

    async def test_is_never_open_to_others_whatever_the_umask(
        self, path: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        modes = []
        monkeypatch.setattr(
            "exporter.transport.listening.set_access", lambda *_: modes.append(mode(path))
        )
        before = os.umask(0)
        try:
            async with listening(ListenUnixEndpoint(path)):
                assert [*modes, mode(path)] == [0o600, 0o600]
        finally:
            os.umask(before)

    async def test_can_belong_to_a_group(self, path: str) -> None:
        async with listening(ListenUnixEndpoint(path), access=Access(group=os.getegid())):
            assert (mode(path), group(path)) == (0o660, os.getegid())

    async def test_without_a_daemon_the_error_says_how_to_start_one(self, path: str) -> None:
        async with listening(ListenUnixEndpoint(path), deadline=SHORT) as (_, connecting):
            message = await fails_with(EndpointNotFound, connecting)
            assert f"'management {path} unix'" in message

    async def test_left_by_a_dead_process_is_replaced(self, path: str) -> None:
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(path)
        endpoint = ListenUnixEndpoint(path)
        async with listening(endpoint) as (connector, connecting), peer(connector) as daemon:
            daemon.send_lines(GREETING)
            await is_served(connector, await connecting, daemon)

    async def test_of_another_program_is_neither_replaced_nor_connected(self, path: str) -> None:
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(path)
            other.listen()
            other.setblocking(False)  # noqa: FBT003 -- the library's own signature
            async with listening(ListenUnixEndpoint(path)) as (_, connecting):
                assert "already listens" in await fails_with(EndpointUnreachable, connecting)
            with pytest.raises(BlockingIOError):
                other.accept()
            assert exists(path)

    async def test_is_not_put_in_place_of_a_file(self, file: Path) -> None:
        async with listening(ListenUnixEndpoint(str(file))) as (_, connecting):
            assert "another file" in await fails_with(EndpointUnreachable, connecting)
        assert await asyncio.to_thread(file.read_text) == "precious"

    async def test_in_a_missing_directory_is_unreachable(self, path: str) -> None:
        async with listening(ListenUnixEndpoint(f"{path}.d/x")) as (_, connecting):
            assert "no such directory" in await fails_with(EndpointUnreachable, connecting)

    @needs_root
    async def test_is_closed_to_other_users(self, path: str) -> None:
        async with listening(ListenUnixEndpoint(path)):
            assert await ask_as_nobody(path) == "Permission denied"

    @needs_root
    async def test_sends_no_password_to_other_users_even_if_its_mode_is_changed(
        self, path: str
    ) -> None:
        async with listening(ListenUnixEndpoint(path), deadline=SHORT) as (connector, connecting):
            change_mode(path, 0o666)
            assert PASSWORD not in await ask_as_nobody(path)
            message = await rejects_with(EndpointPermissionError, connector, connecting)
            assert f"a process of user {NOBODY} was refused" in message

    @needs_root
    async def test_lets_members_of_its_group_in(self, path: str) -> None:
        async with listening(ListenUnixEndpoint(path), access=Access(group=NOBODY)):
            assert await ask_as_nobody(path) == PASSWORD

    @needs_root
    async def test_lets_processes_with_its_supplementary_group_in(self, path: str) -> None:
        async with listening(ListenUnixEndpoint(path), access=Access(group=4242)):
            assert await ask_as_nobody(path, 4241, 4242) == PASSWORD

    @needs_root
    async def test_gets_another_group_at_the_next_call(self, path: str) -> None:
        async with listening(ListenUnixEndpoint(path), deadline=SHORT) as (connector, connecting):
            await fails_with(EndpointNotFound, connecting)
            connector.reconfigure(ReverseOptions(SHORT, Access(group=NOBODY), read_password))
            await fails_with(EndpointNotFound, asyncio.create_task(connector.connect()))
            assert await ask_as_nobody(path) == PASSWORD
