"""The state and log histories of a daemon: what `state` and `log` show."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

HISTORY = 100
"""Entries of the state history."""


class SimulatedState(StrEnum):
    """The states that a simulated daemon enters."""

    CONNECTING = "CONNECTING"
    WAIT = "WAIT"
    AUTH = "AUTH"
    ASSIGN_IP = "ASSIGN_IP"
    CONNECTED = "CONNECTED"
    RECONNECTING = "RECONNECTING"
    EXITING = "EXITING"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """The addresses in a state line; empty if unknown."""

    tunnel: str = ""
    tunnel_ipv6: str = ""
    remote: str = ""
    remote_port: str = ""
    local: str = ""
    local_port: str = ""


def state_line(now: float, state: SimulatedState, *, detail: str, ends: Endpoints) -> str:
    """Return a line of the state history, without `>STATE:`.

    The last field is missing altogether without a tunnel IPv6 address.
    """
    fields = [str(int(now)), state, detail, ends.tunnel, ends.remote, ends.remote_port]
    fields += [ends.local, ends.local_port]
    if ends.tunnel_ipv6:
        fields.append(ends.tunnel_ipv6)
    return ",".join(fields)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A log message: shown at `verb` and above; `flags` as in `>LOG:`, mostly empty."""

    verb: int
    flags: str
    text: str


class LogBuffer:
    """The newest lines of the log, as `log` shows them; each new one goes to `listener`, too."""

    def __init__(self, *, verb: int, cache: int) -> None:
        self.verb = verb
        self.listener: Callable[[str], None] | None = None
        self.lines: deque[str] = deque(maxlen=cache)

    def write(self, now: float, entry: LogEntry) -> None:
        """Log a message, unless the verbosity is too low for it."""
        if entry.verb > self.verb:
            return
        line = f"{int(now)},{entry.flags},{entry.text}"
        self.lines.append(line)
        if self.listener is not None:
            self.listener(line)
