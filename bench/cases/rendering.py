"""Rendering of 10,000 clients after a poll, and the first gzip page, against the least there is."""

import statistics
import zlib
from collections.abc import Callable, Iterable, Sequence

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from bench.benchmark import SampleSizes
from bench.children import simulated_daemons
from bench.fixture import Fixture, capture_status
from bench.process import cpu_time
from bench.report import progress
from bench.result import Result, at_least, at_most, format_ratio, format_spread
from exporter.management.batches import run_batches
from exporter.metrics.gzip_page import gzip_page

_CLIENTS = 10_000
_CLIENT_LIMIT = 10.0
_FLOOR_LIMIT = 2.5
_GZIP_LIMIT = 0.35
_CHANGED = ("received_bytes", "sent_bytes")
"""The counters that a poll changes; each is a family of a line for each client."""

_COUNTERS = (5, 6)
"""Their columns in a row."""


class _ConstantCollector(Collector):
    """Metrics that exist already, so that collecting them takes no time."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = list(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def measure(sizes: SampleSizes) -> list[Result]:
    """Render the page with the exporter, then the same samples with prometheus_client."""
    with simulated_daemons(clients=_CLIENTS) as (address,):
        reply = capture_status(address).splitlines()
    replies = [[_moved(line, number) for line in reply] for number in range(sizes.calls)]
    first = [_render_time(replies[0], Fixture()) for _ in range(sizes.calls)]
    fixture = Fixture()
    _render_time(replies[0], fixture)
    ours: list[float] = []
    floor: list[float] = []
    gzip: list[float] = []
    whole: list[float] = []
    for reply in replies:
        ours.append(_render_time(reply, fixture))
        floor.append(cpu_time(_joining(fixture)))
        gzip.append(cpu_time(lambda: run_batches(gzip_page(fixture.render()))))
        page = fixture.page()
        whole.append(cpu_time(lambda page=page: zlib.compress(page, 1)))  # type: ignore[misc]
    text = fixture.page().decode()
    count = sum(not line.startswith("#") for line in text.splitlines())
    progress("generate_latest")
    registry = _registry(text)
    theirs = [cpu_time(lambda: generate_latest(registry)) for _ in range(sizes.calls)]
    title = f"rendering {_CLIENTS:,} clients ({count:,} samples) after"
    return [
        _result(f"{title} a poll", ours, floor, "joining the lines that changed", _FLOOR_LIMIT),
        _result(
            f"first page with gzip after a poll, {_CLIENTS:,} clients",
            gzip,
            whole,
            "zlib level 1 over the page",
            _GZIP_LIMIT,
        ),
        Result(
            name=f"{title} a poll",
            measured=format_spread(ours),
            reference=f"generate_latest {format_spread(theirs)}",
            ratio=format_ratio(_ratio(theirs, ours)),
            limit=at_least(_ratio(theirs, ours), _CLIENT_LIMIT, "x"),
        ),
        Result(
            name=f"{title} the first poll",
            measured=format_spread(first),
            reference=f"generate_latest {format_spread(theirs)}",
            ratio=format_ratio(_ratio(theirs, first)),
        ),
    ]


def _result(  # noqa: PLR0917 -- a row of the table
    name: str, ours: Sequence[float], floor: Sequence[float], of: str, limit: float
) -> Result:
    ratio = _ratio(ours, floor)
    return Result(
        name=name,
        measured=format_spread(ours),
        reference=f"{of} {format_spread(floor)}",
        ratio=format_ratio(ratio),
        limit=at_most(ratio, limit, "x"),
    )


def _ratio(numerator: Sequence[float], denominator: Sequence[float]) -> float:
    return statistics.median(numerator) / statistics.median(denominator)


def _moved(line: bytes, number: int) -> bytes:
    """Return a line of the status `number` polls later: the counters of all clients move."""
    if not line.startswith(b"CLIENT_LIST\t"):
        return line
    fields = line.split(b"\t")
    for index in _COUNTERS:
        fields[index] = b"%d" % (int(fields[index]) + 1000 * number)
    return b"\t".join(fields)


def _render_time(reply: Sequence[bytes], fixture: Fixture) -> float:
    """Return the CPU time of the first page after a poll, including collecting the samples."""
    fixture.feed(reply)
    return cpu_time(fixture.render)


def _joining(fixture: Fixture) -> Callable[[], object]:
    """Return a function that makes the lines of the changed counters, and nothing else."""
    totals = fixture.record.clients.totals
    names = list(totals)
    columns = [[getattr(client, field) for client in totals.values()] for field in _CHANGED]

    def join() -> list[bytes]:
        start = 'openvpn_server_client_received_bytes_total{daemon="office",common_name="'
        return [
            "".join(
                [f'{start}{name}"}} {value}\n' for name, value in zip(names, column, strict=True)]
            ).encode()
            for column in columns
        ]

    return join


def _registry(page: str) -> CollectorRegistry:
    registry = CollectorRegistry(support_collectors_without_names=True)
    registry.register(_ConstantCollector(text_string_to_metric_families(page)))
    return registry
