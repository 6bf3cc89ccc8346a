"""Memory growth over a simulated day of client churn: each client connects once."""

import itertools
import os
from collections import deque
from collections.abc import Iterator

from bench.benchmark import SampleSizes
from bench.fixture import Fixture
from bench.process import footprint
from bench.report import progress
from bench.result import MEBI, Result, at_most, format_mib

_CLIENTS = 500
_REPLACED = 5
"""Clients that disconnect in each interval; as many new ones connect."""
_INTERVAL = 15
_POLLS_PER_HOUR = 3600 // _INTERVAL
_WARM_UP = 3
"""Hours after which memory should not grow: as many clients expire as connect."""
_LIMIT = 1.0
_START = 1_795_435_200
_HEADER = (
    "HEADER\tCLIENT_LIST\tCommon Name\tReal Address\tVirtual Address\tVirtual IPv6 Address\t"
    "Bytes Received\tBytes Sent\tConnected Since\tConnected Since (time_t)\tUsername\tClient ID\t"
    "Peer ID\tData Channel Cipher"
)


def measure(sizes: SampleSizes) -> list[Result]:
    """Feed one status after the other and render a page after each."""
    fixture = Fixture()
    replies = _replies()
    resident: list[int] = []
    for hour in range(_WARM_UP + sizes.churn_hours):
        progress(f"hour {hour + 1} of {_WARM_UP + sizes.churn_hours}")
        for now, lines in itertools.islice(replies, _POLLS_PER_HOUR):
            fixture.feed(lines, now=now)
            fixture.page()
        resident.append(footprint(os.getpid()).resident)
    growth = resident[-1] - resident[_WARM_UP - 1]
    return [
        Result(
            name=f"memory growth over {sizes.churn_hours} h, {_REPLACED} of {_CLIENTS} clients "
            f"replaced every {_INTERVAL} s",
            measured=format_mib(growth),
            reference=f"{format_mib(resident[_WARM_UP - 1])} after {_WARM_UP} h",
            limit=at_most(growth / MEBI, _LIMIT, "MiB"),
        )
    ]


def _replies() -> Iterator[tuple[float, list[bytes]]]:
    """Yield the time and the lines of one status after the other."""
    numbers = itertools.count()
    connected = deque((next(numbers), _START) for _ in range(_CLIENTS))
    for now in itertools.count(_START, _INTERVAL):
        yield now, [line.encode() for line in _lines(connected, now)]
        for _ in range(_REPLACED):
            connected.popleft()
            connected.append((next(numbers), now))


def _lines(connected: deque[tuple[int, int]], now: int) -> Iterator[str]:
    yield "TITLE\tOpenVPN 2.6.14 x86_64-pc-linux-gnu"
    yield f"TIME\tnow\t{now}"
    yield _HEADER
    for number, since in connected:
        count = 1000 * (now - since)
        yield (
            f"CLIENT_LIST\tclient-{number}\t192.0.2.1:{number % 60000}\t10.8.{number % 250}.1\t\t"
            f"{count}\t{2 * count}\tsince\t{since}\tUNDEF\t{number}\t{number % 500}\tAES-256-GCM"
        )
