"""A daemon that dies in the middle of a status: nothing of the half counts."""

from exporter.management.errors import DownReason
from tests.faults.faults import Anywhere, Cut, Manner, Stall, Status, Strike, Way
from tests.faults.twins import Twins

LINES = 10
"""Fewer than any status here has."""


async def test_half_a_status_counts_nothing_wherever_it_ends() -> None:
    async with Twins.born(3) as twins:
        ended = 0
        while await _dies_before(twins, ended):
            ended += 1
        assert ended > LINES
        await twins.settle()
        twins.compare()
        twins.are_alike()


async def _dies_before(twins: Twins, line: int) -> bool:
    """Let bytes move, and cut the first status that tells of them; False if it has fewer lines."""
    disturbed, since = twins.disturbed, len(twins.said.made)
    twins.proxy.closes()
    twins.proxy.arm(Strike(Stall(), Way.COMMANDS, Anywhere()))
    await twins.proxy.has_struck()
    before, traffic = disturbed.totals, disturbed.record.traffic.received_bytes
    await twins.live(1)
    assert twins.direct.totals != before
    lines = disturbed.simulated.daemon.status(3)
    place = sum(len(text.encode()) + 2 for text in lines[:line])
    twins.proxy.arm(Strike(Cut(Manner.CLOSE), Way.ANSWERS, Status(place)))
    twins.proxy.releases()
    assert await twins.said.down(disturbed.name, since=since) is DownReason.CLOSED
    assert disturbed.totals == before
    assert disturbed.record.traffic.received_bytes == traffic
    assert disturbed.record.status is None
    await twins.proxy.opens()
    await disturbed.polled()
    twins.compare()
    return line + 1 < len(lines)
