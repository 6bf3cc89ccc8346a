"""Closing a session: the pending reply, then `quit`, within a second."""

import asyncio

import pytest

from exporter import aio
from exporter.management.commands import Command
from exporter.management.errors import LogFloodError, SessionClosed
from exporter.management.messages import MultilineReply, Notification
from exporter.transport import connection as connection_module
from exporter.transport.connection import Connection
from exporter.transport.connector import connector_for
from tests.fake_daemon import GREETING, STATUS_3, TEST_TIMEOUT, fake_daemon
from tests.transport.sessions import connected, ended, session


async def close_within_a_second(connection: Connection) -> None:
    async with asyncio.timeout(1):
        await connection.close()


async def test_close_sends_quit() -> None:
    async with session() as (connection, daemon):
        await close_within_a_second(connection)
        assert await daemon.read_line() == b"quit"
        assert await daemon.read_line() == b""


async def test_close_reads_the_pending_reply_before_quit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "_LAST_REPLY", 2 * TEST_TIMEOUT)
    async with session() as (connection, daemon):
        asking = asyncio.create_task(connection.request(Command.STATUS_3))
        assert await daemon.read_line() == b"status 3"
        daemon.send_lines(*STATUS_3[:3])
        closing = asyncio.create_task(connection.close())
        hearing = asyncio.create_task(daemon.read_line())
        await asyncio.wait([hearing], timeout=0.05)
        assert not hearing.done()
        daemon.send_lines(*STATUS_3[3:])
        assert await asking == MultilineReply(STATUS_3[:-1])
        assert await hearing == b"quit"
        await closing


async def test_close_reads_the_reply_to_a_cancelled_request_before_quit() -> None:
    async with session() as (connection, daemon):
        asking = asyncio.create_task(connection.request(Command.STATUS_3))
        assert await daemon.read_line() == b"status 3"
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        closing = asyncio.create_task(connection.close())
        hearing = asyncio.create_task(daemon.read_line())
        await asyncio.wait([hearing], timeout=0.05)
        assert not hearing.done()
        daemon.send_lines(*STATUS_3)
        assert await hearing == b"quit"
        await closing


async def test_a_silent_daemon_does_not_delay_close() -> None:
    async with session() as (connection, daemon):
        asking = asyncio.create_task(connection.request(Command.STATUS_3))
        assert await daemon.read_line() == b"status 3"
        await close_within_a_second(connection)
        assert await daemon.read_line() == b"quit"
        with pytest.raises(SessionClosed):
            await asking


async def test_a_daemon_that_never_stops_sending_does_not_delay_close() -> None:
    async with session() as (connection, daemon):

        async def flood() -> None:
            while True:
                daemon.send_lines(*[b">LOG:1,,x"] * 100)
                await asyncio.sleep(0)

        flooding = asyncio.create_task(flood())
        asking = asyncio.create_task(connection.request(Command.STATUS_3))
        assert await daemon.read_line() == b"status 3"
        await close_within_a_second(connection)
        flooding.cancel()
        with pytest.raises(SessionClosed):
            await asking


async def test_close_sends_nothing_before_the_greeting() -> None:
    async with connected() as (connection, daemon):
        await close_within_a_second(connection)
        assert await daemon.read_line() == b""


async def test_a_session_that_has_ended_can_be_closed() -> None:
    async with session() as (connection, daemon):
        daemon.close()
        await ended(connection)
        await close_within_a_second(connection)


async def test_a_request_after_close_is_an_error() -> None:
    async with session() as (connection, _):
        await connection.close()
        with pytest.raises(SessionClosed, match="closed by the exporter"):
            await connection.request(Command.PID)


async def test_closing_twice_sends_quit_once() -> None:
    async with connected() as (connection, daemon):
        daemon.send_lines(GREETING)
        await connection.log_in(None)
        await connection.close()
        await close_within_a_second(connection)
        assert await daemon.read_line() == b"quit"
        assert await daemon.read_line() == b""


async def test_a_task_cancelled_during_close_is_cancelled() -> None:
    """Otherwise a monitor cancelled while closing would never end."""
    async with fake_daemon() as daemon:

        async def visits() -> None:
            while True:
                stream = await connector_for(daemon.endpoint, timeout=TEST_TIMEOUT).connect()
                await Connection(stream, timeout=TEST_TIMEOUT).close()

        for turns in range(40):
            task = asyncio.create_task(visits())
            await daemon.accept()
            for _ in range(turns % 10):
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                async with asyncio.timeout(TEST_TIMEOUT):
                    await task


async def test_what_a_flood_sent_before_the_end_of_its_session_is_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(aio, "_TURN", 60.0)  # all of it can be dispatched in one turn
    async with session() as (connection, daemon):
        messages: list[Notification] = []

        def end(message: Notification) -> None:
            messages.append(message)
            connection.abort(LogFloodError("too many log lines"))

        connection.subscribe(end)
        daemon.send_lines(*[b">LOG:1,,x"] * 3000)
        daemon.close()
        await ended(connection)
        await connection.close()
        assert 0 < len(messages) < 500  # those of one batch
