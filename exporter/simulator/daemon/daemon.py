"""What every simulated daemon has, whatever its mode: history, switches, hold, signals.

Pure: a daemon is told the time with `advance` and speaks through the function given to `attach`.
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from exporter.simulator.daemon.journal import Entry, Journal
from exporter.simulator.daemon.prompt import Prompt
from exporter.simulator.daemon.settings import Settings
from exporter.simulator.daemon.signal import Signal
from exporter.simulator.daemon.state import HISTORY, Endpoints, State, state_line
from exporter.simulator.daemon.switches import Knobs, Switches
from exporter.simulator.population.client_table import ClientTable
from exporter.simulator.population.scheduler import Scheduler

RESTART_PAUSE = 1.0
"""Seconds between the end of one run and the next, in 2.6."""

Say = Callable[[str], None]
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
        self.journal = Journal(verb=settings.verb, cache=settings.log_cache)
        self.journal.listener = self._tell_log
        self.states: deque[str] = deque(maxlen=HISTORY)
        self.echoes: deque[str] = deque(maxlen=HISTORY)
        self.switches = Switches()
        self.knobs = Knobs(hold=settings.hold)
        self.held: str | None = None
        self.prompt: Prompt | None = None
        self.exited = False
        self.bytecount = 0
        self.scheduler = Scheduler()
        self._timers = Scheduler()
        self._say: Say | None = None

    # --- the management side ------------------------------------------------------------------

    @property
    def greeting(self) -> list[str]:
        """The first lines a client hears, with what the daemon waits for."""
        version = self.settings.release.management_version
        lines = [
            f">INFO:OpenVPN Management Interface Version {version} -- type 'help' for more info"
        ]
        return lines + ([self.waiting] if self.waiting else [])

    @property
    def waiting(self) -> str | None:
        """The request that stands until somebody answers it: a hold or a prompt."""
        if self.held is not None:
            return self.held
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

    def attach(self, say: Say) -> None:
        """Let a client that has passed the password hear everything from now on."""
        self._say = say

    def detach(self) -> None:
        """Let a client go, with the switches it set."""
        self._say = None
        self.switches = Switches()
        if self.settings.management_signal and not self.exited:
            self.log(3, "", "MANAGEMENT: Triggering management signal")
            self.restart("management-disconnect", hard=False)

    @property
    def attended(self) -> bool:
        """Whether a management client listens."""
        return self._say is not None

    def say(self, line: str) -> None:
        """Send a line to the attached client, if there is one."""
        if self._say is not None:
            self._say(line)

    def log(self, verb: int, flags: str, text: str) -> None:
        """Write a line into the log."""
        self.journal.write(self.now, Entry(verb, flags, text))

    def _tell_log(self, line: str) -> None:
        if self.switches.log:
            self.say(f">LOG:{line}")

    def echo(self, text: str) -> None:
        """Receive an `echo` from the configuration or from the server."""
        line = f"{int(self.now)},{text}"
        self.echoes.append(line)
        if self.switches.echo:
            self.say(f">ECHO:{line}")

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

    def enter(self, state: State, detail: str = "", ends: Endpoints | None = None) -> None:
        """Enter a state: history, log and notification."""
        line = state_line(self.now, state, detail=detail, ends=ends or Endpoints())
        self.states.append(line)
        self.log(3, "", f"MANAGEMENT: >STATE:{line}")
        if self.switches.state:
            self.say(f">STATE:{line}")

    def signal(self, signal: Signal) -> None:
        """Receive a signal from outside."""
        if signal is Signal.SIGUSR2:
            return
        if signal in (Signal.SIGTERM, Signal.SIGINT):
            self.end(signal)
        else:
            self.restart(signal, hard=True)

    def end(self, reason: str) -> None:
        """Exit; the management connection closes after what is said here."""
        self.log(1, "I", f"{reason}[hard,] received, process exiting")
        self.enter(State.EXITING, reason)
        self.exited = True

    def fail(self, text: str) -> None:
        """Die of a fatal error, whose text reaches the client."""
        self.log(0, "F", text)
        self.say(f">FATAL:{text}")
        self.exited = True

    def restart(self, reason: str, *, hard: bool) -> None:
        """Stop and begin again within the same process; the connection stays open."""
        self.scheduler.clear()
        self.prompt = None
        self._stop()
        if reason == Signal.SIGHUP:  # the configuration is read again
            self.started = int(self.now)
            self.journal.verb = self.settings.verb
            self.knobs.mute = 0
        kind = "hard," if hard else f"soft,{reason}"
        signal = reason if hard else Signal.SIGUSR1
        self.log(1, "I", f"{signal}[{kind}] received, process restarting")
        self.enter(State.RECONNECTING, reason)
        if self.knobs.hold:
            self._hold(int(RESTART_PAUSE))
        else:
            self.log(3, "", f"Restart pause, {int(RESTART_PAUSE)} second(s)")
            self.scheduler.call_at(self.now + RESTART_PAUSE, self._begin)

    def release(self) -> None:
        """Let a held daemon go on."""
        if self.held is not None:
            self.held = None
            # Not at once: the reply to `hold release` comes first.
            self.scheduler.call_at(self.now, self._begin)

    def _hold(self, seconds: int) -> None:
        self.log(3, "", "Need hold release from management interface, waiting...")
        self.held = f">HOLD:Waiting for hold release:{seconds}"
        self.say(self.held)

    def _boot(self) -> None:
        """Start for the first time; for the end of a subclass's constructor."""
        title = self.settings.release.title
        self.enter(State.CONNECTING)
        self.log(1, "I", title)
        self.log(1, "I", "library versions: OpenSSL 3.0.19 27 Jan 2026, LZO 2.10")
        if self.knobs.hold:
            self._hold(0)
        else:
            self._begin(self.now)

    # --- what depends on the mode -------------------------------------------------------------

    @property
    def client_table(self) -> ClientTable | None:
        """The clients of a running server; None for other modes and while it is not up."""
        return None

    @property
    def remotes(self) -> list[str] | None:
        """The `remote` entries of a client that has begun; None for a server."""
        return None

    def dismiss(self, client_id: int) -> bool:
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
    def _begin(self, now: float) -> None:
        """Start or go on after a hold or a pause."""

    @abstractmethod
    def _stop(self) -> None:
        """Drop what does not survive a restart."""

    @abstractmethod
    def _report_traffic(self) -> None:
        """Say what `bytecount` asked for."""
