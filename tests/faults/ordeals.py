"""What a disturbed session goes through, drawn by chance, and what the exporter should say of it.

Only damage that can be told from truth is drawn here: a line that is cut into two, that lost its
keyword or its encoding, that stands twice or that the daemon never says. A digit that became
another one cannot be told from truth by anybody.
"""

import random
from collections import Counter
from dataclasses import dataclass

from exporter.management.errors import DownReason
from exporter.simulator.daemon.daemon import Signal
from tests.faults.faults import (
    Anywhere,
    Cut,
    Delay,
    Duplicate,
    Flood,
    Garble,
    LineStart,
    Manner,
    Place,
    Split,
    Stall,
    Status,
    Strike,
    Way,
)

REACH = 3000
"""Bytes within which a strike comes: the introduction of a session, or two polls."""

STATUS_REACH = 1200
"""Bytes that the shortest status of the twins has."""

DAMAGES = (
    Garble(1, b"#"),
    Garble(1, b"\xff"),
    Garble(1, b"?\r\n"),
    Garble(0, b"\t"),
    Garble(0, b"nonsense\r\n"),
    Garble(1, b"SUCCESS: "),
    Garble(4, b""),
)
"""To the beginning of a line of a reply."""

COMMAND_DAMAGES = (Garble(1, b"?"), Garble(1, b"\xff"), Garble(0, b"nonsense\n"))
"""To the beginning of a command: what is left is none that a daemon knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordeal:
    """Strikes in a row, and what happens to both daemons before the way is free again.

    The world goes on by one step for each entry of `gap`, at the end of which the daemons get the
    signal. With `shut` nobody gets in meanwhile.
    """

    strikes: tuple[Strike, ...]
    allowed: frozenset[DownReason] = frozenset()
    """Why the daemon may be down meanwhile."""

    first: DownReason | None = None
    """What must be said first, where one thing is certain."""

    gap: tuple[Signal | None, ...] = ()
    shut: bool = False


def draw(chance: random.Random) -> Ordeal:
    """Draw the next ordeal."""
    (drawn,) = chance.choices(_KINDS, _WEIGHTS)
    return drawn(chance)


def count(ordeals: list[Ordeal]) -> Counter[str]:
    """Count faults by their kind and direction."""
    return Counter(
        f"{type(strike.fault).__name__} {strike.way.name}"
        for ordeal in ordeals
        for strike in ordeal.strikes
    )


def _way(chance: random.Random) -> Way:
    return chance.choice((Way.COMMANDS, Way.ANSWERS))


def _place(chance: random.Random, way: Way) -> Place:
    """Draw a place in a session that is at work."""
    if way is Way.COMMANDS:
        return Anywhere(chance.randrange(40))
    return chance.choice(
        (
            Anywhere(chance.randrange(REACH)),
            LineStart(chance.randrange(REACH)),
            Status(chance.randrange(STATUS_REACH)),
        )
    )


def _gap(chance: random.Random) -> tuple[Signal | None, ...]:
    """Draw one to six steps, at times with a restart in the first."""
    signals = (Signal.SIGUSR1, Signal.SIGHUP, None, None, None, None)
    return (chance.choice(signals), *(None,) * chance.randrange(1, 6))


def _slow(chance: random.Random) -> Ordeal:
    """Only slow, or in pieces."""
    way = _way(chance)
    size = chance.choice((1, 1, 2, 7, 300))
    fault = chance.choice((Delay(chance.uniform(0.0, 0.01)), Split(size, chance.randrange(1, 120))))
    return Ordeal(strikes=(Strike(fault, way, _place(chance, way)),))


def _cut(chance: random.Random) -> Ordeal:
    way = _way(chance)
    strike = Strike(Cut(chance.choice(list(Manner))), way, _place(chance, way))
    shut = chance.random() < 0.4
    return Ordeal(
        strikes=(strike,),
        allowed=frozenset({DownReason.CLOSED} | ({DownReason.REFUSED} if shut else set())),
        first=DownReason.CLOSED,
        gap=_gap(chance) if shut else (),
        shut=shut,
    )


def _cut_again(chance: random.Random) -> Ordeal:
    """Cut, and the next session again before it has got far."""
    first = Strike(Cut(Manner.CLOSE), Way.ANSWERS, _place(chance, Way.ANSWERS))
    again = Strike(Cut(chance.choice(list(Manner))), Way.ANSWERS, Anywhere(chance.randrange(REACH)))
    # A reset may overtake the greeting; before it, to be closed means to have no right.
    allowed = frozenset({DownReason.CLOSED, DownReason.PERMISSION})
    return Ordeal(strikes=(first, again), allowed=allowed, first=DownReason.CLOSED)


def _stall(chance: random.Random) -> Ordeal:
    """Silent until released; the connection stays."""
    way = _way(chance)
    return Ordeal(
        strikes=(Strike(Stall(), way, _place(chance, way)),),
        allowed=frozenset({DownReason.TIMEOUT}),
        first=DownReason.TIMEOUT,
        gap=_gap(chance),
    )


def _garble(chance: random.Random) -> Ordeal:
    way = _way(chance)
    damages, reach = (DAMAGES, REACH) if way is Way.ANSWERS else (COMMAND_DAMAGES, 40)
    return Ordeal(
        strikes=(Strike(chance.choice(damages), way, LineStart(chance.randrange(reach))),),
        allowed=frozenset({DownReason.PROTOCOL, DownReason.TIMEOUT}),
    )


def _duplicate(chance: random.Random) -> Ordeal:
    way = _way(chance)
    reach = REACH if way is Way.ANSWERS else 40
    fault = Duplicate(chance.randrange(1, 6))
    return Ordeal(
        strikes=(Strike(fault, way, LineStart(chance.randrange(reach))),),
        allowed=frozenset({DownReason.PROTOCOL}),
    )


def _flood(chance: random.Random) -> Ordeal:
    place = LineStart(chance.randrange(REACH))
    return Ordeal(strikes=(Strike(Flood(chance.randrange(10, 1500)), Way.ANSWERS, place),))


_KINDS = (_slow, _cut, _cut_again, _stall, _garble, _duplicate, _flood)
_WEIGHTS = (6, 8, 4, 1, 4, 3, 2)
