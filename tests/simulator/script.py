"""A daemon, a clock, and everything that was said to the one client that is attached."""

from collections.abc import Callable

from exporter.simulator.daemon.daemon import Daemon, Signal
from exporter.simulator.management.session import SimulatedSession
from tests.simulator.manual_clock import ManualClock
from tests.simulator.replay import as_lines

Step = str | Callable[[], object]
"""A line to send, or something that happens."""


class ScriptRunner:
    """Plays scenes on a daemon without a socket; `heard` are the bytes the client was sent."""

    def __init__(self, daemon: Daemon, *, password: str | None = None) -> None:
        self.daemon = daemon
        self.clock = ManualClock()
        self.session = SimulatedSession(daemon, clock=self.clock, password=password)
        self.received = self.session.output()

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self.session.receive(data)
        self.received += self.session.output()

    def run(self, *steps: Step) -> list[str]:
        """Play steps; return the lines that came meanwhile."""
        before = len(self.received)
        for step in steps:
            if isinstance(step, str):
                self.send(f"{step}\n".encode())
            else:
                step()
                self.session.advance()
                self.received += self.session.output()
        return as_lines(self.received[before:])

    def wait(self, seconds: float) -> Callable[[], None]:
        """Return a step that lets time pass."""
        return lambda: self.clock.advance(seconds)

    def signal(self, signal: Signal) -> Callable[[], None]:
        """Return a step that sends the process a signal."""
        return lambda: self.daemon.signal(signal)
