"""A session over asyncio: replies at once, real-time messages when they are due."""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from exporter.simulator.daemon.daemon import Daemon
from exporter.simulator.management.session import SimulatedSession

Clock = Callable[[], float]
"""Returns the time in seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class ManagementSlot:
    """The only slot of a daemon for a management client."""

    daemon: Daemon
    clock: Clock
    password: str | None = None

    def open_session(self) -> SimulatedSession:
        """Start a session with the client that has just got the slot."""
        return SimulatedSession(self.daemon, clock=self.clock, password=self.password)

    def advance(self) -> None:
        """Advance the daemon to the present."""
        self.daemon.advance(self.clock())

    @property
    def seconds_until_next(self) -> float:
        """The time until the next scheduled event of the daemon."""
        return max(0.0, self.daemon.scheduler.next_due - self.clock())


class ManagementConnection(asyncio.Protocol):
    """The connection of the client that holds the slot, until `done`."""

    def __init__(self, slot: ManagementSlot, *, on_disconnect: Callable[[], None]) -> None:
        """Call `on_disconnect` at the end, before the socket is closed."""
        self.done = asyncio.Event()
        self._slot = slot
        self._on_disconnect = on_disconnect
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the greeting or the password prompt."""
        self._transport = cast("asyncio.Transport", transport)
        self._session = self._slot.open_session()
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Answer commands."""
        self._session.receive(data)
        self._flush()

    def eof_received(self) -> bool:
        """Close the connection after the replies, not at once."""
        self._session.receive_eof()
        self._flush()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Detach from the daemon."""
        self._stop_timer()
        self._slot.advance()
        self._session.detach()
        self._on_disconnect()
        self.done.set()

    def pause_writing(self) -> None:
        """Stop reading while output is pending, as OpenVPN does."""
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Read again."""
        self._transport.resume_reading()

    def tick(self) -> None:
        """Advance the daemon, and send its messages."""
        self._session.advance()
        self._flush()

    def _flush(self) -> None:
        self._transport.write(self._session.output())
        self._stop_timer()
        if self._session.closed:
            self._transport.close()
        elif (seconds := self._slot.seconds_until_next) < math.inf:
            self._timer = asyncio.get_running_loop().call_later(seconds, self.tick)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
