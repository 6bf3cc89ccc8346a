"""What Prometheus stores on disk for each client and scrape: the blocks that promtool makes."""

import random
import shutil
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from bench.benchmark import SampleSizes
from bench.fixture import Fixture
from bench.report import progress
from bench.result import Result, at_most

_CLIENTS = 200
_MOVING = 0.3
"""Share of the clients whose counters grow between two polls."""

_RECONNECTING = 0.001
"""Share of the clients that reconnect between two polls: once in four hours."""

_INTERVAL = 15
_SCRAPES = 480
"""Two hours: a block of Prometheus."""

_LIMIT = 5.0
_START = 1_795_435_200
_PREFIX = b"openvpn_server_client_"
_HEADER = (
    "HEADER\tCLIENT_LIST\tCommon Name\tReal Address\tVirtual Address\tVirtual IPv6 Address\t"
    "Bytes Received\tBytes Sent\tConnected Since\tConnected Since (time_t)\tUsername\tClient ID\t"
    "Peer ID\tData Channel Cipher"
)


def measure(_: SampleSizes) -> list[Result]:
    """Scrape for two hours, and let promtool make a block of the series of clients."""
    progress(f"{_SCRAPES} scrapes of {_CLIENTS} clients")
    families: dict[bytes, list[bytes]] = defaultdict(list)
    fixture = Fixture()
    for now, lines in _replies():
        fixture.feed(lines, now=now)
        for line in fixture.page().splitlines():
            if line.startswith(_PREFIX) and b'common_name="' in line:
                families[line.partition(b"{")[0]].append(b"%b %d" % (line, now))
    series = len({line.rpartition(b"}")[0] for lines in families.values() for line in lines})
    samples, index = _block_sizes(families)
    each = samples / _CLIENTS / _SCRAPES
    return [
        Result(
            name=f"Prometheus: disk space of a client and scrape, {_MOVING:.0%} of them moving",
            measured=f"{each:.1f} bytes",
            reference=f"{series / _CLIENTS:.1f} series for each client in two hours, "
            f"{index / series:.0f} bytes of index for each in a block",
            limit=at_most(each, _LIMIT, "bytes"),
        )
    ]


def _replies() -> Iterator[tuple[int, list[bytes]]]:
    """Yield the time and the lines of one status after the other."""
    rng = random.Random(1)
    received, since = [0] * _CLIENTS, [_START - 3600] * _CLIENTS
    ids = list(range(_CLIENTS))
    for now in range(_START, _START + _SCRAPES * _INTERVAL, _INTERVAL):
        for number in range(_CLIENTS):
            if rng.random() < _RECONNECTING:
                received[number], since[number], ids[number] = 0, now, max(ids) + 1
            if rng.random() < _MOVING:
                received[number] += rng.randrange(200, 2_000_000)
        rows = (
            f"CLIENT_LIST\tclient-{number}\t198.51.100.{number}:{20000 + ids[number]}\t"
            f"10.8.0.{number}\t\t{received[number]}\t{3 * received[number]}\tsince\t"
            f"{since[number]}\tUNDEF\t{ids[number]}\t{number}\tAES-256-GCM"
            for number in range(_CLIENTS)
        )
        lines = ("TITLE\tOpenVPN 2.6.14 x86_64-pc-linux-gnu", f"TIME\tnow\t{now}", _HEADER, *rows)
        yield now, [line.encode() for line in lines]


def _block_sizes(families: dict[bytes, list[bytes]]) -> tuple[int, int]:
    """Return the bytes of samples and index in the blocks that promtool makes of these lines."""
    promtool = shutil.which("promtool")
    if promtool is None:
        raise FileNotFoundError("promtool is needed: install Prometheus")
    with tempfile.TemporaryDirectory() as directory:
        text, data = Path(directory, "text"), Path(directory, "data")
        with text.open("wb") as file:
            for lines in families.values():
                file.writelines(b"%b\n" % line for line in lines)
            file.write(b"# EOF\n")
        subprocess.run(  # noqa: S603 -- the arguments are paths of this function
            [promtool, "tsdb", "create-blocks-from", "openmetrics", str(text), str(data)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        samples, index = (
            sum(path.stat().st_size for path in data.glob(pattern))
            for pattern in ("*/chunks/*", "*/index")
        )
    return samples, index
