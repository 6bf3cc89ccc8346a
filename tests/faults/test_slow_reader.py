"""An exporter that does not read for a while, and a daemon that sends megabytes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from exporter.config.schema import DaemonConfig
from exporter.config.target import Target
from exporter.management.errors import DownReason
from exporter.management.replies import Poll
from exporter.monitor.rate_limit import MAX_LOG_BYTES
from exporter.monitor.session import ManagementSession
from exporter.simulator import SimulatedDaemon
from exporter.state.daemon import DaemonState
from exporter.transport.connector import Connector, connector_for
from exporter.transport.stream import Stream
from tests.fake_daemon import TEST_TIMEOUT
from tests.faults.differential import endpoint, serve_busy_daemon
from tests.faults.expected_totals import ExpectedTotals
from tests.faults.monitored import INTERVAL, REPLY_TIMEOUT
from tests.simulator.manual_clock import ManualClock

LINE = "x" * 4000
LINES = MAX_LOG_BYTES // len(LINE) * 3 // 4
"""As many as arrive at once without being a flood."""

Polls = asyncio.Queue[Poll | None]


async def test_exporter_reads_every_line_after_a_pause() -> None:
    clock = ManualClock()
    async with (
        serve_busy_daemon(1, clock) as simulated,
        run_session(simulated, clock) as (state, polls, transport),
    ):
        await wait_answered(polls)
        counted, expected = state.events.log_messages["error"], ExpectedTotals(simulated)
        expected.sample()
        transport.pause_reading()
        for _ in range(LINES):
            simulated.daemon.log(1, "N", LINE)
        clock.advance(60)
        simulated.tick()
        await wait_timed_out(polls)
        assert (state.up, state.down_reason) == (False, DownReason.TIMEOUT)
        assert state.events.log_messages["error"] == counted
        transport.resume_reading()
        await wait_answered(polls)
        expected.sample()
        assert state.up
        assert state.management_connects == 1
        assert state.events.log_messages["error"] >= counted + LINES
        assert state.unparsed_lines == 0
        for name, totals in expected.totals.items():
            account = state.clients.totals[name]
            assert account.received_bytes >= totals[0]
            assert account.sent_bytes >= totals[1]


class ObservedConnector:
    """A connector that publishes the stream it opens."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector
        self.connected: asyncio.Future[Stream] = asyncio.get_running_loop().create_future()

    async def connect(self) -> Stream:
        stream = await self._connector.connect()
        self.connected.set_result(stream)
        return stream

    async def close(self) -> None:
        await self._connector.close()


@contextlib.asynccontextmanager
async def run_session(
    simulated: SimulatedDaemon, clock: ManualClock
) -> AsyncIterator[tuple[DaemonState, Polls, asyncio.Transport]]:
    """Run a session as a monitor does; yield the transport, too, which the monitor hides."""
    daemon = DaemonConfig(name="office", management=endpoint(simulated), timeout=REPLY_TIMEOUT)
    state, polls = DaemonState(Target(daemon, poll_interval=INTERVAL)), Polls()
    connector = ObservedConnector(connector_for(daemon.management, timeout=TEST_TIMEOUT))
    session = ManagementSession(state, connector, clock=clock, on_polled=polls.put)
    task = asyncio.create_task(session.run(asyncio.get_running_loop().time()))
    try:
        stream = await connector.connected
        yield state, polls, stream.transport
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def wait_answered(polls: Polls) -> None:
    """Wait for a poll that is answered."""
    async with asyncio.timeout(TEST_TIMEOUT):
        while await polls.get() is None:
            pass


async def wait_timed_out(polls: Polls) -> None:
    """Wait for a poll that times out."""
    async with asyncio.timeout(TEST_TIMEOUT):
        while await polls.get() is not None:
            pass
