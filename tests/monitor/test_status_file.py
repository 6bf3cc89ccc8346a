"""A daemon as its status file tells of it: alone, or while its session doesn't work."""

import asyncio
import os
from pathlib import Path

import pytest

from exporter.config.schema import ClientsConfig, DaemonConfig
from exporter.config.target import Target
from exporter.management.endpoint import parse_endpoint
from exporter.management.errors import DownReason, SlotBusy
from exporter.management.replies import LoadStats, Poll
from exporter.management.status import ServerStatus, parse_status
from exporter.monitor.status_file import StatusFile, StatusFilePoller
from exporter.state.daemon import DaemonState, StatusSource
from tests.fake_daemon import STATUS_3, TEST_TIMEOUT
from tests.log_capture import LogCapture

PRINTED = 1_795_405_983
TUNNEL = "OpenVPN STATISTICS\nUpdated,2026-11-23 03:53:03\nTCP/UDP read bytes,{read}\n{more}END\n"


def status(*, received: int = 3005, printed: int = PRINTED) -> bytes:
    text = b"\n".join(STATUS_3) + b"\n"
    return text.replace(b"\t3005\t", b"\t%d\t" % received).replace(
        str(PRINTED).encode(), str(printed).encode()
    )


class Watched:
    """A record, and the file that is polled into it; the clock stands at the file's own time."""

    def __init__(self, path: Path, *, management: bool = False) -> None:
        self.path = path
        self.now = PRINTED + 5.0
        daemon = DaemonConfig(
            name="office",
            management=parse_endpoint("127.0.0.1:7505") if management else None,
            status_file=path,
        )
        self.record = DaemonState(Target(daemon))
        self.prepared = 0
        self.used = asyncio.Event()
        self.poller = StatusFilePoller(
            self.record,
            on_updated=self._prepare,
            clock=lambda: self.now,
        )

    async def _prepare(self, record: DaemonState) -> None:
        self.prepared += 1
        self.used.set()

    def write(self, content: bytes) -> None:
        """Write the file as if some time ago."""
        self.path.write_bytes(content)
        os.utime(self.path, (1_000_000_000, 1_000_000_000))

    def answer(self, content: bytes) -> None:
        """Let the session answer a poll with this status."""
        reading = parse_status(tuple(content.splitlines()))
        self.record.on_poll(Poll(LoadStats(1, 500, 600), reading), now=self.now, duration=0.1)

    def received(self) -> int:
        return self.record.clients.totals["alice"].received_bytes


@pytest.fixture
def alone(tmp_path: Path) -> Watched:
    return Watched(tmp_path / "status.log")


@pytest.fixture
def fallback(tmp_path: Path) -> Watched:
    return Watched(tmp_path / "status.log", management=True)


async def test_a_file_alone_makes_a_daemon_up(alone: Watched) -> None:
    alone.write(status())
    await alone.poller.poll()
    record = alone.record
    assert (record.up, record.management_up, record.down_reason) == (True, False, None)
    assert record.source is StatusSource.STATUS_FILE
    assert isinstance(record.status, ServerStatus)
    assert record.version is not None
    assert record.version.version == "2.6.14"
    assert alone.received() == 3005
    assert alone.prepared == 1


async def test_totals_come_from_the_rows_where_nobody_tells_them(alone: Watched) -> None:
    alone.write(status())
    await alone.poller.poll()
    alone.write(status(received=3105, printed=PRINTED + 60))
    await alone.poller.poll()
    assert alone.record.traffic.received_bytes == 3105


async def test_totals_of_a_tunnel_are_those_of_its_link(alone: Watched) -> None:
    written = TUNNEL.format(read=700, more="TCP/UDP write bytes,800\n")
    updated = parse_status(tuple(written.encode().splitlines())).updated
    alone.now = updated + 1
    alone.write(written.encode())
    await alone.poller.poll()
    assert alone.record.traffic.received_bytes == 700
    assert alone.record.traffic.sent_bytes == 800


async def test_a_status_that_was_counted_is_not_counted_again(alone: Watched) -> None:
    alone.write(status())
    await alone.poller.poll()
    await alone.poller.poll()
    assert alone.received() == 3005
    assert alone.record.polls == 2


async def test_an_old_status_is_no_news(alone: Watched) -> None:
    alone.write(status())
    alone.now = PRINTED + 181.0
    await alone.poller.poll()
    assert not alone.record.up
    assert alone.record.down_reason is DownReason.STALE
    assert "181 s old" in alone.record.down_message


async def test_a_file_that_is_gone_takes_its_readings_with_it(alone: Watched) -> None:
    alone.write(status())
    await alone.poller.poll()
    alone.path.unlink()
    await alone.poller.poll()
    assert (alone.record.up, alone.record.status) == (False, None)
    assert alone.record.down_reason is DownReason.NOT_FOUND
    assert alone.received() == 3005


async def test_a_file_serves_while_the_session_does_not(fallback: Watched) -> None:
    fallback.record.on_down(SlotBusy("127.0.0.1:7505: busy"))
    fallback.write(status())
    await fallback.poller.poll()
    record = fallback.record
    assert (record.up, record.management_up) == (True, False)
    assert record.down_reason is DownReason.BUSY
    record.on_down(SlotBusy("127.0.0.1:7505: still busy"))
    assert record.up
    assert record.status is not None


async def test_bytes_are_counted_once_over_a_change_of_the_source(fallback: Watched) -> None:
    fallback.answer(status(received=5000, printed=PRINTED))
    fallback.record.on_down(SlotBusy("busy"))
    assert not fallback.record.up
    fallback.write(status(received=4000, printed=PRINTED))  # the same second, but before
    await fallback.poller.poll()
    assert fallback.received() == 5000
    fallback.write(status(received=6000, printed=PRINTED + 60))
    await fallback.poller.poll()
    assert fallback.received() == 6000
    fallback.answer(status(received=6500, printed=PRINTED + 70))
    assert fallback.received() == 6500
    assert fallback.record.source is StatusSource.MANAGEMENT
    assert fallback.record.traffic.received_bytes == 500


async def test_a_file_that_fails_as_well_leaves_the_reason_of_the_session(
    fallback: Watched,
) -> None:
    fallback.record.on_down(SlotBusy("127.0.0.1:7505: busy"))
    await fallback.poller.poll()
    assert not fallback.record.up
    assert fallback.record.down_reason is DownReason.BUSY
    assert fallback.record.poll_failures[DownReason.NOT_FOUND] == 1


async def test_a_session_that_works_is_enough(fallback: Watched) -> None:
    fallback.answer(status())
    reading = asyncio.create_task(fallback.poller.run(0.001))
    await asyncio.sleep(0.01)
    reading.cancel()
    assert fallback.record.polls == 1


async def test_the_session_is_tried_first(fallback: Watched) -> None:
    fallback.write(status())
    reading = asyncio.create_task(fallback.poller.run(0.001))
    await asyncio.sleep(0.01)
    assert fallback.record.polls == 0
    fallback.record.on_down(SlotBusy("127.0.0.1:7505: busy"))
    async with asyncio.timeout(TEST_TIMEOUT):
        await fallback.used.wait()
    reading.cancel()
    assert fallback.record.source is StatusSource.STATUS_FILE


async def test_clients_of_a_file_that_is_gone_are_forgotten_in_time(alone: Watched) -> None:
    alone.write(status())
    await alone.poller.poll()
    alone.path.unlink()
    await alone.poller.poll()
    assert "alice" in alone.record.clients.totals
    alone.now += ClientsConfig().forget_after + 60
    await alone.poller.poll()
    assert "alice" not in alone.record.clients.totals


async def test_a_session_that_came_back_meanwhile_knows_better(
    fallback: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slowly(self: StatusFile) -> tuple[bytes, ...]:
        fallback.answer(status(received=9000, printed=PRINTED + 2))
        return tuple(status(received=8000, printed=PRINTED + 3).splitlines())

    monkeypatch.setattr(StatusFile, "read", slowly)
    await fallback.poller.poll()
    assert fallback.received() == 9000
    assert fallback.record.source is StatusSource.MANAGEMENT


async def test_only_changes_are_logged(alone: Watched, log: LogCapture) -> None:
    for content in (None, None, status(), status(), b""):
        if content is not None:
            alone.write(content)
        await alone.poller.poll()
    assert [message for message in log.messages if "status file" in message] == [
        "cannot use the status file",
        "using the status file",
        "cannot use the status file",
    ]


async def test_a_daemon_in_server_mode_may_write_any_format(alone: Watched) -> None:
    commas = status().replace(b"\t", b",")
    alone.write(commas)
    await alone.poller.poll()
    assert alone.received() == 3005


async def test_what_a_file_told_goes_with_it(fallback: Watched) -> None:
    fallback.record.on_down(SlotBusy("127.0.0.1:7505: busy"))
    fallback.write(status())
    await fallback.poller.poll()
    daemon = DaemonConfig(name="office", management=parse_endpoint("127.0.0.1:7505"))
    fallback.record.reconfigure(Target(daemon, ClientsConfig()))
    assert (fallback.record.up, fallback.record.status) == (False, None)


async def test_a_file_that_is_configured_no_longer_takes_its_readings_with_it(
    fallback: Watched,
) -> None:
    fallback.record.on_down(SlotBusy("127.0.0.1:7505: busy"))
    fallback.write(status())
    await fallback.poller.poll()
    with_file = DaemonConfig(name="office", status_file=fallback.path)
    fallback.record.reconfigure(Target(with_file, ClientsConfig()))
    assert fallback.record.up
    fallback.record.reconfigure(Target(DaemonConfig(name="office")))
    assert (fallback.record.up, fallback.record.status) == (False, None)
