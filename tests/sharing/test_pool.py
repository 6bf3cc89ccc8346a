"""Shares that a reload adds, changes and removes, and addresses that can't be used."""

import asyncio
import contextlib
import errno
import socket
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest

from exporter.aio import run_in_daemon_thread
from exporter.config.schema import DaemonConfig
from exporter.config.share import ShareConfig, SharedEvent
from exporter.config.socket_types import FilePermissions
from exporter.config.target import Target
from exporter.management.commands import Command
from exporter.management.endpoint import TcpEndpoint, UnixEndpoint
from exporter.monitor.monitor import Monitor
from exporter.monitor.pool import MonitorPool
from exporter.monitor.shared_session import SharedFacts
from exporter.sharing import opening
from exporter.sharing.pool import SharePool
from exporter.sharing.share import Share
from exporter.state.daemon import DaemonState
from exporter.transport import listening
from exporter.transport.listening import close_unix, listen_unix
from tests.fake_daemon import TEST_TIMEOUT, FakeDaemon, fake_daemon, free_port
from tests.log_capture import LogCapture
from tests.monitor.harness import NoJitter
from tests.sharing.harness import (
    GREETING,
    INTERVAL,
    connected,
    monitor_of,
    share_config,
    until_listening,
)

PID = b"SUCCESS: pid=4711\r\n"


class Application:
    """The monitors and the shares of some daemons, as the composition root connects them."""

    def __init__(self) -> None:
        self.polled = asyncio.Event()
        self.monitors = MonitorPool(
            lambda target, _: Monitor(target, on_updated=self._on_updated, rng=NoJitter())
        )
        self.shares = SharePool()

    async def _on_updated(self, _: DaemonState) -> None:
        self.polled.set()

    async def apply(self, *daemons: DaemonConfig) -> None:
        """Apply a configuration, and wait until each share listens."""
        await self.monitors.apply([Target(each, poll_interval=INTERVAL) for each in daemons])
        await self.shares.apply(self.monitors.monitors)
        for share in self.shares._shares.values():
            await until_listening(share)

    async def poll(self, daemon: FakeDaemon) -> None:
        """Let a daemon answer the first poll."""
        self.polled.clear()
        session = await daemon.accept_and_greet()
        await session.reply_to_polls()
        async with asyncio.timeout(TEST_TIMEOUT):
            await self.polled.wait()


@contextlib.asynccontextmanager
async def application() -> AsyncIterator[Application]:
    app = Application()
    try:
        yield app
    finally:
        await app.shares.close()
        await app.monitors.close()


def office(
    daemon: FakeDaemon, *addresses: UnixEndpoint | TcpEndpoint, name: str = "office"
) -> DaemonConfig:
    share = share_config(*addresses) if addresses else None
    return DaemonConfig(name=name, management=daemon.endpoint, share=share)


async def test_a_reload_adds_changes_and_removes_without_dropping_other_tools(
    tmp_path: Path,
) -> None:
    a, b, c = (UnixEndpoint(str(tmp_path / name)) for name in "abc")
    async with fake_daemon() as daemon, application() as app:
        await app.apply(office(daemon, a))
        await app.poll(daemon)
        async with connected(a) as staying:
            await staying.read(GREETING)
            await app.apply(office(daemon, a, b), office(daemon, c, name="remote"))
            async with connected(b) as another:
                await another.read(GREETING)
                await app.apply(office(daemon, a))
                assert not (tmp_path / "b").exists()
                assert not (tmp_path / "c").exists()
                assert await another.ask(b"pid") == PID  # connected to the same daemon
            assert await staying.ask(b"pid") == PID
            await app.apply(office(daemon))
            assert await staying.rest() == b""
        assert not (tmp_path / "a").exists()


async def test_settings_apply_to_tools_that_are_connected(tmp_path: Path) -> None:
    path = tmp_path / "a"
    address = UnixEndpoint(str(path))
    async with fake_daemon() as daemon, application() as app:
        config = office(daemon, address)
        await app.apply(config)
        (monitor,) = app.monitors.monitors
        assert await monitor.shared.fetch(Command.LOG_ALL) is None  # kept from the first poll on
        await app.poll(daemon)
        async with connected(address) as tool:
            await tool.read(GREETING)
            assert (await tool.ask(b"log all")).startswith(b"ERROR: log lines are not shared")
            assert config.share is not None
            wider = msgspec.structs.replace(
                config.share, events=(SharedEvent.LOG,), mode=FilePermissions(0o666)
            )
            await app.apply(msgspec.structs.replace(config, share=wider))
            assert await tool.ask(b"log all") == b"END\r\n"
            assert (await tool.ask(b"log on")).startswith(b"SUCCESS:")
            narrower = msgspec.structs.replace(wider, events=())
            await app.apply(msgspec.structs.replace(config, share=narrower))
            assert (await tool.ask(b"log on")).startswith(b"ERROR: log lines are not shared")
        assert path.stat().st_mode & 0o777 == 0o666


async def test_a_daemon_at_another_address_has_other_tools(tmp_path: Path) -> None:
    address = UnixEndpoint(str(tmp_path / "a"))
    async with fake_daemon() as daemon, fake_daemon() as other, application() as app:
        await app.apply(office(daemon, address))
        await app.poll(daemon)
        async with connected(address) as tool:
            await tool.read(GREETING)
            await app.apply(office(other, address))
            assert await tool.rest() == b""
        await app.poll(other)
        async with connected(address) as tool:
            await tool.read(GREETING)


@contextlib.asynccontextmanager
async def share_pool() -> AsyncIterator[SharePool]:
    pool = SharePool()
    try:
        yield pool
    finally:
        await pool.close()


@contextlib.asynccontextmanager
async def share_of(config: ShareConfig) -> AsyncIterator[Share]:
    async with fake_daemon() as daemon, share_pool() as pool:
        monitor = monitor_of(daemon.endpoint, config, asyncio.Event())
        await pool.apply([monitor])
        yield pool._shares[monitor.target.name]


async def test_a_port_in_use_is_tried_again(
    log: LogCapture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "RETRY_DELAY", 0.01)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = TcpEndpoint(*taken.getsockname())
        async with share_of(share_config(address)) as share:
            await log.wait_for("cannot share the daemon")
            assert "another program already listens" in str(share._daemon.sharing.problems)
            taken.close()
            await until_listening(share)
            assert share._daemon.sharing.problems == {}
    assert log.messages.count("cannot share the daemon") == 1


async def test_a_socket_without_a_listener_is_replaced(tmp_path: Path) -> None:
    path = str(tmp_path / "a")
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(path)
    async with share_of(share_config(UnixEndpoint(path))) as share:
        await until_listening(share)


async def test_a_socket_in_use_is_left_alone(tmp_path: Path, log: LogCapture) -> None:
    path = tmp_path / "a"
    with socket.socket(socket.AF_UNIX) as used:
        used.bind(str(path))
        used.listen()
        async with share_of(share_config(UnixEndpoint(str(path)))):
            await log.wait_for("cannot share the daemon")
        assert path.exists()


async def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path, log: LogCapture) -> None:
    path = tmp_path / "a"
    path.write_text("mine")
    async with share_of(share_config(UnixEndpoint(str(path)))):
        await log.wait_for("cannot share the daemon")
    assert path.read_text() == "mine"


async def test_without_a_session_a_tool_is_disconnected_before_the_greeting(
    tmp_path: Path,
) -> None:
    addresses = UnixEndpoint(str(tmp_path / "a")), TcpEndpoint("127.0.0.1", free_port())
    async with share_of(share_config(*addresses)) as share:
        await until_listening(share)
        for address in addresses:
            async with connected(address) as tool:
                assert await tool.rest() == b""


async def test_an_address_removed_while_it_is_opened_leaves_no_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = UnixEndpoint(str(tmp_path / "a"))
    called, released, closed = threading.Event(), threading.Event(), threading.Event()

    def slow_listen_unix(endpoint: UnixEndpoint, group: None, mode: int) -> socket.socket:
        called.set()
        assert released.wait(TEST_TIMEOUT)
        return listen_unix(endpoint, group, mode)

    def recorded_close_unix(listener: socket.socket) -> None:
        close_unix(listener)
        closed.set()

    monkeypatch.setattr(listening, "listen_unix", slow_listen_unix)
    monkeypatch.setattr(listening, "close_unix", recorded_close_unix)
    async with share_of(share_config(address)) as share:
        assert await asyncio.to_thread(called.wait, TEST_TIMEOUT)
        await share.release([address])
        released.set()
        assert await asyncio.to_thread(closed.wait, TEST_TIMEOUT)
    assert not (tmp_path / "a").exists()


async def test_an_address_removed_before_it_fails_has_no_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called, released = threading.Event(), threading.Event()

    def fail_slowly(*_: object) -> socket.socket:
        called.set()
        assert released.wait(TEST_TIMEOUT)
        raise FileNotFoundError(errno.ENOENT, "No such file or directory")

    monkeypatch.setattr(listening, "listen_unix", fail_slowly)
    address = UnixEndpoint(str(tmp_path / "a"))
    config = share_config(address)
    async with fake_daemon() as daemon, share_pool() as pool:
        monitor = monitor_of(daemon.endpoint, config, asyncio.Event())
        await pool.apply([monitor])
        (opened,) = pool._opening
        assert await asyncio.to_thread(called.wait, TEST_TIMEOUT)
        await pool._shares[monitor.target.name].release([address])
        released.set()
        async with asyncio.timeout(TEST_TIMEOUT):
            await opened
        assert monitor.daemon.sharing.problems == {}


async def test_a_reload_ends_when_the_exporter_stops(tmp_path: Path) -> None:
    addresses = [UnixEndpoint(str(tmp_path / name)) for name in "ab"]
    async with fake_daemon() as daemon, share_pool() as pool:
        monitors = [
            Monitor(Target(office(daemon, address, name=address.path), poll_interval=INTERVAL))
            for address in addresses
        ]
        await pool.apply(monitors)
        for share in pool._shares.values():
            await until_listening(share)
        reload = asyncio.create_task(pool.apply([]))
        await asyncio.sleep(0)
        await pool.close()
        await reload
        assert not [name for name in "ab" if (tmp_path / name).exists()]


async def test_a_reload_closes_shares_while_no_thread_can_be_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async with share_of(share_config(UnixEndpoint(str(tmp_path / "a")))) as share:
        await until_listening(share)
        (listener,) = share._sockets.values()
        assert listener is not None
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", fail)
            await share.close()
        assert listener.fileno() == -1


async def test_a_directory_that_hangs_delays_only_its_own_sockets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging, released = tmp_path / "hanging", threading.Event()
    hanging.mkdir()

    def listen_unless_hanging(endpoint: UnixEndpoint, group: None, mode: int) -> socket.socket:
        if Path(endpoint.path).parent == hanging:
            assert released.wait(TEST_TIMEOUT)
        return listen_unix(endpoint, group, mode)

    monkeypatch.setattr(listening, "listen_unix", listen_unless_hanging)
    addresses = [UnixEndpoint(str(path / "a")) for path in (hanging, tmp_path)]
    async with share_of(share_config(*addresses)) as share:
        async with asyncio.timeout(TEST_TIMEOUT):
            while share.lacks(addresses[1]):  # noqa: ASYNC110 -- no event is set
                await asyncio.sleep(0)
        assert share.lacks(addresses[0])
        released.set()
        await until_listening(share)


async def test_many_sockets_are_opened_by_few_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread for each would hold the event loop at the start of a thousand shares."""
    batches: list[int] = []

    async def counted(
        work: Callable[[], list[socket.socket | OSError]], *, undo: Callable[[object], None]
    ) -> list[socket.socket | OSError]:
        opened = await run_in_daemon_thread(work, undo=undo)
        batches.append(len(opened))
        return opened

    monkeypatch.setattr(opening, "run_in_daemon_thread", counted)
    addresses = [UnixEndpoint(str(tmp_path / str(number))) for number in range(30)]
    async with share_of(share_config(*addresses)) as share:
        await until_listening(share)
    assert batches == [20, 10]


async def test_a_tool_is_disconnected_that_had_connected_just_before_the_end() -> None:
    address = TcpEndpoint("127.0.0.1", free_port())
    async with share_of(share_config(address)) as share, contextlib.AsyncExitStack() as tools:
        await until_listening(share)
        share.shared.open(SharedFacts(5), lambda: None)
        (listener,) = share._sockets.values()
        assert listener is not None
        asyncio.get_running_loop().remove_reader(listener)
        tool = await tools.enter_async_context(connected(address))
        share._accept_tool(listener)
        await share.close()  # before the task of the tool has started
        assert await tool.rest() == b""
