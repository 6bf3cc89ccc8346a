"""Behind another management client that shares a daemon's interface: poll only."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

import msgspec
import pytest

from exporter.config.schema import PassThrough, SlotPolicy
from exporter.config.target import Target
from exporter.monitor import session as session_module
from exporter.monitor.monitor import Monitor
from exporter.monitor.oneshot import poll_once
from tests.fake_daemon import REPLIES, FakeDaemon, FakeSession, Replies, fake_daemon
from tests.log_capture import LogCapture
from tests.monitor.harness import make_monitor, running

BEHIND: Replies = {**REPLIES, b"hold": (b"SUCCESS: hold release succeeded",)}
STICKY = {b"state on", b"log on", b"log off", b"bytecount 0"}
RECONNECTING = b"1795405990,RECONNECTING,ping-restart,,,,,"
FAILED = b"1795405990,N,TLS Error: TLS handshake failed"


@contextlib.asynccontextmanager
async def running_monitor(
    setting: PassThrough = PassThrough.AUTO, *, slot: SlotPolicy = SlotPolicy.HOLD
) -> AsyncIterator[tuple[Monitor, FakeDaemon]]:
    async with fake_daemon() as daemon:
        monitor = make_monitor(daemon.endpoint, slot=slot)
        target = _with_setting(monitor.target, setting)
        monitor.reconfigure(target)
        async with running(monitor):
            yield monitor, daemon


def _with_setting(target: Target, setting: PassThrough) -> Target:
    daemon = msgspec.structs.replace(target.daemon, pass_through=setting)
    return msgspec.structs.replace(target, daemon=daemon)


@pytest.fixture(autouse=True)
def _asks_for_the_state_at_each_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "STATE_INTERVAL", 0.0)


@pytest.mark.parametrize(
    ("setting", "hold", "polls_only"),
    [
        (PassThrough.AUTO, b"SUCCESS: hold=0", False),
        (PassThrough.AUTO, b"SUCCESS: hold=1", False),
        (PassThrough.AUTO, b"SUCCESS: hold release succeeded", True),
        (PassThrough.AUTO, b"SUCCESS: what do you hold", True),
        (PassThrough.AUTO, b"ERROR: command not allowed", True),
        (PassThrough.TRUE, b"SUCCESS: hold=0", True),
        (PassThrough.FALSE, b"SUCCESS: hold release succeeded", False),
    ],
)
async def test_nothing_is_switched_on_behind_another_management_client(
    setting: PassThrough, hold: bytes, *, polls_only: bool
) -> None:
    async with running_monitor(setting) as (monitor, daemon):
        session = await daemon.accept_and_greet()
        await session.reply_to_polls(3, replies={**REPLIES, b"hold": (hold,)})
        assert monitor.daemon.up
        assert monitor.daemon.pass_through is polls_only
        assert STICKY.isdisjoint(session.received) is polls_only
        assert (session.received.count(b"state all") >= 3) is polls_only
        assert (session.received.count(b"log all") >= 3) is polls_only


async def test_hold_is_asked_before_anything_is_switched_on() -> None:
    async with running_monitor() as (_, daemon):
        session = await daemon.accept_and_greet()
        await session.reply_to_polls(1)
        first = min(session.received.index(command) for command in (b"state on", b"log on"))
        assert session.received.index(b"hold") < first


async def test_the_reply_is_no_failure() -> None:
    async with running_monitor() as (monitor, daemon):
        await (await daemon.accept_and_greet()).reply_to_polls(2, replies=BEHIND)
        assert not monitor.daemon.failed_commands.counts


async def test_events_come_from_the_histories_alone() -> None:
    """What is switched on by another guest may come in part, so it is not aligned."""
    states: Sequence[bytes] = (*REPLIES[b"state all"][:-1], RECONNECTING, b"END")
    later = {**BEHIND, b"state all": states, b"log all": (FAILED, b"END")}
    async with running_monitor() as (monitor, daemon):
        session = await daemon.accept_and_greet()
        await session.reply_to_polls(2, replies=BEHIND)
        session.send_lines(b">STATE:" + RECONNECTING, b"", b">LOG:" + FAILED, b"")
        await session.reply_to_polls(3, replies=later)
        events = monitor.daemon.events
        assert events.reconnects["ping-restart"] == 1
        assert events.log_events["tls_handshake_failed"] == 1
        assert (events.messages["STATE"], events.messages["LOG"]) == (1, 1)
        assert monitor.daemon.unparsed_lines == 0


@pytest.mark.parametrize(
    "message",
    [
        (b">CLIENT:CONNECT,0,1", b">CLIENT:ENV,common_name=alice", b">CLIENT:ENV,END"),
        (b">CLIENT:REAUTH,0,1", b">CLIENT:ENV,END"),
        (b">HOLD:Waiting for hold release:0",),
    ],
)
async def test_requests_to_the_owner_do_not_end_the_session(message: tuple[bytes, ...]) -> None:
    async with running_monitor() as (monitor, daemon):
        session = await daemon.accept_and_greet()
        await session.reply_to_polls(1, replies=BEHIND)
        session.send_lines(*message)
        await session.reply_to_polls(3, replies=BEHIND)
        assert monitor.daemon.up
        assert monitor.daemon.prompt is None
        assert daemon.all_accepted


async def test_byte_counts_of_another_guest_are_left_alone() -> None:
    async with running_monitor() as (_, daemon):
        session = await daemon.accept_and_greet()
        await session.reply_to_polls(1, replies=BEHIND)
        session.send_lines(b">BYTECOUNT_CLI:0,1,2", b"")
        await session.reply_to_polls(2, replies=BEHIND)
        assert b"bytecount 0" not in session.received


async def _visit(session: FakeSession, replies: Replies) -> None:
    await session.reply(until=b"quit", replies=replies)
    session.close()


async def test_leaving_a_pass_through_restarts_no_vpn() -> None:
    """The owner's session with the daemon stays, whatever `--management-signal` says."""
    signalled = (b"1795404000,RECONNECTING,management-disconnect,,,,,", b"END")
    async with running_monitor(slot=SlotPolicy.RELEASE) as (monitor, daemon):
        for _ in range(2):
            await _visit(await daemon.accept_and_greet(), {**BEHIND, b"state all": signalled})
        assert monitor.daemon.restarts_on_disconnect


async def test_it_is_logged_once(log: LogCapture) -> None:
    async with running_monitor() as (_, daemon):
        await (await daemon.accept_and_greet()).reply_to_polls(3, replies=BEHIND)
    assert sum("(pass-through)" in message for message in log.messages) == 1


async def test_a_reload_switches_over() -> None:
    async with running_monitor(PassThrough.TRUE) as (monitor, daemon):
        session = await daemon.accept_and_greet()
        await session.reply_to_polls(1)
        assert STICKY.isdisjoint(session.received)
        monitor.reconfigure(_with_setting(monitor.target, PassThrough.FALSE))
        await session.reply_to_polls(2)
        assert {b"state on", b"log on"} <= set(session.received)
        monitor.reconfigure(_with_setting(monitor.target, PassThrough.TRUE))
        await session.reply_to_polls(2)
        assert session.received.count(b"log on") == 1
        assert session.received.count(b"log off") == 1


async def test_check_recognises_it() -> None:
    async with fake_daemon() as daemon:
        target = make_monitor(daemon.endpoint).target

        async def serve() -> None:
            await _visit(await daemon.accept_and_greet(), BEHIND)

        serving = asyncio.create_task(serve())
        result = await poll_once(target)
        await serving
    assert result.errors == ()
    assert result.daemon.pass_through
