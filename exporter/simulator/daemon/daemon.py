"""A simulated OpenVPN process, whatever its mode: states, log, hold, signals and restarts.

Pure: `advance` sets the time, and real-time messages go to the function given to `attach`.
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from exporter.simulator.daemon.history import (
    HISTORY,
    Endpoints,
    LogBuffer,
    LogEntry,
    SimulatedState,
    state_line,
)
from exporter.simulator.daemon.settings import Settings
from exporter.simulator.population.instance_table import InstanceTable
from exporter.simulator.population.scheduler import Scheduler

RESTART_PAUSE = 1.0
"""Seconds between the end of one run and the next, in 2.6."""

SendLine = Callable[[str], None]
"""Sends one line to the attached management client."""


class Signal(StrEnum):
    """A signal that ends or restarts a daemon."""

    SIGHUP = "SIGHUP"
    SIGTERM = "SIGTERM"
    SIGUSR1 = "SIGUSR1"


class Unsupported(Exception):
    """The daemon doesn't support the command in its mode or in its present state."""


@dataclass(frozen=True, slots=True)
class ProcessTotals:
    """The values of `load-stats`."""

    clients: int
    received: int
    sent: int


@dataclass(slots=True)
class RealtimeFlags:
    """The real-time messages that the attached client asked for; reset for the next one."""

    log: bool = False
    state: bool = False


class Daemon(ABC):
    """One OpenVPN process behind its management interface."""

    def __init__(self, settings: Settings, *, start: float) -> None:
        self.settings = settings
        self.started = int(start)
        self.now = start
        self.log_buffer = LogBuffer(verb=settings.verb, cache=settings.log_cache)
        self.log_buffer.listener = self._send_log
        self.states: deque[str] = deque(maxlen=HISTORY)
        self.realtime_flags = RealtimeFlags()
        self.pending_request: str | None = None
        """The `>HOLD` or `>PASSWORD` line that waits for an answer; new clients get it, too."""
        self.exited = False
        self.scheduler = Scheduler()
        self._send_line: SendLine | None = None

    # --- the management side ------------------------------------------------------------------

    def advance(self, now: float) -> None:
        """Run all scheduled events up to `now`; time never runs backwards."""
        while not self.exited and self.scheduler.next_due <= now:
            self.now = max(self.now, self.scheduler.next_due)
            self.scheduler.run_next()
        self.now = max(self.now, now)

    def attach(self, send_line: SendLine) -> None:
        """Send all real-time messages to an authenticated management client from now on."""
        self._send_line = send_line

    def detach(self) -> None:
        """Reset the flags of a management client that has disconnected."""
        self._send_line = None
        self.realtime_flags = RealtimeFlags()
        if self.settings.management_signal and not self.exited:
            self.log(3, "", "MANAGEMENT: Triggering management signal")
            self.restart("management-disconnect", hard=False)

    @property
    def has_client(self) -> bool:
        """Whether a management client is attached."""
        return self._send_line is not None

    def send_line(self, line: str) -> None:
        """Send a line to the attached client, if there is one."""
        if self._send_line is not None:
            self._send_line(line)

    def log(self, verb: int, flags: str, text: str) -> None:
        """Write a line into the log."""
        self.log_buffer.write(self.now, LogEntry(verb, flags, text))

    def _send_log(self, line: str) -> None:
        if self.realtime_flags.log:
            self.send_line(f">LOG:{line}")

    # --- the life of the process --------------------------------------------------------------

    def enter_state(
        self, state: SimulatedState, detail: str = "", ends: Endpoints | None = None
    ) -> None:
        """Enter a state: history, log and notification."""
        line = state_line(self.now, state, detail=detail, ends=ends or Endpoints())
        self.states.append(line)
        self.log(3, "", f"MANAGEMENT: >STATE:{line}")
        if self.realtime_flags.state:
            self.send_line(f">STATE:{line}")

    def signal(self, signal: Signal) -> None:
        """Receive a signal."""
        if signal is Signal.SIGTERM:
            self.exit(signal)
        else:
            self.restart(signal, hard=True)

    def exit(self, reason: str) -> None:
        """Exit; the management connection closes after these last messages."""
        self.log(1, "I", f"{reason}[hard,] received, process exiting")
        self.enter_state(SimulatedState.EXITING, reason)
        self.exited = True

    def fail(self, text: str) -> None:
        """Exit on a fatal error; the client gets its text."""
        self.log(0, "F", text)
        self.send_line(f">FATAL:{text}")
        self.exited = True

    def restart(self, reason: str, *, hard: bool) -> None:
        """Stop and start again within the same process; the connection stays open."""
        self.scheduler.clear()
        self.pending_request = None
        self._stop()
        if reason == Signal.SIGHUP:  # the configuration is read again
            self.started = int(self.now)
        kind = "hard," if hard else f"soft,{reason}"
        signal = reason if hard else Signal.SIGUSR1
        self.log(1, "I", f"{signal}[{kind}] received, process restarting")
        self.enter_state(SimulatedState.RECONNECTING, reason)
        if self.settings.hold:
            self._hold(int(RESTART_PAUSE))
        else:
            self.log(3, "", f"Restart pause, {int(RESTART_PAUSE)} second(s)")
            self.scheduler.call_at(self.now + RESTART_PAUSE, self._initialise)

    def release(self) -> None:
        """Release the hold, as `hold release` does."""
        self.pending_request = None
        self.scheduler.call_at(self.now, self._initialise)

    def request(self, line: str) -> None:
        """Send a request that stays pending until it is answered."""
        self.pending_request = line
        self.send_line(line)

    def _hold(self, seconds: int) -> None:
        self.log(3, "", "Need hold release from management interface, waiting...")
        self.request(f">HOLD:Waiting for hold release:{seconds}")

    def _start(self) -> None:
        """Start for the first time: the last call of a subclass's constructor."""
        title = self.settings.release.title
        self.enter_state(SimulatedState.CONNECTING)
        self.log(1, "I", title)
        self.log(1, "I", "library versions: OpenSSL 3.0.19 27 Jan 2026, LZO 2.10")
        if self.settings.hold:
            self._hold(0)
        else:
            self._initialise(self.now)

    # --- what depends on the mode -------------------------------------------------------------

    @property
    def instance_table(self) -> InstanceTable | None:
        """The clients of a running server; None in other modes and while it is not running."""
        return None

    @abstractmethod
    def status(self, version: int) -> list[str]:
        """Return the reply to `status`.

        Raises:
            Unsupported: held, waiting for a password, or between two runs.
            BadFormat: the server has no such format.
        """

    @abstractmethod
    def load_stats(self) -> ProcessTotals:
        """Return the totals of the process."""

    @abstractmethod
    def _initialise(self, now: float) -> None:
        """Start, or continue after a hold or a pause."""

    @abstractmethod
    def _stop(self) -> None:
        """Drop what does not survive a restart."""
