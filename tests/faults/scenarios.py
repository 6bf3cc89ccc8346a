"""Random fault scenarios for one session, and which down reasons each of them allows.

Only detectable corruption is drawn here: a line that is split in two, that lost its keyword or
its encoding, that is sent twice, or that the daemon never sends. A changed digit is not
detectable.
"""

import random
from collections import Counter
from dataclasses import dataclass

from exporter.management.errors import DownReason
from exporter.simulator.daemon.daemon import Signal
from tests.faults.faults import (
    ByteOffset,
    Corrupt,
    Delay,
    Direction,
    Disconnect,
    DisconnectKind,
    Duplicate,
    Flood,
    Injection,
    LineStart,
    Position,
    Split,
    Stall,
    StatusOffset,
)

MAX_OFFSET = 3000
"""The largest offset of an injection in bytes: the start of a session, or two polls."""

MAX_STATUS_OFFSET = 1200
"""The length of the shortest status of the simulated servers, in bytes."""

REPLY_CORRUPTIONS = (
    Corrupt(1, b"#"),
    Corrupt(1, b"\xff"),
    Corrupt(1, b"?\r\n"),
    Corrupt(0, b"\t"),
    Corrupt(0, b"nonsense\r\n"),
    Corrupt(1, b"SUCCESS: "),
    Corrupt(4, b""),
)
"""Applied to the start of a line of a reply."""

COMMAND_CORRUPTIONS = (Corrupt(1, b"?"), Corrupt(1, b"\xff"), Corrupt(0, b"nonsense\n"))
"""Applied to the start of a command; the result is no command that a daemon knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultScenario:
    """A sequence of injections, and the events of both daemons before the faults end.

    Time advances by one step for each entry of `gap`; at the end of the step the daemons receive
    the signal. With `refuses_connections` the proxy does not listen during the gap.
    """

    injections: tuple[Injection, ...]
    allowed: frozenset[DownReason] = frozenset()
    """The down reasons that may be logged."""

    first: DownReason | None = None
    """The down reason that must be logged first, if there is only one."""

    gap: tuple[Signal | None, ...] = ()
    refuses_connections: bool = False


def draw_scenario(rng: random.Random) -> FaultScenario:
    """Draw a scenario."""
    (drawn,) = rng.choices(_GENERATORS, _WEIGHTS)
    return drawn(rng)


def count_faults(scenarios: list[FaultScenario]) -> Counter[str]:
    """Count the faults by type and direction."""
    return Counter(
        f"{type(injection.fault).__name__} {injection.direction.name}"
        for scenario in scenarios
        for injection in scenario.injections
    )


def _direction(rng: random.Random) -> Direction:
    return rng.choice((Direction.COMMANDS, Direction.REPLIES))


def _position(rng: random.Random, direction: Direction) -> Position:
    """Draw a position in an established session."""
    if direction is Direction.COMMANDS:
        return ByteOffset(rng.randrange(40))
    return rng.choice(
        (
            ByteOffset(rng.randrange(MAX_OFFSET)),
            LineStart(rng.randrange(MAX_OFFSET)),
            StatusOffset(rng.randrange(MAX_STATUS_OFFSET)),
        )
    )


def _gap(rng: random.Random) -> tuple[Signal | None, ...]:
    """Draw two to six steps, sometimes with a restart in the first."""
    signals = (Signal.SIGUSR1, Signal.SIGHUP, None, None, None, None)
    return (rng.choice(signals), *(None,) * rng.randrange(1, 6))


def _slow(rng: random.Random) -> FaultScenario:
    """A delay, or small chunks."""
    direction = _direction(rng)
    size = rng.choice((1, 1, 2, 7, 300))
    fault = rng.choice((Delay(rng.uniform(0.0, 0.01)), Split(size, rng.randrange(1, 120))))
    return FaultScenario(injections=(Injection(fault, direction, _position(rng, direction)),))


def _disconnect(rng: random.Random) -> FaultScenario:
    direction = _direction(rng)
    injection = Injection(
        Disconnect(rng.choice(list(DisconnectKind))), direction, _position(rng, direction)
    )
    refuses_connections = rng.random() < 0.4
    return FaultScenario(
        injections=(injection,),
        allowed=frozenset(
            {DownReason.CLOSED} | ({DownReason.REFUSED} if refuses_connections else set())
        ),
        first=DownReason.CLOSED,
        gap=_gap(rng) if refuses_connections else (),
        refuses_connections=refuses_connections,
    )


def _disconnect_twice(rng: random.Random) -> FaultScenario:
    """A disconnect, and another one early in the next session."""
    first = Injection(
        Disconnect(DisconnectKind.CLOSE), Direction.REPLIES, _position(rng, Direction.REPLIES)
    )
    again = Injection(
        Disconnect(rng.choice(list(DisconnectKind))),
        Direction.REPLIES,
        ByteOffset(rng.randrange(MAX_OFFSET)),
    )
    # A reset may overtake the greeting; a session closed before the greeting means `permission`.
    allowed = frozenset({DownReason.CLOSED, DownReason.PERMISSION})
    return FaultScenario(injections=(first, again), allowed=allowed, first=DownReason.CLOSED)


def _stall(rng: random.Random) -> FaultScenario:
    """A stall until `release`; the connection stays open."""
    direction = _direction(rng)
    return FaultScenario(
        injections=(Injection(Stall(), direction, _position(rng, direction)),),
        allowed=frozenset({DownReason.TIMEOUT}),
        first=DownReason.TIMEOUT,
        gap=_gap(rng),
    )


def _corrupt(rng: random.Random) -> FaultScenario:
    direction = _direction(rng)
    corruptions, max_offset = (
        (REPLY_CORRUPTIONS, MAX_OFFSET)
        if direction is Direction.REPLIES
        else (COMMAND_CORRUPTIONS, 40)
    )
    return FaultScenario(
        injections=(
            Injection(rng.choice(corruptions), direction, LineStart(rng.randrange(max_offset))),
        ),
        allowed=frozenset({DownReason.PROTOCOL, DownReason.TIMEOUT}),
    )


def _duplicate(rng: random.Random) -> FaultScenario:
    direction = _direction(rng)
    max_offset = MAX_OFFSET if direction is Direction.REPLIES else 40
    fault = Duplicate(rng.randrange(1, 6))
    return FaultScenario(
        injections=(Injection(fault, direction, LineStart(rng.randrange(max_offset))),),
        allowed=frozenset({DownReason.PROTOCOL}),
    )


def _flood(rng: random.Random) -> FaultScenario:
    position = LineStart(rng.randrange(MAX_OFFSET))
    return FaultScenario(
        injections=(Injection(Flood(rng.randrange(10, 1500)), Direction.REPLIES, position),)
    )


_GENERATORS = (_slow, _disconnect, _disconnect_twice, _stall, _corrupt, _duplicate, _flood)
_WEIGHTS = (6, 8, 4, 1, 4, 3, 2)
