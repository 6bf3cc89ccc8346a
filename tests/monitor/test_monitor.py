"""A monitor over real sockets: daemons that answer, reconnect or hang, and bugs."""

import asyncio
import contextlib
import gc
import weakref
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from exporter.config.schema import DaemonConfig
from exporter.config.target import Target
from exporter.management.batches import Steps
from exporter.management.endpoint import ListenEndpoint, TcpEndpoint, UnixEndpoint
from exporter.management.errors import DownReason
from exporter.management.state import StateName
from exporter.monitor import rate_limit
from exporter.monitor import session as session_module
from exporter.monitor.client import STATUS_1_POLLS
from exporter.monitor.monitor import Monitor
from exporter.monitor.session import MAX_TIMEOUTS
from exporter.state.daemon import DaemonState
from tests.fake_daemon import (
    GREETING,
    PROMPT,
    REPLIES,
    STATUS_3,
    FakeSession,
    connect_fake_daemon,
    fake_daemon,
    free_port,
)
from tests.log_capture import LogCapture
from tests.monitor.harness import (
    SHORT,
    NoJitter,
    make_monitor,
    reply_to_polls,
    running,
    running_monitor,
    write,
)

NOT_IN_THIS_MODE = b"ERROR: The 'status' command is not supported by the current daemon mode"


async def test_a_daemon_that_answers_is_up(log: LogCapture) -> None:
    async with fake_daemon() as daemon, running_monitor(daemon.endpoint) as state:
        session = await daemon.accept_and_greet()
        await session.reply_to_polls(3)
        assert (state.up, state.management_up, state.down_reason) == (True, True, None)
        assert state.management_connects == 1
        assert state.polls >= 2
        assert state.state is not None
        assert state.state.name is StateName.CONNECTED
        assert [session.received_bytes for session in state.clients.sessions.current] == [3005]
    assert log.messages.count("daemon is up") == 1
    assert "daemon is down" not in log.messages


async def test_a_daemon_on_a_unix_socket_is_up(tmp_path: Path, log: LogCapture) -> None:
    async with (
        fake_daemon(tmp_path / "office.sock") as daemon,
        running_monitor(daemon.endpoint) as state,
    ):
        await reply_to_polls(daemon, 2)
        assert state.up


async def test_info_is_fetched_once_a_session() -> None:
    async with fake_daemon() as daemon, running_monitor(daemon.endpoint):
        session = await daemon.accept_and_greet()
        await session.reply_to_polls(4)
        once = {b"version", b"pid", b"verb", b"hold", b"state on", b"state all"}
        assert {line: session.received.count(line) for line in once} == dict.fromkeys(once, 1)


async def test_a_real_time_message_changes_the_state_between_polls() -> None:
    async with fake_daemon() as daemon, running_monitor(daemon.endpoint) as state:
        session = await daemon.accept_and_greet()
        await session.reply_to_polls(1)
        session.send_lines(b">STATE:1795405990,RECONNECTING,ping-restart,,,,,")
        await session.reply_to_polls(2)
        assert state.state is not None
        assert state.state.name is StateName.RECONNECTING


async def test_the_state_is_checked_at_each_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "STATE_INTERVAL", 0.0)
    async with fake_daemon() as daemon, running_monitor(daemon.endpoint):
        session = await daemon.accept_and_greet()
        await session.reply_to_polls(3)
        assert session.received.count(b"state") >= 2
        assert session.received.count(b"state all") == 1


async def test_a_daemon_without_a_status_is_up_without_server_metrics() -> None:
    async with fake_daemon() as daemon, running_monitor(daemon.endpoint) as state:
        session = await daemon.accept_and_greet()
        await session.reply_to_polls(2, replies={**REPLIES, b"status 3": (NOT_IN_THIS_MODE,)})
        await session.reply(until=b"load-stats")
        assert state.up
        assert state.status is None
        assert state.poll_failures.total() == 0


async def test_unparsed_lines_are_counted() -> None:
    async with fake_daemon() as daemon, running_monitor(daemon.endpoint) as state:
        session = await daemon.accept_and_greet()
        await session.reply_to_polls(1)
        session.send_lines(b"SUCCESS: nobody asked")
        await session.reply_to_polls(2)
        assert state.unparsed_lines == 1


def flood(session: FakeSession) -> None:
    session.send_lines(*[b">LOG:1795404614,,x"] * 20)


@pytest.mark.parametrize("polls", [0, 1])
@pytest.mark.parametrize("end", [FakeSession.close, flood])
async def test_an_ended_session_is_freed_without_a_garbage_collection(
    monkeypatch: pytest.MonkeyPatch, log: LogCapture, end: Callable[[FakeSession], None], polls: int
) -> None:
    monkeypatch.setattr(rate_limit, "MAX_LOG_LINES", 10)
    gc.disable()
    try:
        async with fake_daemon() as daemon:
            monitor = make_monitor(daemon.endpoint)
            async with running(monitor):
                session = await daemon.accept_and_greet()
                await session.reply_to_polls(polls)
                await session.read_line()  # a command that has no reply yet
                assert monitor._session is not None
                messages = weakref.ref(monitor._session._messages)
                connection = weakref.ref(monitor._session._connection)
                end(session)
                await reply_to_polls(daemon, 1)
                assert (messages(), connection()) == (None, None)
    finally:
        gc.enable()


async def test_a_daemon_is_up_again_after_a_reconnect(log: LogCapture) -> None:
    async with fake_daemon() as daemon, running_monitor(daemon.endpoint) as state:
        session = await daemon.accept_and_greet()
        await session.reply_to_polls(2)
        session.close()
        await log.wait_for_down()
        session = await daemon.accept_and_greet()
        grown = (b"SUCCESS: nclients=1,bytesin=3105,bytesout=3148",)
        await session.reply_to_polls(2, replies={**REPLIES, b"load-stats": grown})
        assert state.up
        assert state.management_connects == 2
        assert state.traffic.received_bytes == 100
        assert log.messages.count("daemon is up") == 2


async def test_up_and_down_are_logged_once_for_many_attempts(
    log: LogCapture,
) -> None:
    async with fake_daemon() as daemon, running_monitor(daemon.endpoint):
        session = await daemon.accept_and_greet()
        await session.reply_to_polls(2)
        session.close()
        assert await log.wait_for_down() == "closed"
        for _ in range(10):
            session = await daemon.accept()
            session.close()
        assert await log.wait_for_down() == "permission"
        session = await daemon.accept_and_greet()
        await session.reply_to_polls(2)
    assert log.messages.count("daemon is down") == 2
    assert log.messages.count("daemon is up") == 2


async def test_a_session_survives_a_timeout(
    log: LogCapture,
) -> None:
    async with fake_daemon() as daemon, running_monitor(daemon.endpoint, deadline=SHORT) as state:
        session = await daemon.accept_and_greet()
        await session.reply_to_polls(1)
        await log.wait_for_up()
        await session.reply(until=b"load-stats")
        assert await log.wait_for_down() == "timeout"
        assert state.down_reason is DownReason.TIMEOUT
        assert await session.read_line() == b"pid"
        # The daemon hung, and now replies to all commands.
        session.send_lines(*REPLIES[b"load-stats"], *REPLIES[b"pid"])
        await session.reply_to_polls(2)
        assert state.up
        assert state.management_connects == 1
        assert daemon.all_accepted


async def test_a_session_ends_after_several_timeouts(log: LogCapture) -> None:
    async with fake_daemon() as daemon, running_monitor(daemon.endpoint, deadline=SHORT) as state:
        session = await daemon.accept_and_greet()
        await session.reply(until=b"load-stats")
        while (line := await session.read_line()) and line != b"quit":
            assert line == b"pid"
        assert session.received.count(b"pid") == 1 + MAX_TIMEOUTS
        session = await daemon.accept_and_greet()
        await session.reply_to_polls(2)
        assert state.up
        assert state.poll_failures[DownReason.TIMEOUT] == 1 + MAX_TIMEOUTS


async def test_a_reverse_session_survives_any_number_of_timeouts(
    log: LogCapture,
) -> None:
    """It would exit if we left."""
    endpoint = ListenEndpoint("127.0.0.1", free_port())
    async with running_monitor(endpoint, deadline=SHORT) as state:
        assert await log.wait_for_down() == "not_found"  # it listens now
        async with connect_fake_daemon(endpoint.host, endpoint.port) as session:
            session.send_lines(GREETING)
            await session.reply(until=b"load-stats")
            for _ in range(MAX_TIMEOUTS + 2):
                assert await session.read_line() == b"pid"
            session.send_lines(
                *REPLIES[b"load-stats"], *[b"SUCCESS: pid=4711"] * (MAX_TIMEOUTS + 2)
            )
            await session.reply_to_polls(2)
            assert state.up
            assert state.management_connects == 1


@contextlib.asynccontextmanager
async def reverse(log: LogCapture, password: Path) -> AsyncIterator[ListenEndpoint]:
    """Listen for a daemon that asks for a password."""
    endpoint = ListenEndpoint("127.0.0.1", free_port())
    async with running_monitor(endpoint, deadline=SHORT, password_file=password):
        assert await log.wait_for_down() == "not_found"  # it listens now
        yield endpoint


async def test_a_reverse_daemon_is_served_after_peers_that_are_no_daemons(
    tmp_path: Path, log: LogCapture
) -> None:
    async with (
        reverse(log, write(tmp_path, "s3cret")) as endpoint,
        contextlib.AsyncExitStack() as stack,
    ):
        for closes in (True, True, False):
            stranger = await stack.enter_async_context(
                connect_fake_daemon(*endpoint_address(endpoint))
            )
            stranger.send_bytes(PROMPT)
            assert await stranger.read_line() == b"s3cret"
            if closes:
                stranger.close()
        async with connect_fake_daemon(*endpoint_address(endpoint)) as daemon:
            daemon.send_bytes(PROMPT)
            assert await daemon.read_line() == b"s3cret"
            daemon.send_lines(b"SUCCESS: password is correct", GREETING)
            await daemon.reply_to_polls(2)


async def test_a_wrong_password_delays_no_reverse_daemon(tmp_path: Path, log: LogCapture) -> None:
    async with reverse(log, write(tmp_path, "wrong")) as endpoint:
        async with connect_fake_daemon(*endpoint_address(endpoint)) as refusing:
            refusing.send_bytes(PROMPT)
            assert await refusing.read_line() == b"wrong"
            refusing.send_bytes(PROMPT)
            await refusing.wait_closed()
        assert await log.wait_for_down() == "auth"
        write(tmp_path, "right")
        async with connect_fake_daemon(*endpoint_address(endpoint)) as daemon:
            daemon.send_bytes(PROMPT)
            assert await daemon.read_line() == b"right"
            daemon.send_lines(b"SUCCESS: password is correct", GREETING)
            await daemon.reply_to_polls(2)


@pytest.mark.parametrize("polls", [0, 1])
async def test_a_reverse_session_that_does_not_answer_ends_for_a_daemon_that_waits(
    tmp_path: Path, log: LogCapture, polls: int
) -> None:
    async with (
        reverse(log, write(tmp_path, "s3cret")) as endpoint,
        connect_fake_daemon(*endpoint_address(endpoint)) as silent,
    ):
        silent.send_lines(GREETING)
        await silent.reply_to_polls(polls)
        async with connect_fake_daemon(*endpoint_address(endpoint)) as daemon:
            daemon.send_lines(GREETING)
            await daemon.reply_to_polls(2)


async def test_a_reverse_session_that_has_answered_goes_on_after_a_timeout(
    tmp_path: Path, log: LogCapture
) -> None:
    async with (
        reverse(log, write(tmp_path, "s3cret")) as endpoint,
        connect_fake_daemon(*endpoint_address(endpoint)) as daemon,
        connect_fake_daemon(*endpoint_address(endpoint)) as other,
    ):
        for each in (daemon, other):
            each.send_lines(GREETING)
        await daemon.reply_to_polls(1)
        assert await log.wait_for_down() == "timeout"
        await daemon.reply_to_polls(2)


def endpoint_address(endpoint: ListenEndpoint) -> tuple[str, int]:
    return endpoint.host, endpoint.port


async def test_one_hung_daemon_of_fifty_delays_no_other() -> None:
    async with contextlib.AsyncExitStack() as stack:
        daemons = [await stack.enter_async_context(fake_daemon()) for _ in range(50)]
        records = [
            await stack.enter_async_context(running_monitor(daemon.endpoint, deadline=600))
            for daemon in daemons
        ]
        hung = await daemons[0].accept_and_greet()
        await hung.reply(until=b"status 3")
        # Ten polls each, long before the hung one's deadline.
        await asyncio.gather(*(reply_to_polls(daemon, 10) for daemon in daemons[1:]))
        assert all(state.polls >= 9 for state in records[1:])
        assert records[0].polls == 0


async def test_a_status_that_never_ends_is_answered_by_status_1_and_counted(
    log: LogCapture,
) -> None:
    async with fake_daemon() as daemon, running_monitor(daemon.endpoint, deadline=SHORT) as state:
        session = await daemon.accept_and_greet()
        await session.reply(until=b"status 3")
        session.send_lines(*STATUS_3[:4])
        await session.reply(until=b"load-stats")  # the next poll, this one being complete
        assert state.up
        assert state.status_fallbacks == 1
        assert state.poll_failures.total() == 0
        assert [session.received_bytes for session in state.clients.sessions.current] == [3005]
        session.send_lines(*REPLIES[b"load-stats"])
        await session.reply(until=b"status 3")  # tried again later
        assert session.received.count(b"status 1") == 1 + STATUS_1_POLLS
        assert state.status_fallbacks == 1 + STATUS_1_POLLS
        warnings = [line for line in log.lines if "status 3 does not end" in line]
        assert len(warnings) == 1
        session.send_lines(*STATUS_3)
        await session.reply_to_polls(1)
        assert state.status_fallbacks == 1 + STATUS_1_POLLS


async def test_a_bug_in_a_poll_ends_no_task(
    monkeypatch: pytest.MonkeyPatch, log: LogCapture
) -> None:
    bugs = iter([ZeroDivisionError("a bug"), KeyError("another")])
    on_poll = DaemonState.on_poll

    def stumble(state: DaemonState, *args: object, **kwargs: object) -> Steps[None]:
        for bug in bugs:
            raise bug
        return on_poll(state, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(DaemonState, "on_poll", stumble)
    async with fake_daemon() as daemon, running_monitor(daemon.endpoint) as state:
        for _ in range(2):
            session = await daemon.accept_and_greet()
            await session.reply_to_polls(1)
            await log.wait_for("unhandled exception in monitor")
            await session.wait_closed()
            assert state.down_reason is DownReason.PROTOCOL
        await reply_to_polls(daemon, 2)
        assert state.up
    assert log.messages.count("unhandled exception in monitor") == 2
    assert any("ZeroDivisionError" in line for line in log.lines)


async def test_a_bug_in_a_notification_ends_no_task(
    monkeypatch: pytest.MonkeyPatch, log: LogCapture
) -> None:
    def stumble(*_: object) -> None:
        raise ZeroDivisionError

    async with fake_daemon() as daemon, running_monitor(daemon.endpoint) as state:
        session = await daemon.accept_and_greet()
        await session.reply_to_polls(1)
        with monkeypatch.context() as patch:
            patch.setattr(DaemonState, "on_notification", stumble)
            session.send_lines(b">LOG:1795405990,,a line")
            assert await log.wait_for_down() == "protocol"
        await reply_to_polls(daemon, 2)
        assert state.up
    assert log.messages.count("unhandled exception in monitor") == 1


async def test_a_monitor_runs_until_it_is_cancelled() -> None:
    async with (
        running(make_monitor(TcpEndpoint("127.0.0.1", free_port()))) as task,
        fake_daemon() as other,
        running_monitor(other.endpoint),
    ):
        await reply_to_polls(other, 5)
        assert not task.done()


class RecordedJitter(NoJitter):
    """Records the longest delays that it was asked for, and never waits."""

    def __init__(self) -> None:
        super().__init__()
        self.bounds: list[float] = []

    def uniform(self, a: float, b: float) -> float:
        """Return the lower end."""
        self.bounds.append(b)
        return super().uniform(a, b)


@pytest.mark.parametrize(
    ("stable_time", "bounds"), [(60.0, [1.0, 2.0, 4.0]), (0.0, [1.0, 1.0, 1.0])]
)
async def test_a_daemon_that_closes_after_each_poll_is_asked_less_and_less(
    stable_time: float, bounds: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exporter.monitor.backoff.STABLE_TIME", stable_time)
    chance = RecordedJitter()
    async with fake_daemon() as daemon:
        target = Target(DaemonConfig(name="office", management=daemon.endpoint), poll_interval=15)
        async with running(Monitor(target, rng=chance)):
            for _ in range(4):
                session = await daemon.accept_and_greet()
                await session.reply_to_polls(1)
                session.close()
    assert chance.bounds[:3] == bounds


async def test_a_process_that_starts_under_a_running_exporter_counts_from_its_beginning(
    tmp_path: Path, log: LogCapture
) -> None:
    path = tmp_path / "office.sock"
    async with running_monitor(UnixEndpoint(str(path))) as state:
        await log.wait_for_down()
        await asyncio.sleep(1.5)  # the times of a daemon are whole seconds
        async with fake_daemon(path) as daemon:
            session = await daemon.accept_and_greet()
            started = (b"1795405983,CONNECTING,,,,,,", b"END")  # in the second of the status
            await session.reply_to_polls(2, replies={**REPLIES, b"state all": started})
            assert state.traffic.received_bytes == 3005
