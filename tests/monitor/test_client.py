"""The commands of a session and their parsed replies, over a real socket."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable

import pytest

from exporter.management.errors import ReplyError, ReplyTimeout, SessionClosed
from exporter.management.replies import DaemonInfo, LoadStats, Poll, Version
from exporter.management.state import State, StateName
from exporter.management.status import ServerStatus, TunnelStatus
from exporter.monitor.client import STATUS_1_POLLS, ManagementClient
from exporter.transport.connection import Connection
from exporter.transport.connector import connector_for
from tests.fake_daemon import (
    REPLIES,
    STATUS_1,
    STATUS_3,
    TEST_TIMEOUT,
    FakeSession,
    Replies,
    fake_daemon,
)
from tests.monitor.harness import SHORT

NOT_IN_THIS_MODE = b"ERROR: The 'status' command is not supported by the current daemon mode"
STATISTICS = (
    b"OpenVPN STATISTICS",
    b"Updated,2026-11-23 03:53:03",
    b"TUN/TAP read bytes,7",
    b"END",
)


@contextlib.asynccontextmanager
async def asking(
    *, deadline: float = TEST_TIMEOUT, clock: Callable[[], float] = time.time
) -> AsyncIterator[tuple[ManagementClient, FakeSession]]:
    async with fake_daemon() as daemon:
        stream = await connector_for(daemon.endpoint, timeout=TEST_TIMEOUT).connect()
        connection = Connection(stream, timeout=deadline)
        session = await daemon.accept_and_greet()
        await connection.log_in(None)
        try:
            yield ManagementClient(connection, realtime=True, clock=clock), session
        finally:
            await connection.close()


@contextlib.asynccontextmanager
async def answering(session: FakeSession, answers: Replies) -> AsyncIterator[None]:
    task = asyncio.create_task(session.reply(until=b"", replies=answers))
    try:
        yield
    finally:
        task.cancel()


async def fetch_info(client: ManagementClient) -> DaemonInfo:
    return await client.fetch_info(await client.fetch_pid(), lambda _: None)


async def polled_by(client: ManagementClient) -> Poll:
    return await client.poll(lambda: None, routes=False)


async def polled(answers: Replies) -> Poll:
    async with asking() as (client, session), answering(session, answers):
        return await polled_by(client)


async def test_info_is_fetched_from_the_daemon() -> None:
    remembered: list[State] = []
    async with asking() as (client, session), answering(session, REPLIES):
        pid = await client.fetch_pid()
        introduction = await client.fetch_info(pid, remembered.extend)
    assert introduction.version == Version("2.6.14", "x86_64-pc-linux-gnu", "5")
    assert (introduction.pid, introduction.verbosity) == (4711, 3)
    assert [state.name for state in remembered] == [StateName.CONNECTED]


async def test_state_changes_are_switched_on_before_the_history_is_read() -> None:
    """Else what happens between the two would be in neither."""
    async with asking() as (client, session), answering(session, REPLIES):
        await fetch_info(client)
    assert session.received.index(b"state on") < session.received.index(b"state all")


async def test_the_state_is_the_newest_entry() -> None:
    entries = (b"1,WAIT,,,,,,", b"2,CONNECTED,SUCCESS,10.8.0.1,,,,", b"END")
    answers = {**REPLIES, b"state": entries}
    states: list[State] = []
    async with asking() as (client, session), answering(session, answers):
        await client.check_state(states.append)
    assert [(state.time, state.name) for state in states] == [(2, StateName.CONNECTED)]


async def test_a_daemon_without_a_history_has_no_state() -> None:
    states: list[State] = []
    async with asking() as (client, session), answering(session, {b"state": (b"END",)}):
        await client.check_state(states.append)
    assert states == []


async def test_a_poll_sends_load_stats_and_status_only() -> None:
    async with asking() as (client, session), answering(session, REPLIES):
        poll = await polled_by(client)
        assert session.received == [b"load-stats", b"status 3"]
    assert poll.load_stats == LoadStats(1, 3005, 3148)
    assert isinstance(poll.status, ServerStatus)
    assert [client.common_name for client in poll.status.clients] == ["alice"]
    assert not poll.fallback


async def test_a_tunnel_answers_with_statistics() -> None:
    poll = await polled({**REPLIES, b"status 3": STATISTICS})
    assert isinstance(poll.status, TunnelStatus)
    assert poll.status.tun_tap_read == 7


async def test_times_without_a_zone_are_of_the_one_that_the_time_of_the_reply_shows() -> None:
    printed_at = 1_795_405_983 - 20_700
    answers = {**REPLIES, b"status 3": STATISTICS}
    async with (
        asking(clock=lambda: printed_at + 7.5) as (client, session),
        answering(session, answers),
    ):
        poll = await polled_by(client)
    assert poll.status is not None
    assert poll.status.updated == printed_at


@pytest.mark.parametrize("routes", [False, True])
async def test_routes_are_read_on_request(*, routes: bool) -> None:
    row = b"ROUTING_TABLE\t10.8.0.2\talice\t192.0.2.7:51820\t2026-11-23 03:53:00\t1795405980"
    answers = {**REPLIES, b"status 3": (*STATUS_3[:5], row, *STATUS_3[5:])}
    async with asking() as (client, session), answering(session, answers):
        status = (await client.poll(lambda: None, routes=routes)).status
    assert isinstance(status, ServerStatus)
    assert (status.route_count, len(status.routes)) == (1, int(routes))


async def test_a_daemon_without_a_status_is_polled() -> None:
    poll = await polled({**REPLIES, b"status 3": (NOT_IN_THIS_MODE,)})
    assert poll == Poll(LoadStats(1, 3005, 3148), None)


async def test_any_other_error_in_place_of_a_status_fails_the_poll() -> None:
    with pytest.raises(ReplyError, match="'status 3': no"):
        await polled({**REPLIES, b"status 3": (b"ERROR: no",)})


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        (b"status 3", (b"gibberish, of some kind", b"END")),
        (b"status 3", (*STATUS_3[:1], b"END")),
    ],
)
async def test_an_unparsable_reply_fails_the_poll(command: bytes, reply: tuple[bytes, ...]) -> None:
    with pytest.raises(ReplyError):
        await polled({**REPLIES, command: reply})


async def test_a_status_that_never_ends_is_answered_by_status_1() -> None:
    async with asking(deadline=SHORT) as (client, session):
        polling = asyncio.create_task(polled_by(client))
        await session.reply(until=b"status 3")
        session.send_lines(*STATUS_3[:4])  # it dropped itself and all that follows
        await session.reply(until=b"status 1")
        session.send_lines(*STATUS_1)
        poll = await polling
        assert session.received == [b"load-stats", b"status 3", b"pid", b"status 1"]
    assert poll.fallback
    assert isinstance(poll.status, ServerStatus)
    assert poll.status.updated == 1795405983
    assert [row.common_name for row in poll.status.clients] == ["alice"]


async def test_after_a_fallback_status_3_is_tried_again_later() -> None:
    async with asking(deadline=SHORT) as (client, session):
        polling = asyncio.create_task(polled_by(client))
        await session.reply(until=b"status 3")
        await session.reply(until=b"status 1")
        session.send_lines(*STATUS_1)
        assert (await polling).fallback
        async with answering(session, REPLIES):
            for _ in range(STATUS_1_POLLS):
                assert (await polled_by(client)).fallback
            assert session.received.count(b"status 3") == 1
            assert not (await polled_by(client)).fallback
        assert session.received[-1] == b"status 3"


async def test_a_daemon_without_a_status_is_no_fallback_either_way() -> None:
    async with asking(deadline=SHORT) as (client, session):
        polling = asyncio.create_task(polled_by(client))
        await session.reply(until=b"status 3")
        await session.reply(until=b"status 1")
        session.send_lines(NOT_IN_THIS_MODE)
        assert await polling == Poll(LoadStats(1, 3005, 3148), None)


async def test_a_daemon_that_does_not_answer_is_no_fallback() -> None:
    async with asking(deadline=SHORT) as (client, session):
        polling = asyncio.create_task(polled_by(client))
        await session.reply(until=b"status 3")
        assert await session.read_line() == b"pid"
        with pytest.raises(ReplyTimeout):
            await polling
        assert b"status 1" not in session.received


async def test_a_status_cut_by_the_end_of_the_session_fails_the_poll() -> None:
    async with asking() as (client, session):
        polling = asyncio.create_task(polled_by(client))
        await session.reply(until=b"status 3")
        session.send_lines(*STATUS_3[:-1])
        session.close()
        with pytest.raises(SessionClosed):
            await polling
