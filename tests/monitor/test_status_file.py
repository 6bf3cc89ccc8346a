"""The state of a daemon from its status file: alone, or while the session is down."""

import asyncio
import os
import time
from pathlib import Path

import pytest

from exporter.config.schema import ClientsConfig, DaemonConfig
from exporter.config.target import Target
from exporter.management.batches import run_batches
from exporter.management.endpoint import parse_endpoint
from exporter.management.errors import DownReason, SlotBusy
from exporter.management.replies import LoadStats, Poll
from exporter.management.reply_lines import ReplyLines
from exporter.management.status import ServerStatus, StatusSource, parse_status
from exporter.monitor.status_file import FileContent, StatusFile
from exporter.monitor.status_file_poller import StatusFilePoller
from exporter.state.daemon import DaemonState
from tests.fake_daemon import STATUS_3, TEST_TIMEOUT
from tests.log_capture import LogCapture

CASES = Path(__file__).parents[1] / "data" / "cases"
PRINTED = 1_795_405_983
CASE_UPDATED = 1_795_602_428
"""The time in the status of the case, if it is UTC."""
TUNNEL = "OpenVPN STATISTICS\nUpdated,2026-11-23 03:53:03\nTCP/UDP read bytes,{read}\n{more}END\n"


def status(*, received: int = 3005, printed: int = PRINTED) -> bytes:
    text = b"\n".join(STATUS_3) + b"\n"
    return text.replace(b"\t3005\t", b"\t%d\t" % received).replace(
        str(PRINTED).encode(), str(printed).encode()
    )


class PolledFile:
    """A state, and the file that is polled into it; the clock has the time of the file."""

    def __init__(self, path: Path, *, management: bool = False, absolute: bool = True) -> None:
        self.path = path
        self.now = PRINTED + 5.0
        daemon = DaemonConfig(
            name="office",
            management=parse_endpoint("127.0.0.1:7505") if management else None,
            status_file=path,
        )
        self.state = DaemonState(Target(daemon), absolute=absolute)
        self.prepared = 0
        self.used = asyncio.Event()
        self.poller = StatusFilePoller(
            self.state,
            on_updated=self._prepare,
            clock=lambda: self.now,
        )

    async def _prepare(self, state: DaemonState) -> None:
        self.prepared += 1
        self.used.set()

    def write(self, content: bytes, *, age: float = 5.0) -> None:
        """Write the file as if `age` seconds ago."""
        self.path.write_bytes(content)
        os.utime(self.path, (self.now - age, self.now - age))

    def answer(self, content: bytes) -> None:
        """Let the session answer a poll with this status."""
        reading = parse_status(tuple(content.splitlines()))
        run_batches(
            self.state.on_poll(Poll(LoadStats(1, 500, 600), reading), now=self.now, duration=0.1)
        )

    def received(self) -> int:
        return self.state.clients.totals["alice"].received_bytes

    def connected_since(self, name: str) -> int | None:
        return self.state.clients.totals[name].connected_since


@pytest.fixture
def alone(tmp_path: Path) -> PolledFile:
    return PolledFile(tmp_path / "status.log")


@pytest.fixture
def fallback(tmp_path: Path) -> PolledFile:
    return PolledFile(tmp_path / "status.log", management=True)


async def test_a_status_file_alone_makes_a_daemon_up(alone: PolledFile) -> None:
    alone.write(status())
    await alone.poller.poll()
    state = alone.state
    assert (state.up, state.management_up, state.down_reason) == (True, False, None)
    assert state.source is StatusSource.STATUS_FILE
    assert isinstance(state.status, ServerStatus)
    assert state.version is not None
    assert state.version.version == "2.6.14"
    assert alone.received() == 3005
    assert alone.prepared == 1


async def test_totals_are_sums_of_the_rows_without_load_stats(alone: PolledFile) -> None:
    alone.write(status())
    await alone.poller.poll()
    alone.write(status(received=3105, printed=PRINTED + 60))
    await alone.poller.poll()
    assert alone.state.traffic.received_bytes == 3105


async def test_totals_of_a_tunnel_are_its_link_bytes(alone: PolledFile) -> None:
    written = TUNNEL.format(read=700, more="TCP/UDP write bytes,800\n")
    updated = parse_status(tuple(written.encode().splitlines())).updated
    alone.now = updated + 1
    alone.write(written.encode())
    await alone.poller.poll()
    assert alone.state.traffic.received_bytes == 700
    assert alone.state.traffic.sent_bytes == 800


async def test_a_status_that_was_counted_is_not_counted_again(alone: PolledFile) -> None:
    alone.write(status())
    await alone.poller.poll()
    await alone.poller.poll()
    assert alone.received() == 3005
    assert alone.state.polls == 2


async def test_an_old_status_is_stale(alone: PolledFile) -> None:
    alone.write(status(), age=181.0)
    await alone.poller.poll()
    assert not alone.state.up
    assert alone.state.down_reason is DownReason.STALE
    assert "181 s old" in alone.state.down_message


async def test_a_deleted_file_clears_the_gauges(alone: PolledFile) -> None:
    alone.write(status())
    await alone.poller.poll()
    alone.path.unlink()
    await alone.poller.poll()
    assert (alone.state.up, alone.state.status) == (False, None)
    assert alone.state.down_reason is DownReason.NOT_FOUND
    assert alone.received() == 3005


async def test_the_file_is_used_while_the_session_is_down(fallback: PolledFile) -> None:
    fallback.state.on_down(SlotBusy("127.0.0.1:7505: busy"))
    fallback.write(status())
    await fallback.poller.poll()
    state = fallback.state
    assert (state.up, state.management_up) == (True, False)
    assert state.down_reason is DownReason.BUSY
    state.on_down(SlotBusy("127.0.0.1:7505: still busy"))
    assert state.up
    assert state.status is not None


async def test_bytes_count_once_when_the_source_changes(fallback: PolledFile) -> None:
    fallback.answer(status(received=5000, printed=PRINTED))
    fallback.state.on_down(SlotBusy("busy"))
    assert not fallback.state.up
    fallback.write(status(received=4000, printed=PRINTED))  # the same second, but before
    await fallback.poller.poll()
    assert fallback.received() == 5000
    fallback.write(status(received=6000, printed=PRINTED + 60))
    await fallback.poller.poll()
    assert fallback.received() == 6000
    fallback.answer(status(received=6500, printed=PRINTED + 70))
    assert fallback.received() == 6500
    assert fallback.state.source is StatusSource.MANAGEMENT
    assert fallback.state.traffic.received_bytes == 500


async def test_a_failed_file_keeps_the_reason_of_the_session(
    fallback: PolledFile,
) -> None:
    fallback.state.on_down(SlotBusy("127.0.0.1:7505: busy"))
    await fallback.poller.poll()
    assert not fallback.state.up
    assert fallback.state.down_reason is DownReason.BUSY
    assert fallback.state.poll_failures[DownReason.NOT_FOUND] == 1


async def test_the_file_is_not_read_while_the_session_is_up(fallback: PolledFile) -> None:
    fallback.answer(status())
    reading = asyncio.create_task(fallback.poller.run(0.001))
    await asyncio.sleep(0.01)
    reading.cancel()
    assert fallback.state.polls == 1


async def test_the_session_is_tried_first(fallback: PolledFile) -> None:
    fallback.write(status())
    reading = asyncio.create_task(fallback.poller.run(0.001))
    await asyncio.sleep(0.01)
    assert fallback.state.polls == 0
    fallback.state.on_down(SlotBusy("127.0.0.1:7505: busy"))
    async with asyncio.timeout(TEST_TIMEOUT):
        await fallback.used.wait()
    reading.cancel()
    assert fallback.state.source is StatusSource.STATUS_FILE


async def test_clients_of_a_deleted_file_expire(alone: PolledFile) -> None:
    alone.write(status())
    await alone.poller.poll()
    alone.path.unlink()
    await alone.poller.poll()
    assert "alice" in alone.state.clients.totals
    alone.now += ClientsConfig().forget_after + 60
    await alone.poller.poll()
    assert "alice" not in alone.state.clients.totals


async def test_a_session_that_is_back_meanwhile_wins(
    fallback: PolledFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slowly(self: StatusFile) -> FileContent:
        fallback.answer(status(received=9000, printed=PRINTED + 2))
        lines = ReplyLines.of(status(received=8000, printed=PRINTED + 3).splitlines())
        return FileContent(lines, written_at=fallback.now, digest=b"")

    monkeypatch.setattr(StatusFile, "read", slowly)
    await fallback.poller.poll()
    assert fallback.received() == 9000
    assert fallback.state.source is StatusSource.MANAGEMENT


async def test_only_changes_are_logged(alone: PolledFile, log: LogCapture) -> None:
    for content in (None, None, status(), status(), b""):
        if content is not None:
            alone.write(content)
        await alone.poller.poll()
    assert [message for message in log.messages if "status file" in message] == [
        "cannot use the status file",
        "using the status file",
        "cannot use the status file",
    ]


async def test_a_daemon_in_server_mode_may_write_any_format(alone: PolledFile) -> None:
    commas = status().replace(b"\t", b",")
    alone.write(commas)
    await alone.poller.poll()
    assert alone.received() == 3005


async def test_a_deleted_file_ends_its_status(fallback: PolledFile) -> None:
    fallback.state.on_down(SlotBusy("127.0.0.1:7505: busy"))
    fallback.write(status())
    await fallback.poller.poll()
    daemon = DaemonConfig(name="office", management=parse_endpoint("127.0.0.1:7505"))
    fallback.state.reconfigure(Target(daemon, ClientsConfig()))
    assert (fallback.state.up, fallback.state.status) == (False, None)


async def test_a_file_removed_from_the_configuration_clears_the_gauges(
    fallback: PolledFile,
) -> None:
    fallback.state.on_down(SlotBusy("127.0.0.1:7505: busy"))
    fallback.write(status())
    await fallback.poller.poll()
    with_file = DaemonConfig(name="office", status_file=fallback.path)
    fallback.state.reconfigure(Target(with_file, ClientsConfig()))
    assert fallback.state.up
    fallback.state.reconfigure(Target(DaemonConfig(name="office")))
    assert (fallback.state.up, fallback.state.status) == (False, None)


@pytest.mark.parametrize("name", ["tap-bridge-2.4.status", "format1-unpadded-day.status"])
async def test_a_file_without_a_readable_client_row_is_down(alone: PolledFile, name: str) -> None:
    content = (CASES / name).read_bytes()
    alone.now = parse_status(tuple(content.splitlines())).updated + 5.0
    for number in (b"5000", b"15433", b"65029"):
        content = content.replace(number, b"many")
    alone.write(content)
    await alone.poller.poll()
    assert alone.state.down_reason is DownReason.PROTOCOL
    assert "client rows can be parsed" in alone.state.down_message


async def test_a_file_without_clients_and_with_an_unknown_row_is_up(alone: PolledFile) -> None:
    rows = [line for line in STATUS_3 if not line.startswith((b"CLIENT_LIST", b"ROUTING"))]
    alone.write(b"\n".join([*rows[:-1], b"GLOBAL_STATS\tnew\t1", b"END", b""]))
    await alone.poller.poll()
    assert alone.state.up
    assert alone.state.unparsed_lines == 1


FORMAT_1 = (
    "OpenVPN CLIENT LIST\nUpdated,{printed}\n"
    "Common Name,Real Address,Bytes Received,Bytes Sent,Connected Since\n"
    "alice,192.0.2.7:51820,{received},0,2026-10-25 01:00:00\n"
    "ROUTING TABLE\nVirtual Address,Common Name,Real Address,Last Ref\n"
    "10.8.0.2,alice,192.0.2.7:51820,2026-10-25 01:00:00\n"
    "GLOBAL STATS\nMax bcast/mcast queue length,0\nEND\n"
)


class TestTimes:
    """Whatever times are printed, a change of the content is counted, and nothing else is."""

    @pytest.mark.parametrize(
        "printed",
        [
            [PRINTED, PRINTED - 3600, PRINTED - 3540],
            [PRINTED + 3600, PRINTED, PRINTED + 60],
            [253_402_300_799, PRINTED, PRINTED + 60],
            [0, 0, 0],
        ],
    )
    async def test_that_go_back_stop_no_counter(
        self, alone: PolledFile, printed: list[int]
    ) -> None:
        for received, moment in zip((3000, 4000, 5000), printed, strict=True):
            alone.write(status(received=received, printed=moment))
            await alone.poller.poll()
            assert alone.state.up
            assert alone.received() == received

    async def test_of_the_repeated_hour_stop_no_counter(self, alone: PolledFile) -> None:
        for received, printed in ((3000, "02:59:30"), (4000, "02:00:30"), (5000, "02:59:30")):
            content = FORMAT_1.format(printed=f"2026-10-25 {printed}", received=received)
            alone.write(content.encode())
            await alone.poller.poll()
            assert alone.state.up
            assert alone.received() == received
        assert alone.state.clients.sessions.disconnects == 0

    async def test_beyond_all_dates_are_an_error_until_they_are_right(
        self, alone: PolledFile
    ) -> None:
        alone.write(status(printed=2**64 - 1))
        await alone.poller.poll()
        assert (alone.state.up, alone.state.down_reason) == (False, DownReason.PROTOCOL)
        alone.write(status())
        await alone.poller.poll()
        assert (alone.state.up, alone.received()) == (True, 3005)

    async def test_of_another_zone_keep_no_dead_daemon_up(self, alone: PolledFile) -> None:
        alone.write(status(printed=PRINTED + 10 * 3600), age=7200.0)
        await alone.poller.poll()
        assert (alone.state.up, alone.state.down_reason) == (False, DownReason.STALE)

    async def test_of_another_zone_make_no_fresh_file_stale(self, alone: PolledFile) -> None:
        alone.write(status(printed=PRINTED - 10 * 3600))
        await alone.poller.poll()
        assert alone.state.up

    @pytest.mark.parametrize("age", [0.0, 100.0])
    @pytest.mark.parametrize("zone", ["UTC0", "EST5", "CET-1"])
    async def test_without_a_zone_are_of_the_one_that_the_modification_time_shows(
        self, alone: PolledFile, age: float, zone: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A container has written the file in UTC, on a host of another zone."""
        alone.now = CASE_UPDATED + age
        alone.write((CASES / "format1-utc.status").read_bytes(), age=age)
        with monkeypatch.context() as patch:
            patch.setenv("TZ", zone)
            time.tzset()
            await alone.poller.poll()
        time.tzset()
        assert alone.state.up
        assert alone.connected_since("site") == CASE_UPDATED
        alone.now += 3 * 3600
        alone.write((CASES / "format1-utc.status").read_bytes(), age=3 * 3600 + age)
        alone.poller = StatusFilePoller(alone.state, clock=lambda: alone.now)
        await alone.poller.poll()
        assert alone.state.down_reason is DownReason.STALE

    @pytest.mark.parametrize("offset", [20_700, -9000, 50_400, -43_200])
    async def test_of_any_zone_are_those_of_the_file(self, alone: PolledFile, offset: int) -> None:
        alone.now = CASE_UPDATED - offset + 5.0
        alone.write((CASES / "format1-utc.status").read_bytes())
        await alone.poller.poll()
        assert alone.connected_since("site") == CASE_UPDATED - offset

    async def test_of_a_copy_keep_the_zone_of_the_first_look(self, alone: PolledFile) -> None:
        """Each copy has its own modification time, while the daemon writes seldom."""
        for age in (5.0, 170.0, 1000.0):
            alone.now = CASE_UPDATED + age
            alone.write((CASES / "format1-utc.status").read_bytes(), age=0.0)
            await alone.poller.poll()
            assert alone.connected_since("site") == CASE_UPDATED

    async def test_of_no_zone_are_of_utc(self, alone: PolledFile) -> None:
        alone.now = CASE_UPDATED + 86_400.0
        alone.write((CASES / "format1-utc.status").read_bytes(), age=0.0)
        await alone.poller.poll()
        assert alone.connected_since("site") == CASE_UPDATED

    async def test_of_another_zone_count_nothing_twice_after_a_session(
        self, fallback: PolledFile
    ) -> None:
        fallback.answer(status(received=5000))
        fallback.state.on_down(SlotBusy("busy"))
        fallback.write(status(received=4000, printed=PRINTED + 7200), age=60.0)
        await fallback.poller.poll()
        assert fallback.received() == 5000
        fallback.write(status(received=6000, printed=PRINTED - 7200))
        await fallback.poller.poll()
        assert fallback.received() == 6000

    @pytest.mark.parametrize("age", [-3600.0, 170.0])
    async def test_of_the_file_count_nothing_twice_after_a_session(
        self, fallback: PolledFile, age: float
    ) -> None:
        """The clock was set back or forward, after the file was written."""
        fallback.answer(status(received=5000))
        fallback.state.on_down(SlotBusy("busy"))
        fallback.write(status(received=4000), age=age)
        await fallback.poller.poll()
        assert fallback.received() == 5000
        fallback.write(status(received=6000), age=age + 1)
        await fallback.poller.poll()
        assert fallback.received() == 6000


async def test_a_session_that_began_after_the_file_was_missed_counts_whole(tmp_path: Path) -> None:
    polled = PolledFile(tmp_path / "status.log", absolute=False)
    polled.state.monitored_since = asyncio.get_running_loop().time() - 600
    await polled.poller.poll()
    polled.write(status(received=100))
    await polled.poller.poll()
    assert polled.received() == 100
