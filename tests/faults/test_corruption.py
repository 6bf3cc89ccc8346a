"""Corruption of any kind at any position, undetectable corruption such as a changed digit included.

Totals may differ, so the tests require less: no exception, no total that decreases, and a daemon
that is up afterwards.
"""

import asyncio
import random

from exporter.management.status import ServerStatus
from tests.faults.differential import MonitorPair
from tests.faults.faults import (
    ByteOffset,
    Corrupt,
    Direction,
    Disconnect,
    DisconnectKind,
    Duplicate,
    Fault,
    Flood,
    Injection,
    Split,
)
from tests.faults.monitored import MonitoredDaemon

FAULTS_PER_RUN = 12


async def test_corruption_raises_nothing_and_no_total_decreases() -> None:
    async with asyncio.TaskGroup() as runs:
        for seed in range(12):
            runs.create_task(_run_with_seed(seed))


async def _run_with_seed(seed: int) -> None:
    try:
        await _inject_faults(seed)
    except BaseException as error:
        error.add_note(f"seed {seed}")
        raise


async def _inject_faults(seed: int) -> None:
    rng = random.Random(seed)
    async with MonitorPair.start(seed) as pair:
        for _ in range(FAULTS_PER_RUN):
            before = _counters(pair.proxied)
            pair.proxy.arm(_draw_injection(rng))
            await pair.proxy.wait_injected()
            await pair.advance_randomly(rng)
            after = _counters(pair.proxied)
            assert all(after[what] >= counted for what, counted in before.items())
        await pair.settle()
        assert pair.proxied.state.up
        direct, proxied = pair.direct.state.status, pair.proxied.state.status
        assert isinstance(direct, ServerStatus)
        assert isinstance(proxied, ServerStatus)
        assert proxied.clients == direct.clients


def _draw_injection(rng: random.Random) -> Injection:
    direction = rng.choice(
        (Direction.REPLIES, Direction.REPLIES, Direction.REPLIES, Direction.COMMANDS)
    )
    skip = rng.randrange(20 if direction is Direction.COMMANDS else 6000)
    return Injection(_draw_fault(rng), direction, ByteOffset(skip))


def _draw_fault(rng: random.Random) -> Fault:
    faults: tuple[Fault, ...] = (
        Corrupt(1, rng.randbytes(1)),
        Corrupt(rng.randrange(8), rng.randbytes(rng.randrange(8))),
        Corrupt(1, b"%d" % rng.randrange(10)),
        Duplicate(rng.randrange(1, 20)),
        Flood(rng.randrange(1, 300), b">LOG:" + rng.randbytes(20).replace(b"\n", b"")),
        Split(1, 50),
        Disconnect(rng.choice(list(DisconnectKind))),
    )
    return rng.choice(faults)


def _counters(daemon: MonitoredDaemon) -> dict[str, int]:
    totals = {
        f"{what} {name}": moved
        for name, both in daemon.totals.items()
        for what, moved in zip(("received", "sent"), both, strict=True)
    }
    traffic = daemon.state.traffic
    return {
        **totals,
        **daemon.event_counts,
        "received": traffic.received_bytes,
        "sent": traffic.sent_bytes,
    }
