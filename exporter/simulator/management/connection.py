"""The transport of a session: bytes of the client in, what the daemon says out, in time."""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from exporter.simulator.daemon.daemon import Daemon
from exporter.simulator.management.session import SimulatedSession

Clock = Callable[[], float]
"""Tells the time as seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class ManagementSlot:
    """The one place a daemon has for a management client."""

    daemon: Daemon
    clock: Clock
    password: str | None = None

    def open_session(self) -> SimulatedSession:
        """Begin a session with the client that has just got the slot."""
        return SimulatedSession(self.daemon, clock=self.clock, password=self.password)

    def advance(self) -> None:
        """Let the daemon live until now."""
        self.daemon.advance(self.clock())

    @property
    def seconds_until_next(self) -> float:
        """For how long nothing will happen by itself."""
        return max(0.0, self.daemon.scheduler.next_due - self.clock())


class ManagementConnection(asyncio.Protocol):
    """The client that holds a slot, until `done`."""

    def __init__(self, slot: ManagementSlot, *, on_disconnect: Callable[[], None]) -> None:
        """Call `on_disconnect` when it is over but before the socket is closed."""
        self.done = asyncio.Event()
        self._slot = slot
        self._on_disconnect = on_disconnect
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self._transport = cast("asyncio.Transport", transport)
        self._session = self._slot.open_session()
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Answer."""
        self._session.receive(data)
        self._flush()

    def eof_received(self) -> bool:
        """Close the connection after the replies, not at once."""
        self._session.receive_eof()
        self._flush()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Let the daemon know."""
        self._stop_timer()
        self._slot.advance()
        self._session.detach()
        self._on_disconnect()
        self.done.set()

    def pause_writing(self) -> None:
        """Read no command while output is pending, as a real daemon."""
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on reading."""
        self._transport.resume_reading()

    def tick(self) -> None:
        """Say what has become due."""
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
