"""What can go wrong on the way between the exporter and a daemon, where, and how it is drawn.

A closed set of frozen types: `Fault` is what happens, `Place` where in the stream it happens, and
a `Strike` is both with the way it concerns. Knows no socket.
"""

import enum
from dataclasses import dataclass


class Way(enum.Enum):
    """A direction."""

    COMMANDS = enum.auto()
    """From the exporter to the daemon."""

    ANSWERS = enum.auto()
    """From the daemon to the exporter."""


@dataclass(frozen=True, slots=True)
class Anywhere:
    """After so many bytes, counted from the arming of the strike."""

    skip: int = 0


@dataclass(frozen=True, slots=True)
class LineStart:
    """The first beginning of a line after so many bytes; never that of a real-time message."""

    skip: int = 0


@dataclass(frozen=True, slots=True)
class Status:
    """So many bytes into the next status of format 3."""

    skip: int = 0


Place = Anywhere | LineStart | Status


@dataclass(frozen=True, slots=True)
class Delay:
    """What comes next comes so many seconds later."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Split:
    """What comes next comes in so many pieces of so many bytes, and then the rest."""

    size: int
    pieces: int


@dataclass(frozen=True, slots=True)
class Stall:
    """Nothing passes any more until the proxy is told to go on, or the session is over."""


class Manner(enum.Enum):
    """How a connection is cut."""

    CLOSE = enum.auto()
    """Both ends are closed, after all that was said before."""

    RESET = enum.auto()
    """The exporter's next read or write fails."""

    HALF_CLOSE = enum.auto()
    """One direction ends; the other goes on for as long as its sender likes."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection ends."""

    manner: Manner


@dataclass(frozen=True, slots=True)
class Garble:
    """So many bytes are lost and others stand in their place."""

    lost: int
    put: bytes


@dataclass(frozen=True, slots=True)
class Duplicate:
    """What is left of this line, and so many lines less one after it, comes twice."""

    lines: int


@dataclass(frozen=True, slots=True)
class Flood:
    """So many real-time messages come at once, which the daemon never said."""

    messages: int
    message: bytes = b">ECHO:1795404800,forget-passwords"


Passing = Delay | Split | Stall | Garble | Duplicate | Flood
"""What a session may outlive."""

Fault = Cut | Passing


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault that is going to happen."""

    fault: Fault
    way: Way
    place: Place
