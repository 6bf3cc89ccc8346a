"""A daemon that dies in the middle of a status: nothing in a truncated status is counted."""

from exporter.management.errors import DownReason
from tests.faults.differential import MonitorPair
from tests.faults.faults import (
    ByteOffset,
    Direction,
    Disconnect,
    DisconnectKind,
    Injection,
    Stall,
    StatusOffset,
)

LINES = 10
"""Fewer lines than any status here has."""


async def test_truncated_status_counts_nothing_at_any_length() -> None:
    async with MonitorPair.start(3) as pair:
        line = 0
        while await _close_before(pair, line):
            line += 1
        assert line > LINES
        await pair.settle()
        pair.check_totals()
        pair.check_equal()


async def _close_before(pair: MonitorPair, line: int) -> bool:
    """Truncate the first status with new traffic before a line; False if that is the last one."""
    proxied, since = pair.proxied, len(pair.log.entries)
    pair.proxy.stop_listening()
    pair.proxy.arm(Injection(Stall(), Direction.COMMANDS, ByteOffset()))
    await pair.proxy.wait_injected()
    before, traffic = proxied.totals, proxied.state.traffic.received_bytes
    await pair.advance(1)
    assert pair.direct.totals != before
    lines = proxied.simulated.daemon.status(3)
    position = sum(len(text.encode()) + 2 for text in lines[:line])
    pair.proxy.arm(
        Injection(Disconnect(DisconnectKind.CLOSE), Direction.REPLIES, StatusOffset(position))
    )
    pair.proxy.release()
    assert await pair.log.wait_down(proxied.name, since=since) is DownReason.CLOSED
    assert proxied.totals == before
    assert proxied.state.traffic.received_bytes == traffic
    assert proxied.state.status is None
    await pair.proxy.listen()
    await proxied.wait_polled()
    pair.check_totals()
    return line + 1 < len(lines)
