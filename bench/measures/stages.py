"""The way of one large poll, stage by stage, each by itself: where the processor time goes."""

import itertools
import statistics
import time
from collections.abc import Sequence

from bench.capture import capture_status
from bench.children import simulated
from bench.effort import Effort
from bench.figures import Figure, mebibytes, milliseconds, spread
from bench.progress import say
from bench.subject import Subject
from exporter.management.messages import Listing, Message
from exporter.management.protocol import Protocol
from exporter.transport.stream import READ_SIZE

_SIZES = (5_000, 10_000)
_GREETING = b">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info\r\n"
_STAGES = (
    "bytes to lines (Protocol.receive)",
    "lines to readings (StatusReader)",
    "readings to the record (ledger included)",
    "record to the page, first time (rendering)",
    "record to the page again (joining)",
)


def measure(effort: Effort) -> list[Figure]:
    """Take the replies of successive polls through all stages."""
    figures: list[Figure] = []
    for clients in _SIZES:
        say(f"{clients:,} clients")
        with simulated(clients=clients) as (address,):
            replies = [capture_status(address) for _ in range(effort.calls + 1)]
        figures += _figures(f"{clients:,} clients", replies)
    return figures


def _figures(of: str, replies: Sequence[bytes]) -> list[Figure]:
    subject = Subject()
    # The first poll meets only strangers.
    first, *runs = [_through_all(reply, subject) for reply in replies]
    stages = list(zip(*runs, strict=True))
    total = sum(map(statistics.median, stages))
    return [
        Figure(
            what=f"{of}: bytes asked from the daemon per poll", measured=mebibytes(len(replies[0]))
        ),
        *(
            Figure(what=f"{of}: {name}", measured=spread(seconds))
            for name, seconds in zip(_STAGES, stages, strict=True)
        ),
        Figure(
            what=f"{of}: all stages",
            measured=milliseconds(total),
            reference=f"first poll {milliseconds(sum(first))}",
        ),
    ]


def _through_all(reply: bytes, subject: Subject) -> tuple[float, ...]:
    """Return the processor seconds of each stage."""
    clock = [time.thread_time()]
    listing = _receive(reply)
    clock.append(time.thread_time())
    status = subject.parse(listing.lines)
    clock.append(time.thread_time())
    subject.take(status)
    clock.append(time.thread_time())
    subject.render()
    clock.append(time.thread_time())
    subject.render()
    clock.append(time.thread_time())
    return tuple(later - earlier for earlier, later in itertools.pairwise(clock))


def _receive(reply: bytes) -> Listing:
    """Feed a reply in pieces, as the socket gives it."""
    protocol = Protocol()
    messages: list[Message] = protocol.receive(_GREETING)
    for start in range(0, len(reply), READ_SIZE):
        messages += protocol.receive(reply[start : start + READ_SIZE])
    (listing,) = [message for message in messages if isinstance(message, Listing)]
    return listing
