"""How a monitor ends a session, which commands it sends, and what it does not log."""

import asyncio
from pathlib import Path

import pytest

from exporter.management.commands import Command
from exporter.management.endpoint import ListenEndpoint, UnixEndpoint
from tests.fake_daemon import (
    PROMPT,
    STATUS_1,
    STATUS_3,
    connect_fake_daemon,
    fake_daemon,
    free_port,
)
from tests.log_capture import LogCapture
from tests.monitor.harness import SHORT, accept_login, make_monitor, running_monitor, write


async def leaves_within_a_second(task: asyncio.Task[None]) -> None:
    task.cancel()
    async with asyncio.timeout(1):
        await asyncio.wait([task])
    assert task.cancelled()


async def test_a_stop_between_polls_sends_quit() -> None:
    async with fake_daemon() as daemon:
        monitor = asyncio.create_task(make_monitor(daemon.endpoint, interval=3600).run())
        session = await daemon.accept_and_greet()
        await session.reply_to_polls(1)
        await leaves_within_a_second(monitor)
        assert await session.read_line() == b"quit"
        assert await session.read_line() == b""


async def test_a_stop_during_a_reply_reads_it_to_its_end() -> None:
    async with fake_daemon() as daemon:
        monitor = asyncio.create_task(make_monitor(daemon.endpoint).run())
        session = await daemon.accept_and_greet()
        await session.reply(until=b"status 3")
        session.send_lines(*STATUS_3[:5])
        leaving = asyncio.create_task(leaves_within_a_second(monitor))
        hearing = asyncio.create_task(session.read_line())
        await asyncio.wait([hearing], timeout=0.05)
        assert not hearing.done()
        session.send_lines(*STATUS_3[5:])
        assert await hearing == b"quit"
        await leaving


@pytest.mark.parametrize("silent_at", [b"version", b"load-stats", b"status 3"])
async def test_a_stop_takes_less_than_a_second_with_a_hung_daemon(silent_at: bytes) -> None:
    async with fake_daemon() as daemon:
        monitor = asyncio.create_task(make_monitor(daemon.endpoint).run())
        session = await daemon.accept_and_greet()
        await session.reply(until=silent_at)
        await leaves_within_a_second(monitor)
        assert await session.read_line() == b"quit"


async def test_a_stop_before_the_greeting_sends_nothing() -> None:
    async with fake_daemon() as daemon:
        monitor = asyncio.create_task(make_monitor(daemon.endpoint).run())
        session = await daemon.accept()
        await leaves_within_a_second(monitor)
        assert await session.read_line() == b""


async def test_a_stop_during_backoff_is_immediate(tmp_path: Path, log: LogCapture) -> None:
    path = tmp_path / "none"
    monitor = make_monitor(UnixEndpoint(str(tmp_path / "office.sock")), password_file=path)
    task = asyncio.create_task(monitor.run())
    await log.wait_for_down()
    await leaves_within_a_second(task)


async def test_a_stop_closes_the_listener(log: LogCapture) -> None:
    endpoint = ListenEndpoint("127.0.0.1", free_port())
    async with running_monitor(endpoint, deadline=SHORT):
        await log.wait_for_down()
    with pytest.raises(ConnectionRefusedError):
        async with connect_fake_daemon(endpoint.host, endpoint.port):
            pass


async def test_only_read_only_commands_are_sent(tmp_path: Path, log: LogCapture) -> None:
    """A whole life: a password, polls, a fallback, silence, an end, a second session."""
    path = write(tmp_path, "s3cret")
    async with (
        fake_daemon() as daemon,
        running_monitor(daemon.endpoint, deadline=SHORT, password_file=path),
    ):
        sessions = [await accept_login(daemon)]
        await sessions[0].reply_to_polls(2)
        await sessions[0].reply(until=b"status 3")
        sessions[0].send_lines(*STATUS_3[:3])
        await sessions[0].reply(until=b"status 1")
        sessions[0].send_lines(*STATUS_1)
        await sessions[0].reply(until=b"load-stats")
        await sessions[0].wait_closed()
        sessions.append(await accept_login(daemon))
        await sessions[1].reply_to_polls(2)
    for session in sessions:
        await session.wait_closed()
    allowed = {command.text.encode() for command in Command}
    for session in sessions:
        assert session.received[0] == b"s3cret"
        assert set(session.received[1:]) <= allowed
        assert session.received[-1] == b"quit"


async def test_no_secret_is_logged(tmp_path: Path, log: LogCapture) -> None:
    """Neither the password nor what messages carry, at any level."""
    path = write(tmp_path, "hunter2")
    secrets = [
        b">PASSWORD:Auth-Token:hunter2-token",
        b">PASSWORD:Verification Failed: 'Auth' ['CRV1:R,E:hunter2-crv1:dXNlcg==:code?']",
        b">INFOMSG:WEB_AUTH::https://example.org/?hunter2-web",
        b">LOG:1795405990,,hunter2-log",
        b">ECHO:1795405990,hunter2-echo",
        b">CLIENT:ESTABLISHED,0",
        b">CLIENT:ENV,password=hunter2-env",
        b">CLIENT:ENV,END",
        b">UNREACHABLE-KNOWS:hunter2-unknown",
        b"hunter2-row",
        b"END",
    ]
    async with (
        fake_daemon() as daemon,
        running_monitor(daemon.endpoint, password_file=path) as state,
    ):
        session = await accept_login(daemon)
        await session.reply_to_polls(1)
        session.send_lines(*secrets)
        await session.reply_to_polls(2)
        session.close()
        await log.wait_for_down()
        session = await daemon.accept()
        session.send_bytes(PROMPT)
        await session.read_line()
        session.send_bytes(PROMPT)
        await session.read_line()
        while await log.wait_for_down() != "auth":
            pass
        assert "hunter2" not in state.down_message
    assert log.lines
    assert not [line for line in log.lines if "hunter2" in line]
