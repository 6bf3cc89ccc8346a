"""The pool of monitors over real sockets: which are kept, started and stopped."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec import structs

from exporter.config.schema import ClientsConfig, DaemonConfig, EventsConfig, Identity, SlotPolicy
from exporter.config.target import Target
from exporter.management.endpoint import Endpoint, ListenEndpoint, parse_endpoint
from exporter.management.errors import DownReason
from exporter.monitor import pool as pool_module
from exporter.monitor.monitor import FORGET_INTERVAL, STUCK_REPLIES, Monitor
from exporter.monitor.pool import MonitorPool
from exporter.state.daemon import DaemonState
from tests.fake_daemon import (
    GREETING,
    PROMPT,
    TEST_TIMEOUT,
    FakeDaemon,
    connect_fake_daemon,
    fake_daemon,
    free_port,
)
from tests.log_capture import LogCapture
from tests.monitor.harness import SHORT, NoJitter, accept_login, write

UNREACHABLE = parse_endpoint("127.0.0.1:1")


def make_target(
    endpoint: Endpoint,
    name: str = "office",
    *,
    interval: float = 0.05,
    timeout: float = TEST_TIMEOUT,
) -> Target:
    daemon = DaemonConfig(name=name, management=endpoint, timeout=timeout)
    return Target(daemon, ClientsConfig(), EventsConfig(), interval)


def make_monitor(target: Target, stagger: float) -> Monitor:
    return Monitor(target, rng=NoJitter())


@contextlib.asynccontextmanager
async def running(*targets: Target) -> AsyncIterator[MonitorPool]:
    pool = MonitorPool(make_monitor)
    await pool.apply(targets)
    try:
        yield pool
    finally:
        await pool.close()


def names(pool: MonitorPool) -> list[str]:
    return [state.name for state in pool.daemons]


class FileTask:
    """A task that never ends by itself; it records the runs that are active."""

    def __init__(self) -> None:
        self.running: list[int] = []
        self.started = 0

    async def run(self, _: DaemonState) -> None:
        number = self.started = self.started + 1
        self.running.append(number)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.running.remove(number)


async def test_file_tasks_restart_with_other_settings_and_end_with_the_daemon() -> None:
    file_task = FileTask()
    pool = MonitorPool(make_monitor, lambda daemon, _: [file_task.run(daemon)])
    office = make_target(UNREACHABLE)
    await pool.apply([office])
    await asyncio.sleep(0)
    assert file_task.running == [1]
    await pool.apply([office])
    assert file_task.running == [1]
    await pool.apply([structs.replace(office, poll_interval=9.0)])
    await asyncio.sleep(0)
    assert file_task.running == [2]
    await pool.apply([])
    assert file_task.running == []
    await pool.close()


async def test_a_failed_file_task_fails_readiness() -> None:
    async def fails() -> None:
        raise RuntimeError("a bug")

    pool = MonitorPool(make_monitor, lambda *_: [fails()])
    await pool.apply([make_target(UNREACHABLE)])
    await asyncio.sleep(0)
    assert "monitor task stopped" in (pool.readiness_error() or "")
    await pool.close()


async def test_a_removed_daemon_does_not_fail_readiness(monkeypatch: pytest.MonkeyPatch) -> None:
    leaving, left = asyncio.Event(), asyncio.Event()

    async def lingers() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            leaving.set()
            await left.wait()

    monkeypatch.setattr(pool_module, "READY_GRACE", 0)
    pool = MonitorPool(make_monitor, lambda *_: [lingers()])
    await pool.apply([make_target(UNREACHABLE)])
    await asyncio.sleep(0)
    reload = asyncio.create_task(pool.apply([]))
    await leaving.wait()
    (monitoring, _) = pool._entries["office"].tasks
    await asyncio.wait([monitoring])
    assert pool.readiness_error() is None
    left.set()
    await reload


async def test_an_unchanged_daemon_keeps_session_and_state() -> None:
    async with fake_daemon() as daemon, running(make_target(daemon.endpoint)) as office:
        session = await daemon.accept_and_greet()
        await session.reply_to_polls(2)
        (before,) = office.daemons
        changes = await office.apply(
            [make_target(daemon.endpoint), make_target(UNREACHABLE, "branch")]
        )
        await session.reply_to_polls(2)
        assert changes.unchanged == ("office",)
        assert office.daemons[0] is before
        assert before.management_connects == 1
        assert daemon.all_accepted


async def test_the_order_is_that_of_the_configuration() -> None:
    first, second = make_target(UNREACHABLE, "a"), make_target(UNREACHABLE, "b")
    async with running(first, second) as both:
        await both.apply([second, make_target(UNREACHABLE, "c"), first])
        assert names(both) == ["b", "c", "a"]


async def test_a_removed_daemon_is_sent_quit() -> None:
    async with (
        fake_daemon() as daemon,
        running(make_target(daemon.endpoint), make_target(UNREACHABLE, "branch")) as both,
    ):
        session = await daemon.accept_and_greet()
        await session.reply_to_polls()
        await both.apply([make_target(UNREACHABLE, "branch")])
        await session.wait_closed()
        assert session.received[-1] == b"quit"
        assert names(both) == ["branch"]
        assert both.monitor("office") is None


async def test_a_new_address_restarts_counters() -> None:
    async with (
        fake_daemon() as old,
        fake_daemon() as new,
        running(make_target(old.endpoint)) as office,
    ):
        session = await old.accept_and_greet()
        await session.reply_to_polls()
        changes = await office.apply([make_target(new.endpoint)])
        await session.wait_closed()
        await (await new.accept_and_greet()).reply_to_polls()
        assert changes.restarted == ("office",)
        assert office.daemons[0].management_connects == 1


async def test_another_name_may_have_the_address_at_once(log: LogCapture) -> None:
    here = ListenEndpoint("127.0.0.1", free_port())
    async with running(make_target(here, timeout=SHORT)) as pool:
        await log.wait_for_down()  # it listens now
        await pool.apply([make_target(here, "renamed", timeout=SHORT)])
        assert await log.wait_for_down() == "not_found"
        async with connect_fake_daemon(here.host, here.port) as session:
            session.send_lines(GREETING)
            await session.reply_to_polls(2)
            assert names(pool) == ["renamed"]
            assert pool.daemons[0].up


async def test_a_reverse_session_survives_other_settings(log: LogCapture) -> None:
    here = ListenEndpoint("127.0.0.1", free_port())
    async with running(make_target(here, timeout=SHORT)) as pool:
        await log.wait_for_down()  # it listens now
        async with connect_fake_daemon(here.host, here.port) as session:
            session.send_lines(GREETING)
            await session.reply_to_polls()
            await pool.apply([make_target(here, timeout=TEST_TIMEOUT)])
            await session.reply_to_polls(2)
            assert pool.daemons[0].management_connects == 1


class TestReconfigure:
    async def test_bound_the_next_reply(self, log: LogCapture) -> None:
        async with fake_daemon() as daemon, running(make_target(daemon.endpoint)) as office:
            session = await daemon.accept_and_greet()
            await session.reply_to_polls()
            await office.apply([make_target(daemon.endpoint, timeout=SHORT)])
            await session.reply_to_polls()
            assert await log.wait_for_down() == "timeout"

    async def test_hold_from_the_next_poll_which_comes_at_once(self, log: LogCapture) -> None:
        async with fake_daemon() as daemon:
            slow, quick = (
                make_target(daemon.endpoint, interval=seconds) for seconds in (3600.0, 0.05)
            )
            async with running(slow) as office:
                session = await daemon.accept_and_greet()
                await session.reply_to_polls()
                await log.wait_for_up()
                for _ in range(10):  # it rests now
                    await asyncio.sleep(0)
                await office.apply([quick])
                await session.reply_to_polls(3)
                assert daemon.all_accepted

    async def test_turn_reading_the_log_off_and_on(self) -> None:
        async with fake_daemon() as daemon:
            loud = make_target(daemon.endpoint)
            quiet = structs.replace(loud, events=EventsConfig(log=False))
            async with running(loud) as office:
                session = await daemon.accept_and_greet()
                await session.reply_to_polls()
                assert b"log on" in session.received
                await office.apply([quiet])
                await session.reply_to_polls(2)
                assert b"log off" in session.received
                session.received.clear()
                await office.apply([loud])
                await session.reply_to_polls(2)
                assert b"log on" in session.received
                assert daemon.all_accepted

    async def test_can_release_the_slot(self) -> None:
        async with fake_daemon() as daemon:
            holds = make_target(daemon.endpoint)
            releases = structs.replace(
                holds, daemon=structs.replace(holds.daemon, slot=SlotPolicy.RELEASE)
            )
            async with running(holds) as office:
                session = await daemon.accept_and_greet()
                await session.reply_to_polls()
                await office.apply([releases])
                await session.reply(until=b"quit")
                await session.wait_closed()

    async def test_of_identities_begin_new_counters(self) -> None:
        before = make_target(UNREACHABLE)
        after = structs.replace(before, clients=ClientsConfig(identity=Identity.USERNAME))
        async with running(before) as office:
            changes = await office.apply([after])
        assert changes.restarted == ("office",)


async def refused(daemon: FakeDaemon, log: LogCapture) -> None:
    """Refuse the password of the next session, and wait until the monitor waits."""
    session = await daemon.accept()
    session.send_bytes(PROMPT)
    assert await session.read_line() == b"wrong"
    session.send_bytes(PROMPT)
    await session.wait_closed()
    assert await log.wait_for_down() == "auth"
    await asyncio.sleep(0)  # it waits now


def with_password(target: Target, path: Path | None) -> Target:
    return structs.replace(target, daemon=structs.replace(target.daemon, password_file=path))


async def test_a_changed_password_is_tried_at_a_reload(tmp_path: Path, log: LogCapture) -> None:
    async with fake_daemon() as daemon:
        guarded = with_password(make_target(daemon.endpoint), write(tmp_path, "wrong"))
        async with running(guarded) as office:
            await refused(daemon, log)
            write(tmp_path, "right")
            await office.apply([guarded])
            await (await accept_login(daemon)).reply_to_polls()


async def test_a_refused_password_is_not_repeated_however_often_the_file_is_reloaded(
    tmp_path: Path, log: LogCapture
) -> None:
    async with fake_daemon() as daemon, fake_daemon() as other:
        guarded = with_password(make_target(daemon.endpoint), write(tmp_path, "wrong"))
        async with running(guarded) as office:
            await refused(daemon, log)
            changed = structs.replace(guarded, poll_interval=guarded.poll_interval + 1)
            async with running(make_target(other.endpoint)):
                # In the time of many sessions with another daemon, there is none with this one.
                for number in range(50):
                    await office.apply([(guarded, changed)[number % 2]])
                    (await other.accept()).close()
            assert daemon.all_accepted
            (tmp_path / "new").mkdir()
            await office.apply([with_password(guarded, write(tmp_path / "new", "right"))])
            await (await accept_login(daemon)).reply_to_polls()


class TestReadiness:
    async def test_waits_for_the_first_poll_of_each_daemon(self) -> None:
        async with fake_daemon() as daemon, running(make_target(daemon.endpoint)) as office:
            session = await daemon.accept_and_greet()
            readiness_error = office.readiness_error()
            assert readiness_error is not None
            assert "office" in readiness_error
            await session.reply_to_polls(2)
            assert office.readiness_error() is None

    async def test_waits_no_longer_than_the_grace_period(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pool_module, "READY_GRACE", 0.0)
        async with fake_daemon() as daemon, running(make_target(daemon.endpoint)) as office:
            await daemon.accept()
            assert office.readiness_error() is None

    async def test_does_not_depend_on_daemons_being_up(self, log: LogCapture) -> None:
        async with running(make_target(UNREACHABLE)) as office:
            await log.wait_for_down()
            assert office.daemons[0].down_reason is DownReason.REFUSED
            assert office.readiness_error() is None

    async def test_ends_with_a_monitor_that_crashed(
        self, monkeypatch: pytest.MonkeyPatch, log: LogCapture
    ) -> None:
        async def crash(_: Monitor) -> None:
            raise RuntimeError("crashed")

        monkeypatch.setattr(Monitor, "run", crash)
        async with running(make_target(UNREACHABLE)) as office:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            readiness_error = office.readiness_error()
        assert readiness_error is not None
        assert readiness_error.endswith("office")
        assert "monitor task crashed" in log.messages

    async def test_ends_with_a_stuck_monitor(self) -> None:
        async with (
            fake_daemon() as daemon,
            running(make_target(daemon.endpoint, interval=5.0)) as office,
        ):
            await (await daemon.accept_and_greet()).reply_to_polls()
            monitor = office.monitor("office")
            assert monitor is not None
            now = asyncio.get_running_loop().time()
            longest = 3 * 5.0 + STUCK_REPLIES * TEST_TIMEOUT + FORGET_INTERVAL
            assert not monitor.is_stuck(now + longest - 5)
            assert monitor.is_stuck(now + longest + 5)


async def test_a_pool_that_is_closed_while_it_starts_monitors_starts_no_more() -> None:
    started = asyncio.Event()

    def no_files(*_: object) -> tuple[()]:
        started.set()
        return ()

    pool = MonitorPool(make_monitor, no_files)
    many = [make_target(UNREACHABLE, str(number)) for number in range(200)]
    applying = asyncio.create_task(pool.apply(many))
    await started.wait()
    assert len(pool.daemons) < len(many)
    await pool.close()
    await applying
    assert pool.daemons == []
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("monitor ")]


async def test_a_task_is_stopped_although_a_timeout_expires_at_the_same_time() -> None:
    pool = MonitorPool(make_monitor, lambda *_: [ignores_a_timeout()])
    ended = asyncio.Event()

    async def ignores_a_timeout() -> None:
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0):
                    asyncio.get_running_loop().call_soon(pool.stop)  # after the timeout's cancel
                    await asyncio.Event().wait()
            await asyncio.Event().wait()
        finally:
            ended.set()

    await pool.apply([make_target(UNREACHABLE)])
    async with asyncio.timeout(TEST_TIMEOUT / 4):
        await ended.wait()
    await pool.close()
