"""CPU time of one large poll by stage, from bytes to the page."""

import itertools
import statistics
import time
from collections.abc import Sequence

from bench.benchmark import SampleSizes
from bench.children import simulated_daemons
from bench.fixture import Fixture, capture_status
from bench.report import progress
from bench.result import Result, format_mib, format_ms, format_spread
from exporter.management.messages import Message, MultilineReply
from exporter.management.protocol import ManagementProtocol
from exporter.transport.stream import READ_SIZE

_SIZES = (5_000, 10_000)
_GREETING = b">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info\r\n"
_STAGES = (
    "bytes to messages (Protocol)",
    "lines to status (StatusReader)",
    "status to the daemon's state, clients included",
    "state to page, first time",
    "state to page, cached",
)


def measure(sizes: SampleSizes) -> list[Result]:
    """Process the replies of successive polls stage by stage."""
    results: list[Result] = []
    for clients in _SIZES:
        progress(f"{clients:,} clients")
        with simulated_daemons(clients=clients) as (address,):
            replies = [capture_status(address) for _ in range(sizes.calls + 1)]
        results += _figures(f"{clients:,} clients", replies)
    return results


def _figures(title: str, replies: Sequence[bytes]) -> list[Result]:
    fixture = Fixture()
    # In the first poll every client is new.
    first, *runs = [_cpu_by_stage(reply, fixture) for reply in replies]
    stages = list(zip(*runs, strict=True))
    total = sum(map(statistics.median, stages))
    return [
        Result(
            name=f"{title}: size of a status reply",
            measured=format_mib(len(replies[0])),
        ),
        *(
            Result(name=f"{title}: {name}", measured=format_spread(seconds))
            for name, seconds in zip(_STAGES, stages, strict=True)
        ),
        Result(
            name=f"{title}: all stages",
            measured=format_ms(total),
            reference=f"first poll {format_ms(sum(first))}",
        ),
    ]


def _cpu_by_stage(reply: bytes, fixture: Fixture) -> tuple[float, ...]:
    """Return the CPU time of each stage in seconds."""
    times = [time.thread_time()]
    listing = _receive(reply)
    times.append(time.thread_time())
    status = fixture.parse(listing.lines)
    times.append(time.thread_time())
    fixture.update(status)
    times.append(time.thread_time())
    fixture.render()
    times.append(time.thread_time())
    fixture.render()
    times.append(time.thread_time())
    return tuple(later - earlier for earlier, later in itertools.pairwise(times))


def _receive(reply: bytes) -> MultilineReply:
    """Feed a reply in chunks, as the socket returns it."""
    protocol = ManagementProtocol()
    messages: list[Message] = protocol.receive_data(_GREETING)
    for start in range(0, len(reply), READ_SIZE):
        messages += protocol.receive_data(reply[start : start + READ_SIZE])
    (listing,) = [message for message in messages if isinstance(message, MultilineReply)]
    return listing
