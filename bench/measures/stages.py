"""The way of one large poll, stage by stage, each by itself: where the time goes."""

import statistics
import time
from collections.abc import Iterator

import msgspec
from prometheus_client import CollectorRegistry

from bench.capture import capture_status
from bench.children import simulated
from bench.effort import Effort
from bench.figures import Figure, mebibytes, milliseconds, spread
from bench.progress import say
from exporter.config import ClientsConfig, DaemonConfig
from exporter.daemon.poll import Poll
from exporter.daemon.record import Record
from exporter.management.endpoint import parse_endpoint
from exporter.management.messages import Listing, Message
from exporter.management.protocol import Protocol
from exporter.management.replies import LoadStats
from exporter.management.status import parse_status
from exporter.metrics import catalogue
from exporter.metrics.exposition import Exposition
from exporter.transport.opening import READ_SIZE

_SIZES = (5_000, 10_000)
_GREETING = b">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info\r\n"
_STAGES = (
    "receive",
    "receive, longest piece",
    "parse_status",
    "ledger.update",
    "page, cold: rendering",
    "page, cached: joining",
)


class _Run(msgspec.Struct):
    """Seconds by stage, in the order of `_STAGES`."""

    seconds: tuple[float, ...]


def measure(effort: Effort) -> list[Figure]:
    """Take the replies of successive polls through all stages."""
    figures: list[Figure] = []
    for clients in _SIZES:
        say(f"{clients:,} clients")
        with simulated(clients=clients) as (address,):
            replies = [capture_status(address) for _ in range(effort.calls + 1)]
        figures.append(
            Figure(
                what=f"{clients:,} clients: bytes asked from the daemon per poll",
                measured=mebibytes(len(replies[0])),
            )
        )
        figures += _figures(clients, list(_runs(replies))[1:])
    return figures


def _figures(clients: int, runs: list[_Run]) -> list[Figure]:
    by_stage = list(zip(*(run.seconds for run in runs), strict=True))
    total = sum(statistics.median(seconds) for seconds in by_stage)
    total -= statistics.median(by_stage[1])  # a part of the first
    stages = [
        Figure(what=f"{clients:,} clients: {name}", measured=spread(seconds))
        for name, seconds in zip(_STAGES, by_stage, strict=True)
    ]
    return [*stages, Figure(what=f"{clients:,} clients: all stages", measured=milliseconds(total))]


def _runs(replies: list[bytes]) -> Iterator[_Run]:
    daemon = DaemonConfig(name="office", management=parse_endpoint("127.0.0.1:7505"))
    clients = ClientsConfig()
    record = Record(daemon, clients)
    exposition = Exposition(catalogue.families(clients), CollectorRegistry())
    for reply in replies:
        yield _run(reply, record, exposition)


def _run(reply: bytes, record: Record, exposition: Exposition) -> _Run:
    listing, pieces = _receive(reply)
    started = time.perf_counter()
    status = parse_status(listing.lines, routes=False)
    parsed = time.perf_counter()
    record.polled(Poll(LoadStats(0, 0, 0), status), now=time.time(), duration=0.0)
    entered = time.perf_counter()
    exposition.page([record])
    rendered = time.perf_counter()
    exposition.page([record])
    joined = time.perf_counter()
    return _Run(
        (
            sum(pieces),
            max(pieces),
            parsed - started,
            entered - parsed,
            rendered - entered,
            joined - rendered,
        )
    )


def _receive(reply: bytes) -> tuple[Listing, list[float]]:
    """Feed a reply as the socket does; return it, and the seconds that each piece took."""
    protocol = Protocol()
    protocol.receive(_GREETING)
    seconds: list[float] = []
    messages: list[Message] = []
    for start in range(0, len(reply), READ_SIZE):
        began = time.perf_counter()
        messages += protocol.receive(reply[start : start + READ_SIZE])
        seconds.append(time.perf_counter() - began)
    (listing,) = [message for message in messages if isinstance(message, Listing)]
    return listing, seconds
