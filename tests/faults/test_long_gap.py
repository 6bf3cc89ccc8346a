"""A gap longer than the daemon's history: the exporter reports fewer events, never more."""

from exporter.management.errors import DownReason
from tests.faults.differential import MonitorPair
from tests.faults.faults import ByteOffset, Direction, Disconnect, DisconnectKind, Injection

STEPS = 60
SECONDS = 20


async def test_events_beyond_the_history_of_the_daemon_are_not_counted() -> None:
    async with MonitorPair.start(5) as pair:
        pair.proxy.stop_listening()
        pair.proxy.arm(Injection(Disconnect(DisconnectKind.CLOSE), Direction.REPLIES, ByteOffset()))
        await pair.log.wait_down(pair.proxied.name, since=0)
        for _ in range(STEPS):
            await pair.advance(SECONDS)
        await pair.log.wait_down(pair.proxied.name, since=0)
        assert pair.proxied.state.down_reason is DownReason.REFUSED
        await pair.proxy.listen()
        await pair.proxied.wait_polled()
        await pair.settle()
        pair.check_totals()
        direct, proxied = pair.direct, pair.proxied
        assert proxied.event_counts["severity info"] < direct.event_counts["severity info"]
        assert proxied.event_counts["connects"] < direct.event_counts["connects"]
        assert sum(sent for _, sent in proxied.totals.values()) < sum(
            sent for _, sent in direct.totals.values()
        )
        traffic, expected = proxied.state.traffic, direct.state.traffic
        assert (traffic.received_bytes, traffic.sent_bytes) == (
            expected.received_bytes,
            expected.sent_bytes,
        )
