"""The down reason that each fault causes."""

import pytest

from exporter.management.errors import DownReason
from exporter.monitor.rate_limit import MAX_LOG_LINES
from tests.faults.differential import MonitorPair
from tests.faults.faults import (
    ByteOffset,
    Corrupt,
    Direction,
    Disconnect,
    DisconnectKind,
    Fault,
    Flood,
    Injection,
    LineStart,
    Position,
    Stall,
    StatusOffset,
)


async def wait_proxied_down(pair: MonitorPair, reason: DownReason, *, since: int = 0) -> None:
    """Wait until the proxied daemon is logged as down; its state must agree."""
    assert await pair.log.wait_down(pair.proxied.name, since=since) is reason
    state = pair.proxied.state
    assert (state.up, state.management_up, state.down_reason) == (False, False, reason)
    assert state.status is None


async def wait_up_again(pair: MonitorPair) -> None:
    await pair.proxied.wait_polled()
    state = pair.proxied.state
    assert (state.up, state.management_up, state.down_reason) == (True, True, None)
    await pair.settle()
    pair.check_totals()
    pair.check_equal()


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("kind", DisconnectKind)
async def test_disconnect_means_closed(kind: DisconnectKind, direction: Direction) -> None:
    async with MonitorPair.start(1) as pair:
        pair.proxy.stop_listening()
        pair.proxy.arm(Injection(Disconnect(kind), direction, ByteOffset(3)))
        await wait_proxied_down(pair, DownReason.CLOSED)
        await pair.proxy.listen()
        await wait_up_again(pair)


async def test_closed_listener_means_refused() -> None:
    async with MonitorPair.start(1) as pair:
        pair.proxy.stop_listening()
        pair.proxy.arm(Injection(Disconnect(DisconnectKind.CLOSE), Direction.REPLIES, ByteOffset()))
        await wait_proxied_down(pair, DownReason.CLOSED)
        await wait_proxied_down(pair, DownReason.REFUSED, since=len(pair.log.entries))
        await pair.proxy.listen()
        await wait_up_again(pair)


@pytest.mark.parametrize("direction", Direction)
async def test_stall_means_timeout_and_the_session_continues_after_it(
    direction: Direction,
) -> None:
    async with MonitorPair.start(1) as pair:
        pair.proxy.arm(Injection(Stall(), direction, ByteOffset(3)))
        await wait_proxied_down(pair, DownReason.TIMEOUT)
        await pair.advance(5)
        pair.proxy.release()
        await wait_up_again(pair)
        assert pair.proxied.state.management_connects == 1


@pytest.mark.parametrize("direction", Direction)
async def test_endless_stall_means_timeout_until_a_new_session(direction: Direction) -> None:
    async with MonitorPair.start(1) as pair:
        pair.proxy.arm(Injection(Stall(), direction, ByteOffset(3)))
        await wait_proxied_down(pair, DownReason.TIMEOUT)
        await pair.advance(5)
        await wait_up_again(pair)
        assert pair.proxied.state.management_connects == 2


RECONNECT = Injection(Disconnect(DisconnectKind.CLOSE), Direction.REPLIES, ByteOffset())
"""Makes the exporter connect again."""


@pytest.mark.parametrize(
    ("fault", "position", "reason"),
    [
        (Disconnect(DisconnectKind.CLOSE), ByteOffset(0), DownReason.PERMISSION),
        (Disconnect(DisconnectKind.CLOSE), ByteOffset(9), DownReason.CLOSED),
        (Stall(), ByteOffset(0), DownReason.BUSY),
        (Stall(), ByteOffset(9), DownReason.TIMEOUT),
        (Corrupt(1, b"SSH-2.0-"), ByteOffset(0), DownReason.PROTOCOL),
    ],
    ids=str,
)
async def test_fault_in_the_greeting_has_its_own_reason(
    fault: Fault, position: Position, reason: DownReason
) -> None:
    async with MonitorPair.start(1) as pair:
        pair.proxy.arm(RECONNECT, Injection(fault, Direction.REPLIES, position))
        await pair.proxy.wait_injected()
        await wait_up_again(pair)
        reasons = pair.log.down_reasons(pair.proxied.name, since=0)
        assert reasons == [DownReason.CLOSED, *({reason} - {DownReason.CLOSED})]


@pytest.mark.parametrize(
    ("corruption", "direction", "position"),
    [
        (Corrupt(0, b"nonsense\r\n"), Direction.REPLIES, StatusOffset()),
        (Corrupt(4, b"\xff\xff"), Direction.REPLIES, StatusOffset()),
    ],
    ids=str,
)
async def test_garbage_means_protocol(
    corruption: Corrupt, direction: Direction, position: Position
) -> None:
    async with MonitorPair.start(1) as pair:
        pair.proxy.arm(Injection(corruption, direction, position))
        assert await pair.log.wait_down(pair.proxied.name, since=0) is DownReason.PROTOCOL
        await wait_up_again(pair)


async def test_corrupted_command_fails_the_poll_only_if_it_is_status() -> None:
    async with MonitorPair.start(1) as pair:
        pair.proxy.arm(Injection(Corrupt(1, b"?"), Direction.COMMANDS, LineStart()))
        await pair.proxy.wait_injected()
        await wait_up_again(pair)
        failed = pair.proxied.state.failed_commands.counts.total()
        reasons = pair.log.down_reasons(pair.proxied.name, since=0)
        assert (failed, reasons) in [(1, []), (0, [DownReason.PROTOCOL])]


async def test_unparsable_row_is_counted_and_ends_no_session() -> None:
    async with MonitorPair.start(1) as pair:
        row_start = sum(len(line) + 2 for line in _status(pair)[:3])
        pair.proxy.arm(Injection(Corrupt(1, b"?"), Direction.REPLIES, StatusOffset(row_start)))
        await pair.proxy.wait_injected()
        await wait_up_again(pair)
        assert pair.proxied.state.unparsed_lines == 1
        assert pair.log.down_reasons(pair.proxied.name, since=0) == []


async def test_status_without_an_end_is_requested_in_format_1() -> None:
    async with MonitorPair.start(1) as pair:
        end = sum(len(line) + 2 for line in _status(pair)[:-1])
        pair.proxy.arm(Injection(Corrupt(1, b"?"), Direction.REPLIES, StatusOffset(end)))
        await pair.proxy.wait_injected()
        await wait_up_again(pair)
        assert pair.proxied.state.status_fallbacks > 0
        assert pair.log.down_reasons(pair.proxied.name, since=0) == []


async def test_flood_of_messages_ends_no_session() -> None:
    async with MonitorPair.start(1) as pair:
        pair.proxy.arm(Injection(Flood(3 * MAX_LOG_LINES), Direction.REPLIES, LineStart()))
        await pair.proxy.wait_injected()
        await wait_up_again(pair)
        assert pair.proxied.state.events.messages["ECHO"] == 3 * MAX_LOG_LINES
        assert pair.log.down_reasons(pair.proxied.name, since=0) == []


async def test_flooding_log_is_disabled_and_not_read_again() -> None:
    async with MonitorPair.start(1) as pair:
        daemon, counted = pair.proxied.simulated.daemon, _errors(pair)
        for number in range(MAX_LOG_LINES + 1):
            daemon.log(1, "N", f"flood {number}")
        pair.proxied.simulated.tick()
        await pair.proxied.wait_polled()
        await pair.proxied.wait_polled()
        assert any("too many log lines" in entry.message for entry in pair.log.entries)
        assert _errors(pair) == counted + MAX_LOG_LINES + 1
        daemon.log(1, "N", "a late drop")
        pair.proxied.simulated.tick()
        await pair.proxied.wait_polled()
        assert _errors(pair) == counted + MAX_LOG_LINES + 1
        pair.proxy.arm(RECONNECT)
        await wait_proxied_down(pair, DownReason.CLOSED)
        await pair.proxied.wait_polled()
        assert _errors(pair) == counted + MAX_LOG_LINES + 1


def _status(pair: MonitorPair) -> list[bytes]:
    return [line.encode() for line in pair.proxied.simulated.daemon.status(3)]


def _errors(pair: MonitorPair) -> int:
    return pair.proxied.state.events.log_messages["error"]
