"""An exporter that doesn't read for a while, and a daemon with megabytes to say."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import cast

from exporter.config.schema import ClientsConfig, DaemonConfig
from exporter.management.errors import DownReason
from exporter.management.replies import Poll
from exporter.monitor.refresh import RefreshRequest
from exporter.monitor.session import ManagementSession, SessionSettings
from exporter.simulator import SimulatedDaemon
from exporter.state.daemon import DaemonState
from exporter.transport.connection import Connection
from exporter.transport.connector import connector_for
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


@contextlib.asynccontextmanager
async def visiting(
    simulated: SimulatedDaemon, clock: ManualClock
) -> AsyncIterator[tuple[DaemonState, Polls, asyncio.Transport]]:
    """Visit a daemon as a monitor does; give the socket, too, which a monitor keeps to itself."""
    daemon = DaemonConfig(name="office", management=endpoint(simulated))
    record, polls = DaemonState(daemon, ClientsConfig()), Polls()
    stream = await connector_for(daemon.management, timeout=TEST_TIMEOUT).connect()
    connection = Connection(stream, timeout=REPLY_TIMEOUT)
    manner = SessionSettings(daemon, INTERVAL, routes=False, log=True)
    visit = ManagementSession(
        connection, record, manner, clock=clock, polled=polls.put, demand=RefreshRequest()
    )
    task = asyncio.create_task(visit.run(None, asyncio.get_running_loop().time()))
    try:
        yield record, polls, cast("asyncio.Transport", stream.writer.transport)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await connection.close()


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
