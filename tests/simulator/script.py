"""A daemon with a manual clock, and everything that its client has received."""

from collections.abc import Callable

from exporter.simulator.daemon.daemon import Daemon, Signal
from exporter.simulator.management.session import SimulatedSession
from tests.simulator.manual_clock import ManualClock
from tests.simulator.replay import as_lines

Step = str | Callable[[], object]
"""A line to send, or a function to call."""


class ScriptRunner:
    """Runs steps on a daemon without a socket; `received` are the bytes sent to the client."""

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
        """Run steps; return the lines received meanwhile."""
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
