"""What can happen to a client instance."""

from collections.abc import Callable
from enum import Enum, auto

from exporter.simulator.population.instance import Instance


class Event(Enum):
    """What happened to a client instance; who is turned away at the door never is one."""

    MAX_CLIENTS_REACHED = auto()
    OPENED = auto()
    ESTABLISHED = auto()
    FLOATED = auto()
    EXIT_NOTIFIED = auto()
    DELAYED_EXIT = auto()
    PING_TIMED_OUT = auto()
    PASSWORD_REJECTED = auto()
    SCRIPT_REJECTED = auto()
    HANDSHAKE_TIMED_OUT = auto()
    CERTIFICATE_REJECTED = auto()


Observer = Callable[[Event, Instance, float], None]
"""Told after the fact, but for the end of an instance, of which it is told just before; takes
the time at which it happens."""
