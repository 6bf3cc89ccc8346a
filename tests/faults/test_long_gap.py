"""A gap longer than what the daemon remembers: less is told than happened, and never more."""

from exporter.management.errors import DownReason
from tests.faults.faults import Anywhere, Cut, Manner, Strike, Way
from tests.faults.twins import Twins

STEPS = 60
SECONDS = 20


async def test_what_the_daemon_has_forgotten_is_not_made_up() -> None:
    async with Twins.born(5) as twins:
        twins.proxy.closes()
        twins.proxy.arm(Strike(Cut(Manner.CLOSE), Way.ANSWERS, Anywhere()))
        await twins.said.down(twins.disturbed.name, since=0)
        for _ in range(STEPS):
            await twins.live(SECONDS)
        await twins.said.down(twins.disturbed.name, since=0)
        assert twins.disturbed.record.down_reason is DownReason.REFUSED
        await twins.proxy.opens()
        await twins.disturbed.polled()
        await twins.settle()
        twins.compare()
        direct, disturbed = twins.direct, twins.disturbed
        assert disturbed.happenings["severity info"] < direct.happenings["severity info"]
        assert disturbed.happenings["connects"] < direct.happenings["connects"]
        assert sum(sent for _, sent in disturbed.totals.values()) < sum(
            sent for _, sent in direct.totals.values()
        )
        traffic, twin = disturbed.record.traffic, direct.record.traffic
        assert (traffic.received_bytes, traffic.sent_bytes) == (
            twin.received_bytes,
            twin.sent_bytes,
        )
