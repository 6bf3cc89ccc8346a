"""An exporter that doesn't read for a while, and a daemon with megabytes to say."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import cast

from exporter.config.schema import DaemonConfig
from exporter.config.target import Target
from exporter.management.errors import DownReason
from exporter.management.replies import Poll
from exporter.monitor.session import ManagementSession
from exporter.simulator import SimulatedDaemon
from exporter.state.daemon import DaemonState
from exporter.transport.connector import Connector, connector_for
from exporter.transport.stream import Stream
from tests.fake_daemon import TEST_TIMEOUT
from tests.faults.truth import Truth
from tests.faults.twins import endpoint, restless
from tests.faults.watched import INTERVAL, REPLY_TIMEOUT
from tests.simulator.manual_clock import ManualClock

LINES = 4000
LINE = "x" * 4000

Polls = asyncio.Queue[Poll | None]


async def test_nothing_is_lost_that_waited_to_be_read() -> None:
    clock = ManualClock()
    async with (
        restless(1, clock) as simulated,
        visiting(simulated, clock) as (record, polls, transport),
    ):
        await answered(polls)
        counted, truth = record.events.log_messages["error"], Truth(simulated)
        transport.pause_reading()
        for _ in range(LINES):
            simulated.daemon.log(1, "N", LINE)
        clock.advance(60)
        simulated.tick()
        await silent(polls)
        assert (record.up, record.down_reason) == (False, DownReason.TIMEOUT)
        assert record.events.log_messages["error"] == counted
        transport.resume_reading()
        await answered(polls)
        truth.look()
        assert record.up
        assert record.management_connects == 1
        assert record.events.log_messages["error"] >= counted + LINES
        assert record.unparsed_lines == 0
        for name, totals in truth.totals.items():
            account = record.clients.totals[name]
            assert account.received_bytes >= totals[0]
            assert account.sent_bytes >= totals[1]


class Tap:
    """A connector that shows the stream it opens."""

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
async def visiting(
    simulated: SimulatedDaemon, clock: ManualClock
) -> AsyncIterator[tuple[DaemonState, Polls, asyncio.Transport]]:
    """Visit a daemon as a monitor does; give the socket, too, which a monitor keeps to itself."""
    daemon = DaemonConfig(name="office", management=endpoint(simulated), timeout=REPLY_TIMEOUT)
    record, polls = DaemonState(Target(daemon, poll_interval=INTERVAL)), Polls()
    connector = Tap(connector_for(daemon.management, timeout=TEST_TIMEOUT))
    visit = ManagementSession(record, connector, clock=clock, on_polled=polls.put)
    task = asyncio.create_task(visit.run(asyncio.get_running_loop().time()))
    try:
        stream = await connector.connected
        yield record, polls, cast("asyncio.Transport", stream.writer.transport)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def answered(polls: Polls) -> None:
    """Wait for a poll that is answered."""
    async with asyncio.timeout(TEST_TIMEOUT):
        while await polls.get() is None:
            pass


async def silent(polls: Polls) -> None:
    """Wait for a poll that is not."""
    async with asyncio.timeout(TEST_TIMEOUT):
        while await polls.get() is not None:
            pass
