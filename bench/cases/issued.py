"""The list of issued certificates: reading it, and what it adds to the state of a poll."""

import asyncio
import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from bench.benchmark import SampleSizes
from bench.loop_probe import LoopProbe
from bench.report import progress
from bench.result import Result, at_most, format_mib, format_ms, format_ratio
from exporter.aio import run_in_daemon_thread
from exporter.certificates.pki import PkiSource, PkiState
from exporter.certificates.pki_reader import PkiReader
from exporter.certificates.pki_watch import PkiWatch
from exporter.config import DaemonConfig
from exporter.config.pki import PkiConfig
from exporter.config.target import Target
from exporter.management.batches import run_batches
from exporter.management.endpoint import parse_endpoint
from exporter.management.replies import LoadStats, Poll
from exporter.management.status import ClientRow, ServerStatus
from exporter.state.daemon import DaemonState

_LINES = 100_000
_CLIENTS = 10_000
_NEW = _CLIENTS // 100
_START = 1_800_000_000
_STALL_LIMIT = 2.0
_READ_LIMIT = 35.0
_POLL_LIMIT = 1.2
_CHURN_LIMIT = 1.5


def measure(sizes: SampleSizes) -> list[Result]:
    """Measure the reading of a long index, and polls of a large server with and without it."""
    with tempfile.TemporaryDirectory() as directory:
        index = Path(directory, "index.txt")
        index.write_bytes(b"".join(map(_line, range(_LINES))))
        progress(f"an index of {_LINES:,} lines")
        return [
            _read(index, sizes.calls),
            _memory(index),
            _stall(index, sizes.calls),
            *(
                _poll(index, sizes.calls, new=new, limit=limit)
                for new, limit in ((0, _POLL_LIMIT), (_NEW, _CHURN_LIMIT))
            ),
        ]


def _line(number: int) -> bytes:
    date = b"%02d%02d%02d120000Z" % (28 + number % 7, 1 + number % 12, 1 + number % 28)
    status, revoked = (b"R", b"261125221335Z,superseded") if number % 10 == 0 else (b"V", b"")
    serial = b"%032X" % (number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128)
    subject = b"/C=DE/O=Example/CN=user-%d" % number
    return b"\t".join((status, date, revoked, serial, b"unknown", subject)) + b"\n"


def _read(index: Path, runs: int) -> Result:
    """Compare with splitting the same lines at their tabs, and one number of each."""
    content = index.read_bytes()
    seconds = _median(lambda: PkiReader(PkiSource(index)).read(), runs)
    reference = _median(
        lambda: [int(line.split(b"\t")[3], 16) for line in content.splitlines()], runs
    )
    return Result(
        name=f"CPU time of reading {_LINES:,} certificates",
        measured=format_ms(seconds),
        reference=f"{format_ms(reference)} to split them",
        ratio=format_ratio(seconds / reference),
        limit=at_most(seconds / reference, _READ_LIMIT, "x"),
    )


def _memory(index: Path) -> Result:
    tracemalloc.start()
    read = PkiReader(PkiSource(index)).read()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del read
    return Result(name=f"memory of {_LINES:,} certificates", measured=format_mib(size))


def _stall(index: Path, runs: int) -> Result:
    """Compare with any thread that computes as long: the interpreter switches every 5 ms."""
    read = [asyncio.run(_observe(PkiWatch(PkiSource(index)).check())) for _ in range(runs)]
    busy = [asyncio.run(_observe(run_in_daemon_thread(_compute))) for _ in range(runs)]
    stall, reference = statistics.median(read), statistics.median(busy)
    return Result(
        name=f"longest hold of the event loop while {_LINES:,} certificates are read",
        measured=f"{format_ms(stall)} elapsed",
        reference=f"{format_ms(reference)} by any thread",
        ratio=format_ratio(stall / reference),
        limit=at_most(stall / reference, _STALL_LIMIT, "x"),
    )


async def _observe(work: Awaitable[object]) -> float:
    probe = LoopProbe()
    ticking = asyncio.create_task(probe.run())
    await asyncio.sleep(0.05)
    probe.stall = 0.0
    await work
    ticking.cancel()
    return probe.stall


def _compute() -> int:
    end, number = time.perf_counter() + 0.5, 0
    while time.perf_counter() < end:
        number += 1
    return number


def _poll(index: Path, runs: int, *, new: int, limit: float) -> Result:
    """Compare a poll's update of the state with the same one without a list."""
    issued, _ = PkiReader(PkiSource(index)).read()
    with_list, without = _daemon(index), _daemon(None)
    with_list.set_pki(PkiState(PkiSource(index), _START, issued))
    polls = [_Polls(daemon, new) for daemon in (with_list, without)]
    pairs = [[each.seconds() for each in polls] for _ in range(runs)]
    seconds, reference = (statistics.median(column) for column in zip(*pairs, strict=True))
    return Result(
        name=f"state after a poll of {_CLIENTS:,} clients, {new} of them new",
        measured=format_ms(seconds),
        reference=f"{format_ms(reference)} without a list",
        ratio=format_ratio(seconds / reference),
        limit=at_most(seconds / reference, limit, "x"),
    )


def _daemon(index: Path | None) -> DaemonState:
    config = DaemonConfig(name="office", management=parse_endpoint("127.0.0.1:7505"))
    return DaemonState(Target(config, pki=None if index is None else PkiConfig(index=index)))


class _Polls:
    """The polls of one daemon, in each of which some clients are replaced by new ones."""

    def __init__(self, daemon: DaemonState, new: int) -> None:
        self._daemon = daemon
        self._new = new
        self._rows = {number: _row(number) for number in range(_CLIENTS)}
        self._now = _START
        self.seconds()  # all of them are new

    def seconds(self) -> float:
        """Return the CPU time in which the next poll updates the state."""
        self._now += 15
        for number in list(self._rows)[: self._new]:
            del self._rows[number]
            self._rows[number + _CLIENTS] = _row(number + _CLIENTS)
        clients = tuple(
            msgspec.structs.replace(row, received_bytes=self._now - _START)
            for row in self._rows.values()
        )
        status = ServerStatus(
            updated=self._now, clients=clients, pending=(), routes=(), route_count=0
        )
        poll = Poll(LoadStats(0, 0, 0), status)
        started = time.thread_time()
        run_batches(self._daemon.on_poll(poll, now=self._now, duration=0.1))
        return time.thread_time() - started


def _row(number: int) -> ClientRow:
    return ClientRow(
        common_name=f"user-{number % _LINES}",
        real_address=f"192.0.2.1:{number % 60_000}",
        virtual_address="10.8.0.2",
        virtual_ipv6_address="",
        received_bytes=0,
        sent_bytes=0,
        connected_since=_START - 100,
        client_id=number,
    )


def _median(call: Callable[[], object], runs: int) -> float:
    durations = []
    for _ in range(runs):
        started = time.thread_time()
        call()
        durations.append(time.thread_time() - started)
    return statistics.median(durations)
