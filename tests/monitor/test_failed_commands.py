"""Commands that a daemon refuses, or answers unexpectedly: only their own data is missing."""

import asyncio
from collections.abc import Sequence

import pytest

from exporter.management.commands import Command
from exporter.management.errors import DownReason
from exporter.monitor import session as session_module
from exporter.monitor.oneshot import poll_once
from exporter.state.daemon import DaemonState
from exporter.state.failed_commands import OPTIONAL_COMMANDS
from exporter.transport.history import CommandHistory
from exporter.web.debug import render_debug
from tests.fake_daemon import REPLIES, fake_daemon
from tests.log_capture import LogCapture
from tests.monitor.harness import SHORT, make_monitor, running_monitor

REFUSED = (b"ERROR: command not allowed",)
LINE = (b"SUCCESS: all is well",)
LINES = (b"all is well", b"END")

AT_THE_START = [b"pid", b"hold", b"version", b"verb", b"state on", b"state all", b"log on"]
SENT = [*AT_THE_START, b"log all", b"load-stats", b"state"]
ODD = {
    **{command: LINE for command in SENT if command not in (b"state on", b"log on")},
    **dict.fromkeys((b"version", b"state all", b"state", b"log all"), LINES),
}
"""Replies of the right form that cannot be parsed; to `state on` and `log on` there are none."""

FAILURES = [
    *((command, REFUSED) for command in SENT),
    *ODD.items(),
    *((command, LINES) for command in (b"pid", b"hold", b"verb", b"load-stats", b"log on")),
    *((command, LINE) for command in (b"version", b"state all", b"log all")),
]


def counts(state: DaemonState) -> dict[str, int]:
    return {command.text: count for command, count in state.failed_commands.counts.items()}


@pytest.fixture(autouse=True)
def _asks_for_the_state_at_each_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "STATE_INTERVAL", 0.0)


@pytest.mark.parametrize(("command", "reply"), FAILURES)
async def test_the_daemon_is_up_without_one_fact(
    command: bytes, reply: Sequence[bytes], log: LogCapture
) -> None:
    replies = {**REPLIES, command: reply}
    async with fake_daemon() as daemon, running_monitor(daemon.endpoint) as state:
        session = await daemon.accept_and_greet()
        await session.reply_to_polls(4, replies=replies)
        assert state.up
        assert state.management_up
        assert state.down_reason is None
        assert [session.received_bytes for session in state.clients.sessions.current] == [3005]
        assert set(counts(state)) == {command.decode()}
        assert state.mode == "server"
        assert state.version
        assert state.version.version == "2.6.14"  # else from the title of the status
    failed = [line for line in log.lines if "command failed, its data is missing" in line]
    assert len(failed) == 1
    assert command.decode() in failed[0]
    assert "not allowed" not in failed[0]


@pytest.mark.parametrize("command", [command for command in SENT if command != b"pid"])
async def test_a_command_without_any_reply_costs_one_poll_and_its_own_data(
    command: bytes, log: LogCapture
) -> None:
    replies = {**REPLIES, command: ()}
    async with fake_daemon() as daemon, running_monitor(daemon.endpoint, deadline=SHORT) as state:
        session = await daemon.accept_and_greet()
        for _ in range(2):
            await session.reply(until=b"status 3", replies=replies)
            session.send_lines(*REPLIES[b"status 3"])
        await session.reply(until=b"status 3", replies=replies)
        assert state.up
        assert session.received.count(command) == 1
        assert set(counts(state)) == {command.decode()}
        assert state.poll_failures == {DownReason.TIMEOUT: 1}
        assert [session.received_bytes for session in state.clients.sessions.current] == [3005]
    assert any(f"the daemon does not answer '{command.decode()}'" in line for line in log.lines)


async def test_a_daemon_that_answers_nothing_but_status_is_up() -> None:
    replies: dict[bytes, Sequence[bytes]] = {command.line.strip(): REFUSED for command in Command}
    replies[b"status 3"] = REPLIES[b"status 3"]
    async with fake_daemon() as daemon, running_monitor(daemon.endpoint) as state:
        session = await daemon.accept_and_greet()
        await session.reply_to_polls(1, replies=replies)
        replies[b"status 3"] = [line.replace(b"3005", b"3105") for line in REPLIES[b"status 3"]]
        await session.reply_to_polls(2, replies=replies)
        assert state.up
        assert b"log on" not in session.received
        assert state.traffic.received_bytes == 100  # of the rows, as there is nothing else


@pytest.mark.parametrize("reply", [REFUSED, LINE])
async def test_an_unknown_verbosity_never_switches_the_log_on(reply: Sequence[bytes]) -> None:
    async with fake_daemon() as daemon, running_monitor(daemon.endpoint) as state:
        session = await daemon.accept_and_greet()
        await session.reply_to_polls(3, replies={**REPLIES, b"verb": reply})
        assert b"log on" not in session.received
        assert state.info
        assert state.info.verbosity is None


async def test_states_count_in_real_time_without_a_history() -> None:
    replies = {**REPLIES, b"state all": REFUSED}
    async with fake_daemon() as daemon, running_monitor(daemon.endpoint) as state:
        session = await daemon.accept_and_greet()
        await session.reply_to_polls(1, replies=replies)
        session.send_lines(b">STATE:1795405990,RECONNECTING,ping-restart,,,,,")
        session.send_lines(b">LOG:1795405990,N,TLS Error: TLS handshake failed")
        await session.reply_to_polls(2, replies=replies)
        assert state.events.reconnects["ping-restart"] == 1
        assert state.events.log_events["tls_handshake_failed"] == 1


async def test_load_stats_that_come_back_are_no_jump() -> None:
    large = {**REPLIES, b"load-stats": (b"SUCCESS: nclients=1,bytesin=9000005,bytesout=9000148",)}
    async with fake_daemon() as daemon, running_monitor(daemon.endpoint) as state:
        session = await daemon.accept_and_greet()
        await session.reply_to_polls(2, replies={**REPLIES, b"load-stats": REFUSED})
        before = state.traffic.received_bytes
        await session.reply_to_polls(3, replies=large)
        assert (before, state.traffic.received_bytes) == (0, 0)
        assert counts(state) == {"load-stats": 2}
        assert state.failed_commands.errors == {}


async def test_check_and_the_debug_page_name_the_command() -> None:
    async with fake_daemon() as daemon:
        target = make_monitor(daemon.endpoint).target
        polling = asyncio.create_task(poll_once(target))
        session = await daemon.accept_and_greet()
        await session.reply(until=b"quit", replies={**REPLIES, b"version": LINES, b"pid": REFUSED})
        session.close()
        result = await polling
    assert result.errors == ()
    assert {command.text for command in result.daemon.failed_commands.errors} == {"version", "pid"}
    text = render_debug(result.daemon, CommandHistory(), target.clients, now=0.0)
    assert "failed: pid: the daemon refuses 'pid'" in text
    assert "failed: version: " in text


def test_every_command_but_status_and_quit_is_optional() -> None:
    required = {Command.STATUS_1, Command.STATUS_3, Command.QUIT}
    assert set(OPTIONAL_COMMANDS) == set(Command) - required
