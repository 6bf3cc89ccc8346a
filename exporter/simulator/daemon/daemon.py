"""What every simulated daemon has, whatever its mode: history, switches, hold, signals.

Pure: a daemon is told the time with `advance` and speaks through the function given to `attach`.
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from exporter.simulator.daemon.flags import PersistentFlags, RealtimeFlags
from exporter.simulator.daemon.log_buffer import LogBuffer, LogEntry
from exporter.simulator.daemon.prompt import Prompt
from exporter.simulator.daemon.settings import Settings
from exporter.simulator.daemon.signal import Signal
from exporter.simulator.daemon.state import HISTORY, Endpoints, State, state_line
from exporter.simulator.population.client_table import ClientTable
from exporter.simulator.population.scheduler import Scheduler

RESTART_PAUSE = 1.0
"""Seconds between the end of one run and the next, in 2.6."""

SendLine = Callable[[str], None]
"""Sends one line to the attached management client."""


class Unsupported(Exception):
    """The command makes no sense in the daemon's mode, or not yet."""


@dataclass(frozen=True, slots=True)
class LoadStats:
    """What `load-stats` tells."""

    clients: int
    received: int
    sent: int


class Daemon(ABC):
    """One OpenVPN process behind its management interface."""

    def __init__(self, settings: Settings, *, start: float) -> None:
        """Begin as a process does: connecting, with nobody attached."""
        self.settings = settings
        self.started = int(start)
        self.now = start
        self.log_buffer = LogBuffer(verb=settings.verb, cache=settings.log_cache)
        self.log_buffer.listener = self._send_log
        self.states: deque[str] = deque(maxlen=HISTORY)
        self.echoes: deque[str] = deque(maxlen=HISTORY)
        self.realtime_flags = RealtimeFlags()
        self.persistent_flags = PersistentFlags(hold=settings.hold)
        self.hold_request: str | None = None
        self.prompt: Prompt | None = None
        self.exited = False
        self.bytecount = 0
        self.scheduler = Scheduler()
        self._timers = Scheduler()
        self._send_line: SendLine | None = None

    # --- the management side ------------------------------------------------------------------

    @property
    def greeting(self) -> list[str]:
        """The first lines a client hears, with what the daemon waits for."""
        version = self.settings.release.management_version
        lines = [
            f">INFO:OpenVPN Management Interface Version {version} -- type 'help' for more info"
        ]
        return lines + ([self.pending_request] if self.pending_request else [])

    @property
    def pending_request(self) -> str | None:
        """The request that stands until somebody answers it: a hold or a prompt."""
        if self.hold_request is not None:
            return self.hold_request
        return None if self.prompt is None else self.prompt.question.request

    @property
    def next_due(self) -> float:
        """When something will happen by itself."""
        return min(self.scheduler.next_due, self._timers.next_due)

    def advance(self, now: float) -> None:
        """Let everything happen that happens until `now`; time never runs backwards."""
        while not self.exited and self.next_due <= now:
            scheduler = min(self.scheduler, self._timers, key=lambda scheduler: scheduler.next_due)
            self.now = max(self.now, scheduler.next_due)
            scheduler.run_next()
        self.now = max(self.now, now)

    def attach(self, send_line: SendLine) -> None:
        """Let a client that has passed the password hear everything from now on."""
        self._send_line = send_line

    def detach(self) -> None:
        """Let a client go, with the switches it set."""
        self._send_line = None
        self.realtime_flags = RealtimeFlags()
        if self.settings.management_signal and not self.exited:
            self.log(3, "", "MANAGEMENT: Triggering management signal")
            self.restart("management-disconnect", hard=False)

    @property
    def has_client(self) -> bool:
        """Whether a management client listens."""
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

    def echo(self, text: str) -> None:
        """Receive an `echo` from the configuration or from the server."""
        line = f"{int(self.now)},{text}"
        self.echoes.append(line)
        if self.realtime_flags.echo:
            self.send_line(f">ECHO:{line}")

    def set_bytecount(self, seconds: int) -> None:
        """Report traffic every so many seconds, or stop with 0."""
        self.bytecount = max(0, seconds)
        self._timers.clear()
        if self.bytecount:
            self._timers.call_at(self.now + self.bytecount, self._count)

    def _count(self, now: float) -> None:
        self._report_traffic()
        self._timers.call_at(now + self.bytecount, self._count)

    # --- the life of the process --------------------------------------------------------------

    def enter_state(self, state: State, detail: str = "", ends: Endpoints | None = None) -> None:
        """Enter a state: history, log and notification."""
        line = state_line(self.now, state, detail=detail, ends=ends or Endpoints())
        self.states.append(line)
        self.log(3, "", f"MANAGEMENT: >STATE:{line}")
        if self.realtime_flags.state:
            self.send_line(f">STATE:{line}")

    def signal(self, signal: Signal) -> None:
        """Receive a signal from outside."""
        if signal is Signal.SIGUSR2:
            return
        if signal in (Signal.SIGTERM, Signal.SIGINT):
            self.exit(signal)
        else:
            self.restart(signal, hard=True)

    def exit(self, reason: str) -> None:
        """Exit; the management connection closes after what is said here."""
        self.log(1, "I", f"{reason}[hard,] received, process exiting")
        self.enter_state(State.EXITING, reason)
        self.exited = True

    def fail(self, text: str) -> None:
        """Die of a fatal error, whose text reaches the client."""
        self.log(0, "F", text)
        self.send_line(f">FATAL:{text}")
        self.exited = True

    def restart(self, reason: str, *, hard: bool) -> None:
        """Stop and begin again within the same process; the connection stays open."""
        self.scheduler.clear()
        self.prompt = None
        self._stop()
        if reason == Signal.SIGHUP:  # the configuration is read again
            self.started = int(self.now)
            self.log_buffer.verb = self.settings.verb
            self.persistent_flags.mute = 0
        kind = "hard," if hard else f"soft,{reason}"
        signal = reason if hard else Signal.SIGUSR1
        self.log(1, "I", f"{signal}[{kind}] received, process restarting")
        self.enter_state(State.RECONNECTING, reason)
        if self.persistent_flags.hold:
            self._hold(int(RESTART_PAUSE))
        else:
            self.log(3, "", f"Restart pause, {int(RESTART_PAUSE)} second(s)")
            self.scheduler.call_at(self.now + RESTART_PAUSE, self._initialise)

    def release(self) -> None:
        """Let a held daemon go on."""
        if self.hold_request is not None:
            self.hold_request = None
            # Not at once: the reply to `hold release` comes first.
            self.scheduler.call_at(self.now, self._initialise)

    def _hold(self, seconds: int) -> None:
        self.log(3, "", "Need hold release from management interface, waiting...")
        self.hold_request = f">HOLD:Waiting for hold release:{seconds}"
        self.send_line(self.hold_request)

    def _start(self) -> None:
        """Start for the first time; for the end of a subclass's constructor."""
        title = self.settings.release.title
        self.enter_state(State.CONNECTING)
        self.log(1, "I", title)
        self.log(1, "I", "library versions: OpenSSL 3.0.19 27 Jan 2026, LZO 2.10")
        if self.persistent_flags.hold:
            self._hold(0)
        else:
            self._initialise(self.now)

    # --- what depends on the mode -------------------------------------------------------------

    @property
    def client_table(self) -> ClientTable | None:
        """The clients of a running server; None for other modes and while it is not up."""
        return None

    @property
    def remotes(self) -> list[str] | None:
        """The `remote` entries of a client that has begun; None for a server."""
        return None

    def kill(self, client_id: int) -> bool:
        """Throw a client out; False if there is none with this id."""
        return False

    def decide(self, client_id: int, key_id: int, *, admit: bool) -> bool:
        """Decide about a client that waits to be let in; False if there is none."""
        return False

    @abstractmethod
    def status(self, version: int) -> list[str]:
        """Return the reply to `status`.

        Raises:
            Unsupported: held, waiting for a password, or between two runs.
            BadFormat: the server knows no such version.
        """

    @abstractmethod
    def load_stats(self) -> LoadStats:
        """Return the totals of the process."""

    @abstractmethod
    def _initialise(self, now: float) -> None:
        """Start or go on after a hold or a pause."""

    @abstractmethod
    def _stop(self) -> None:
        """Drop what does not survive a restart."""

    @abstractmethod
    def _report_traffic(self) -> None:
        """Say what `bytecount` asked for."""
