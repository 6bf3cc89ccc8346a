"""What is said of a daemon while its session is disturbed, fault by fault."""

import pytest

from exporter.management.errors import DownReason
from exporter.monitor.log_rate_limit import MAX_LINES_PER_SECOND
from tests.faults.faults import (
    Anywhere,
    Cut,
    Fault,
    Flood,
    Garble,
    LineStart,
    Manner,
    Place,
    Stall,
    Status,
    Strike,
    Way,
)
from tests.faults.twins import Twins


async def is_down(twins: Twins, reason: DownReason, *, since: int = 0) -> None:
    """Wait until the disturbed daemon is down, which its record must say as well."""
    assert await twins.said.down(twins.disturbed.name, since=since) is reason
    record = twins.disturbed.record
    assert (record.up, record.management_up, record.down_reason) == (False, False, reason)
    assert record.status is None


async def is_up_again(twins: Twins) -> None:
    await twins.disturbed.polled()
    record = twins.disturbed.record
    assert (record.up, record.management_up, record.down_reason) == (True, True, None)
    await twins.settle()
    twins.compare()
    twins.are_alike()


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize("manner", Manner)
async def test_a_cut_means_closed(manner: Manner, way: Way) -> None:
    async with Twins.born(1) as twins:
        twins.proxy.closes()
        twins.proxy.arm(Strike(Cut(manner), way, Anywhere(3)))
        await is_down(twins, DownReason.CLOSED)
        await twins.proxy.opens()
        await is_up_again(twins)


async def test_nobody_listening_any_more_means_refused() -> None:
    async with Twins.born(1) as twins:
        twins.proxy.closes()
        twins.proxy.arm(Strike(Cut(Manner.CLOSE), Way.ANSWERS, Anywhere()))
        await is_down(twins, DownReason.CLOSED)
        await is_down(twins, DownReason.REFUSED, since=len(twins.said.made))
        await twins.proxy.opens()
        await is_up_again(twins)


@pytest.mark.parametrize("way", Way)
async def test_a_stall_means_timeout_and_its_end_goes_on_with_the_session(way: Way) -> None:
    async with Twins.born(1) as twins:
        twins.proxy.arm(Strike(Stall(), way, Anywhere(3)))
        await is_down(twins, DownReason.TIMEOUT)
        await twins.live(5)
        twins.proxy.releases()
        await is_up_again(twins)
        assert twins.disturbed.record.management_connects == 1


@pytest.mark.parametrize("way", Way)
async def test_a_stall_for_ever_means_timeout_until_another_session(way: Way) -> None:
    async with Twins.born(1) as twins:
        twins.proxy.arm(Strike(Stall(), way, Anywhere(3)))
        await is_down(twins, DownReason.TIMEOUT)
        await twins.live(5)
        await is_up_again(twins)
        assert twins.disturbed.record.management_connects == 2


NEW = Strike(Cut(Manner.CLOSE), Way.ANSWERS, Anywhere())
"""What makes the exporter come again."""


@pytest.mark.parametrize(
    ("fault", "place", "reason"),
    [
        (Cut(Manner.CLOSE), Anywhere(0), DownReason.PERMISSION),
        (Cut(Manner.CLOSE), Anywhere(9), DownReason.CLOSED),
        (Stall(), Anywhere(0), DownReason.BUSY),
        (Stall(), Anywhere(9), DownReason.TIMEOUT),
        (Garble(1, b"SSH-2.0-"), Anywhere(0), DownReason.PROTOCOL),
    ],
    ids=str,
)
async def test_a_greeting_that_is_disturbed(fault: Fault, place: Place, reason: DownReason) -> None:
    async with Twins.born(1) as twins:
        twins.proxy.arm(NEW, Strike(fault, Way.ANSWERS, place))
        await twins.proxy.has_struck()
        await is_up_again(twins)
        said = twins.said.reasons(twins.disturbed.name, since=0)
        assert said == [DownReason.CLOSED, *({reason} - {DownReason.CLOSED})]


@pytest.mark.parametrize(
    ("damage", "way", "place"),
    [
        (Garble(1, b"?"), Way.COMMANDS, LineStart()),
        (Garble(0, b"nonsense\r\n"), Way.ANSWERS, Status()),
        (Garble(4, b"\xff\xff"), Way.ANSWERS, Status()),
    ],
    ids=str,
)
async def test_nonsense_means_protocol(damage: Garble, way: Way, place: Place) -> None:
    async with Twins.born(1) as twins:
        twins.proxy.arm(Strike(damage, way, place))
        assert await twins.said.down(twins.disturbed.name, since=0) is DownReason.PROTOCOL
        await is_up_again(twins)


async def test_a_row_that_nobody_can_read_is_counted_and_ends_no_session() -> None:
    async with Twins.born(1) as twins:
        header_and_before = sum(len(line) + 2 for line in _status(twins)[:3])
        twins.proxy.arm(Strike(Garble(1, b"?"), Way.ANSWERS, Status(header_and_before)))
        await twins.proxy.has_struck()
        await is_up_again(twins)
        assert twins.disturbed.record.unparsed_lines == 1
        assert twins.said.reasons(twins.disturbed.name, since=0) == []


async def test_a_status_without_an_end_is_asked_for_in_another_format() -> None:
    async with Twins.born(1) as twins:
        end = sum(len(line) + 2 for line in _status(twins)[:-1])
        twins.proxy.arm(Strike(Garble(1, b"?"), Way.ANSWERS, Status(end)))
        await twins.proxy.has_struck()
        await is_up_again(twins)
        assert twins.disturbed.record.status_fallbacks > 0
        assert twins.said.reasons(twins.disturbed.name, since=0) == []


async def test_a_flood_of_messages_is_no_fault_of_the_session() -> None:
    async with Twins.born(1) as twins:
        twins.proxy.arm(Strike(Flood(3 * MAX_LINES_PER_SECOND), Way.ANSWERS, LineStart()))
        await twins.proxy.has_struck()
        await is_up_again(twins)
        assert twins.disturbed.record.events.messages["ECHO"] == 3 * MAX_LINES_PER_SECOND
        assert twins.said.reasons(twins.disturbed.name, since=0) == []


async def test_a_flooding_log_is_left_and_not_read_again() -> None:
    async with Twins.born(1) as twins:
        daemon, counted = twins.disturbed.simulated.daemon, _errors(twins)
        for number in range(MAX_LINES_PER_SECOND + 1):
            daemon.log(1, "N", f"flood {number}")
        twins.disturbed.simulated.tick()
        await twins.disturbed.polled()
        await twins.disturbed.polled()
        assert any("too many log lines" in made.message for made in twins.said.made)
        assert _errors(twins) == counted + MAX_LINES_PER_SECOND + 1
        daemon.log(1, "N", "a late drop")
        twins.disturbed.simulated.tick()
        await twins.disturbed.polled()
        assert _errors(twins) == counted + MAX_LINES_PER_SECOND + 1
        twins.proxy.arm(NEW)
        await is_down(twins, DownReason.CLOSED)
        await twins.disturbed.polled()
        assert _errors(twins) == counted + MAX_LINES_PER_SECOND + 1


def _status(twins: Twins) -> list[bytes]:
    return [line.encode() for line in twins.disturbed.simulated.daemon.status(3)]


def _errors(twins: Twins) -> int:
    return twins.disturbed.record.events.log_messages["error"]
