"""Memory over a simulated day in which clients come and go all the time, and most never return."""

import itertools
import os
from collections import deque
from collections.abc import Iterator

from bench.effort import Effort
from bench.figures import MEBI, Figure, at_most, mebibytes
from bench.process import footprint
from bench.progress import say
from bench.subject import Subject

_CLIENTS = 500
_REPLACED = 5
"""Clients that leave in each interval, and as many newcomers."""
_INTERVAL = 15
_HOUR = 3600 // _INTERVAL
_SETTLED = 3
"""Hours after which nothing should grow: by then as many are forgotten as come."""
_LIMIT = 1.0
_NOON = 1_795_435_200
_HEADER = (
    "HEADER\tCLIENT_LIST\tCommon Name\tReal Address\tVirtual Address\tVirtual IPv6 Address\t"
    "Bytes Received\tBytes Sent\tConnected Since\tConnected Since (time_t)\tUsername\tClient ID\t"
    "Peer ID\tData Channel Cipher"
)


def measure(effort: Effort) -> list[Figure]:
    """Feed statuses by hand, rendering a page after each, as fast as that goes."""
    subject = Subject()
    replies = _replies()
    sizes: list[int] = []
    for hour in range(_SETTLED + effort.churn_hours):
        say(f"hour {hour + 1} of {_SETTLED + effort.churn_hours}")
        for now, lines in itertools.islice(replies, _HOUR):
            subject.read(lines, now=now)
            subject.page()
        sizes.append(footprint(os.getpid()).resident)
    growth = sizes[-1] - sizes[_SETTLED - 1]
    return [
        Figure(
            what=f"memory over {effort.churn_hours} h, {_REPLACED} of {_CLIENTS} clients replaced "
            f"every {_INTERVAL} s",
            measured=f"{mebibytes(growth)} more",
            reference=f"{mebibytes(sizes[_SETTLED - 1])} after {_SETTLED} h",
            bound=at_most(growth / MEBI, _LIMIT, "MiB"),
        )
    ]


def _replies() -> Iterator[tuple[float, list[bytes]]]:
    """Give the time and the lines of one status after the other."""
    numbers = itertools.count()
    present = deque((next(numbers), _NOON) for _ in range(_CLIENTS))
    for now in itertools.count(_NOON, _INTERVAL):
        yield now, [line.encode() for line in _lines(present, now)]
        for _ in range(_REPLACED):
            present.popleft()
            present.append((next(numbers), now))


def _lines(present: deque[tuple[int, int]], now: int) -> Iterator[str]:
    yield "TITLE\tOpenVPN 2.6.14 x86_64-pc-linux-gnu"
    yield f"TIME\tnow\t{now}"
    yield _HEADER
    for number, since in present:
        moved = 1000 * (now - since)
        yield (
            f"CLIENT_LIST\tclient-{number}\t192.0.2.1:{number % 60000}\t10.8.{number % 250}.1\t\t"
            f"{moved}\t{2 * moved}\tsince\t{since}\tUNDEF\t{number}\t{number % 500}\tAES-256-GCM"
        )
