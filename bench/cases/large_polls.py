"""A whole poll of very many clients, against what its bytes cost at least.

The floor splits the same bytes into lines and each client row into fields, and parses two numbers
of each row. Statuses are ready before the exporter asks for them. All features are switched on.
"""

import contextlib
import functools
import statistics
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence

import msgspec

from bench.benchmark import SampleSizes
from bench.children import ProbedExporter, StatusDaemon, probed_exporter, status_daemon
from bench.configuration import Visitors, all_features
from bench.process import cpu_time
from bench.report import progress
from bench.result import MILLI, Result, at_most, format_ms, format_ratio
from bench.status_daemon import common_name, statuses

_FIRST = 3
"""Polls before the measurement: new clients, and what is set up for the next polls."""

_SETTLED = 0.6
"""Part of the interval after which a poll is done, rendering included."""

_HOLD_LIMIT = 20.0
_HEALTH_LIMIT = 40.0
_GROWTH_LIMIT = 1.2
_PAUSE = 0.01


class _Case(msgspec.Struct, frozen=True):
    """So many clients, a part of which is replaced at each poll; the limit is a ratio."""

    clients: int
    churn: float
    limit: float
    interval: float

    @property
    def title(self) -> str:
        replaced = f", {self.churn:.0%} of the rows replaced" if self.churn else ""
        return f"{self.clients:,} clients{replaced}"


_SMALL = _Case(10_000, 0.0, 3.0, 1.0)
_CHURN = _Case(10_000, 0.01, 4.5, 1.0)
_LARGE = _Case(50_000, 0.0, 3.5, 3.0)
_HUGE = _Case(100_000, 0.0, 3.5, 6.0)


class _Measured(msgspec.Struct, frozen=True):
    """Seconds: CPU time of a poll, of the floor and of visitors, the longest answer, holds."""

    poll: float
    floor: float
    visits: float
    answer: float
    first_hold: float
    hold: float

    @property
    def ratio(self) -> float:
        return self.poll / self.floor


def measure(sizes: SampleSizes) -> list[Result]:
    """Measure polls of growing size."""
    results: list[Result] = []
    measured: dict[_Case, _Measured] = {}
    for case in (_SMALL, _CHURN, _LARGE, _HUGE):
        progress(case.title)
        measured[case] = _measure(case, sizes.polls if case.clients == _SMALL.clients else 4)
        results += _results(case, measured[case])
    growth = measured[_HUGE].ratio / measured[_SMALL].ratio
    results.append(
        Result(
            name="growth of a poll from 10,000 to 100,000 clients, against that of the floor",
            measured=format_ratio(measured[_HUGE].poll / measured[_SMALL].poll),
            reference=format_ratio(measured[_HUGE].floor / measured[_SMALL].floor),
            ratio=format_ratio(growth),
            limit=at_most(growth, _GROWTH_LIMIT, "x"),
        )
    )
    return results


def _results(case: _Case, measured: _Measured) -> list[Result]:
    answer, hold = measured.answer * MILLI, measured.hold * MILLI
    return [
        Result(
            name=f"{case.title}: CPU time of a poll",
            measured=format_ms(measured.poll),
            reference=f"split and two numbers {format_ms(measured.floor)}",
            ratio=format_ratio(measured.ratio),
            limit=at_most(measured.ratio, case.limit, "x"),
        ),
        Result(
            name=f"{case.title}: CPU time of a gzip scrape, two web pages, and a tool's page",
            measured=format_ms(measured.visits),
        ),
        Result(
            name=f"{case.title}: longest answer of /-/healthy during polls",
            measured=format_ms(measured.answer),
            limit=at_most(answer, _HEALTH_LIMIT, "ms") if case is _LARGE else None,
        ),
        Result(
            name=f"{case.title}: longest hold of the event loop",
            measured=f"{format_ms(measured.hold)} CPU time",
            reference=f"first poll {format_ms(measured.first_hold)}",
            limit=at_most(max(hold, measured.first_hold * MILLI), _HOLD_LIMIT, "ms"),
        ),
    ]


def _measure(case: _Case, polls: int) -> _Measured:
    replies = list(statuses(case.clients, case.churn, 3))
    floors = [cpu_time(functools.partial(floor, reply)) for reply in replies * 3]
    with _running(case, _FIRST + 3 * polls, probe=False) as (daemon, exporter, visitors):
        _wait(daemon, case, _FIRST)
        exporter.observe()
        _wait(daemon, case, polls)
        poll = exporter.observe().cpu / polls
        _visit(daemon, case, polls, visitors=visitors)
        visits = exporter.observe().cpu / polls - poll
        answer = _longest_answer(exporter, daemon, polls)
    with _running(case, 1 + polls, probe=True) as (daemon, exporter, visitors):
        exporter.observe()  # without the start of the exporter
        _wait(daemon, case, 1)
        first_hold = exporter.observe().stall_cpu
        _visit(daemon, case, polls, visitors=visitors)
        hold = exporter.observe().stall_cpu
    return _Measured(poll, statistics.median(floors), visits, answer, first_hold, hold)


@contextlib.contextmanager
def _running(
    case: _Case, count: int, *, probe: bool
) -> Iterator[tuple[StatusDaemon, ProbedExporter, Visitors]]:
    """Run a daemon with so many statuses, and an exporter with all features."""
    names = map(common_name, range(case.clients))
    with (
        status_daemon(case.clients, case.churn, count) as daemon,
        all_features(
            [daemon.address], names, interval=case.interval, limit=2 * case.clients
        ) as configuration,
        probed_exporter(config=configuration.path, probe=probe) as exporter,
        Visitors(exporter.url, configuration) as visitors,
    ):
        yield daemon, exporter, visitors


def _wait(daemon: StatusDaemon, case: _Case, polls: int) -> None:
    """Wait for so many polls, rendering included."""
    for _ in range(polls):
        daemon.wait()
    time.sleep(case.interval * _SETTLED)


def _visit(daemon: StatusDaemon, case: _Case, polls: int, *, visitors: Visitors) -> None:
    """Let visitors come after each of so many polls."""
    for _ in range(polls):
        _wait(daemon, case, 1)
        visitors.visit()


def _longest_answer(exporter: ProbedExporter, daemon: StatusDaemon, polls: int) -> float:
    """Return the longest time in seconds in which a request is answered during some polls."""
    answers: list[float] = []
    ended = threading.Event()

    def ask() -> None:
        while not ended.is_set():
            started = time.perf_counter()
            with urllib.request.urlopen(f"{exporter.url}/-/healthy") as response:  # noqa: S310
                response.read()
            answers.append(time.perf_counter() - started)
            time.sleep(_PAUSE)

    asking = threading.Thread(target=ask)
    asking.start()
    for _ in range(polls):
        daemon.wait()
    ended.set()
    asking.join()
    return max(answers)


def floor(reply: bytes) -> int:
    """Do the least that a poll has to do with these bytes."""
    total = 0
    for line in reply.split(b"\n"):
        if line.startswith(b"CLIENT_LIST"):
            fields: Sequence[bytes] = line.split(b"\t")
            total += int(fields[5]) + int(fields[6])
    return total
