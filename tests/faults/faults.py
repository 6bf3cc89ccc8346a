"""The faults that the proxy can inject between the exporter and a daemon.

A closed set of frozen types: a `Fault` is what happens, a `Position` is where in the stream it
happens, and an `Injection` is both, with the direction of the stream. No sockets here.
"""

import enum
from dataclasses import dataclass


class Direction(enum.Enum):
    """The direction of a stream through the proxy."""

    COMMANDS = enum.auto()
    """From the exporter to the daemon."""

    REPLIES = enum.auto()
    """From the daemon to the exporter."""


@dataclass(frozen=True, slots=True)
class ByteOffset:
    """After `skip` bytes, counted from the moment the injection is armed."""

    skip: int = 0


@dataclass(frozen=True, slots=True)
class LineStart:
    """The first start of a line after `skip` bytes; never the start of a real-time message."""

    skip: int = 0


@dataclass(frozen=True, slots=True)
class StatusOffset:
    """`skip` bytes into the next status of format 3."""

    skip: int = 0


Position = ByteOffset | LineStart | StatusOffset


@dataclass(frozen=True, slots=True)
class Delay:
    """The following bytes are delayed by `seconds`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Split:
    """The following bytes arrive in `pieces` chunks of `size` bytes; then the rest arrives."""

    size: int
    pieces: int


@dataclass(frozen=True, slots=True)
class Stall:
    """All bytes are held back until `Proxy.release` is called or the session ends."""


class DisconnectKind(enum.Enum):
    """How a connection is closed."""

    CLOSE = enum.auto()
    """Both sides are closed after the bytes sent so far."""

    RESET = enum.auto()
    """The exporter's next read or write fails."""

    HALF_CLOSE = enum.auto()
    """One direction ends; the other stays open until its sender closes it."""


@dataclass(frozen=True, slots=True)
class Disconnect:
    """The connection is closed."""

    kind: DisconnectKind


@dataclass(frozen=True, slots=True)
class Corrupt:
    """`removed` bytes are replaced by `inserted`."""

    removed: int
    inserted: bytes


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The rest of the current line and the next `lines` - 1 lines are sent twice."""

    lines: int


@dataclass(frozen=True, slots=True)
class Flood:
    """`messages` real-time messages that the daemon never sent arrive at once."""

    messages: int
    message: bytes = b">ECHO:1795404800,forget-passwords"


SurvivableFault = Delay | Split | Stall | Corrupt | Duplicate | Flood
"""Faults after which the session may continue."""

Fault = Disconnect | SurvivableFault


@dataclass(frozen=True, slots=True)
class Injection:
    """A fault, with the direction and the position at which it is injected."""

    fault: Fault
    direction: Direction
    position: Position
