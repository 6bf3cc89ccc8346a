"""`python -m bench.growth FILE`: measure how polls and memory grow, and draw it as SVG.

The exporter has one daemon, whose clients all move, and no features. Its text is rendered after
each poll, and nothing scrapes it. The floor of a poll is that of `bench.cases.large_polls`.
"""

import functools
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from bench.cases.large_polls import floor
from bench.chart import Chart, render
from bench.children import StatusDaemon, probed_exporter, status_daemon
from bench.process import cpu_time, footprint
from bench.report import progress
from bench.result import MEBI, MILLI
from bench.status_daemon import statuses

_CLIENTS = (100, 300, 1000, 3000, 10_000, 30_000, 100_000)
_CHURN = 0.01
_FIRST = 3
"""Polls before the measurement: new clients, and what is set up for the next polls."""

_POLLS = 6
_SECONDS_PER_CLIENT = 60e-6
"""Of a poll interval, with pauses: a poll takes a tenth of it."""


class _Cost(msgspec.Struct, frozen=True):
    """Seconds of processor time of a poll, bytes of memory."""

    poll: float
    memory: int


def _measure(clients: int, churn: float) -> _Cost:
    progress(f"{clients:,} clients, {churn:.0%} replaced")
    interval = max(1, round(clients * _SECONDS_PER_CLIENT))
    with (
        tempfile.NamedTemporaryFile("w", suffix=".json") as file,
        status_daemon(clients, churn, _FIRST + _POLLS + 1) as daemon,
    ):
        configuration = {
            "poll_interval": f"{interval}s",
            "clients": {"limit": 2 * clients},
            "daemons": [{"name": "office", "management": daemon.address}],
        }
        json.dump(configuration, file)  # JSON is valid YAML
        file.flush()
        return _observe(daemon, Path(file.name), interval)


def _observe(daemon: StatusDaemon, config: Path, interval: float) -> _Cost:
    with probed_exporter(config=config, probe=False) as exporter:
        for _ in range(_FIRST):
            daemon.wait()
        time.sleep(interval / 2)  # until the last of them is rendered
        exporter.observe()
        for _ in range(_POLLS):
            daemon.wait()
        time.sleep(interval / 2)
        return _Cost(exporter.observe().cpu / _POLLS, footprint(exporter.pid).resident)


def _floor(clients: int) -> float:
    reply = next(statuses(clients, 0.0, 1))
    return statistics.median(cpu_time(functools.partial(floor, reply)) for _ in range(5))


def main() -> None:
    """Measure, and write the image."""
    steady = {clients: _measure(clients, 0.0) for clients in _CLIENTS}
    churn = {clients: _measure(clients, _CHURN) for clients in _CLIENTS}
    floors = {clients: _floor(clients) for clients in _CLIENTS}
    polls = Chart(
        "CPU time of a poll, in milliseconds",
        "clients",
        {
            "all move": [(clients, cost.poll * MILLI) for clients, cost in steady.items()],
            "1 % replaced": [(clients, cost.poll * MILLI) for clients, cost in churn.items()],
            "bytes split": [(clients, seconds * MILLI) for clients, seconds in floors.items()],
        },
    )
    memory = Chart(
        "Memory, in MiB",
        "clients",
        {"all move": [(clients, cost.memory / MEBI) for clients, cost in steady.items()]},
    )
    for clients in _CLIENTS:
        print(
            f"{clients:>7,} clients: {steady[clients].poll * MILLI:6.1f} ms, "
            f"replaced {churn[clients].poll * MILLI:6.1f} ms, "
            f"floor {floors[clients] * MILLI:6.2f} ms, "
            f"{steady[clients].memory / MEBI:6.1f} MiB"
        )
    description = "CPU time of a poll and memory, by number of clients: both grow in proportion"
    Path(sys.argv[1]).write_text(render([polls, memory], description), encoding="utf-8")


if __name__ == "__main__":
    main()
