"""What clients do to a server: they come, move bytes, leave, vanish, and fail to get in.

The world knows nothing of the management interface. It plans on an agenda, draws from one random
source in order of time, and tells an observer what happened; so the same seed gives the same
story, however often anybody looks.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from random import Random

from exporter.simulator.agenda import Agenda
from exporter.simulator.identity import Identity
from exporter.simulator.instance import Instance
from exporter.simulator.roster import Roster

HANDSHAKE_RECEIVED = 2960
HANDSHAKE_SENT = 3082

REJECTED_SECONDS = 5.0
"""How long a rejected client, or one that said goodbye, stays a row."""

HANDSHAKE_SECONDS = 60.0
"""How long a peer that says nothing stays a row: `--hand-window`."""

PING_RESTART_SECONDS = 120.0
"""How long a vanished client stays a row: twice the `keepalive` of 60."""

_STRANGER = Identity(common_name=Instance.UNDEF)
_HOUR = 3600.0


class Event(Enum):
    """What happened to a client instance."""

    OPENED = auto()
    ESTABLISHED = auto()
    EXIT_NOTIFIED = auto()
    DELAYED_EXIT = auto()
    PING_TIMED_OUT = auto()
    PASSWORD_REJECTED = auto()
    HANDSHAKE_TIMED_OUT = auto()
    CERTIFICATE_REFUSED = auto()


Observer = Callable[[Event, Instance, float], None]
"""Told after the fact; takes the time at which it happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How lively a world is; without `churn` everybody connects and stays.

    `session_seconds` and `absence_seconds` are means of exponential durations; the last three
    count strangers per hour.
    """

    churn: bool = True
    session_seconds: float = 1800.0
    absence_seconds: float = 600.0
    scans: float = 0.0
    bad_passwords: float = 0.0
    foreign_certificates: float = 0.0


class World:
    """The people around one server, and the strangers who try its door."""

    def __init__(
        self,
        people: Sequence[Identity],
        habits: Habits,
        *,
        rng: Random,
        agenda: Agenda,
        observer: Observer,
    ) -> None:
        """Plan nothing yet: that is for `populate` and `return_all`."""
        self.roster = Roster()
        self._people = people
        self._habits = habits
        self._rng = rng
        self._agenda = agenda
        self._observer = observer

    def populate(self, *, start: float, now: float) -> None:
        """Put people where they would be by now if the server had run since `start`."""
        for identity, since in self._present(start=start, now=now):
            instance = self._open(identity, since)
            self._verify(instance)
            self.roster.establish(instance, since)
            self._plan_departure(instance, now)
        self._plan_strangers(now)

    def return_all(self, now: float) -> None:
        """Let people find out one by one that the server is back, within twenty seconds."""
        for identity in self._people:
            self._plan_arrival(identity, now + self._rng.uniform(1.0, 20.0))
        self._plan_strangers(now)

    def dismiss(self, instance: Instance, now: float) -> None:
        """End a session from the server's side; whoever it was comes back a little later."""
        self.roster.remove(instance, now)
        if instance.connected:
            self._plan_arrival(instance.identity, now + self._rng.uniform(2.0, 10.0))

    def _present(self, *, start: float, now: float) -> list[tuple[Identity, float]]:
        """Return who is there and since when, in the order they came."""
        habits, present = self._habits, []
        share = habits.session_seconds / (habits.session_seconds + habits.absence_seconds)
        for identity in self._people:
            if habits.churn and self._rng.random() > share:
                self._plan_arrival(identity, now + self._absence())
            else:
                age = self._rng.expovariate(1 / habits.session_seconds)
                present.append((identity, max(start + 1, now - 1 - age)))
        return sorted(present, key=lambda entry: entry[1])

    def _open(self, identity: Identity, now: float) -> Instance:
        return self.roster.open(identity, port=self._rng.randrange(32_768, 61_000), now=now)

    def _verify(self, instance: Instance) -> None:
        self.roster.verify(
            instance,
            received=HANDSHAKE_RECEIVED + self._rng.randrange(80),
            sent=HANDSHAKE_SENT + self._rng.randrange(80),
        )

    def _absence(self) -> float:
        return self._rng.expovariate(1 / self._habits.absence_seconds)

    # --- people -------------------------------------------------------------------------------

    def _plan_arrival(self, identity: Identity, when: float) -> None:
        self._agenda.at(when, partial(self._arrive, identity))

    def _arrive(self, identity: Identity, now: float) -> None:
        instance = self._open(identity, now)
        self._observer(Event.OPENED, instance, now)
        self._later(instance, now + self._rng.uniform(0.05, 1.2), self._establish)

    def _establish(self, instance: Instance, now: float) -> None:
        self._verify(instance)
        self.roster.establish(instance, now)
        self._observer(Event.ESTABLISHED, instance, now)
        self._plan_departure(instance, now)

    def _plan_departure(self, instance: Instance, now: float) -> None:
        if not self._habits.churn:
            return
        leave = self._leave if self._rng.random() < 0.7 else self._vanish
        when = now + self._rng.expovariate(1 / self._habits.session_seconds)
        self._later(instance, when, leave)

    def _leave(self, instance: Instance, now: float) -> None:
        """Say goodbye; 2.6 keeps the row for five seconds more."""
        self.roster.silence(instance, now)
        self._observer(Event.EXIT_NOTIFIED, instance, now)
        self._end(instance, now + REJECTED_SECONDS, Event.DELAYED_EXIT)
        self._plan_arrival(instance.identity, now + REJECTED_SECONDS + self._absence())

    def _vanish(self, instance: Instance, now: float) -> None:
        """Lose the network; often the client is back before the server notices."""
        self.roster.silence(instance, now)
        self._end(instance, now + PING_RESTART_SECONDS, Event.PING_TIMED_OUT)
        self._plan_arrival(instance.identity, now + self._absence())

    # --- strangers ----------------------------------------------------------------------------

    def _plan_strangers(self, now: float) -> None:
        self._repeat(now, self._habits.scans, self._scan)
        self._repeat(now, self._habits.bad_passwords, self._mistype)
        self._repeat(now, self._habits.foreign_certificates, self._intrude)

    def _repeat(self, now: float, per_hour: float, action: Callable[[float], None]) -> None:
        if per_hour <= 0:
            return

        def act(when: float) -> None:
            action(when)
            self._repeat(when, per_hour, action)

        self._agenda.at(now + self._rng.expovariate(per_hour / _HOUR), act)

    def _scan(self, now: float) -> None:
        """Open a connection and say nothing."""
        instance = self._open(_STRANGER, now)
        self._observer(Event.OPENED, instance, now)
        self._end(instance, now + HANDSHAKE_SECONDS, Event.HANDSHAKE_TIMED_OUT)

    def _mistype(self, now: float) -> None:
        """Come with a good certificate and a wrong password."""
        instance = self._open(self._rng.choice(self._people), now)
        self._observer(Event.OPENED, instance, now)
        self._verify(instance)
        self._observer(Event.PASSWORD_REJECTED, instance, now)
        self._end(instance, now + REJECTED_SECONDS, Event.DELAYED_EXIT)

    def _intrude(self, now: float) -> None:
        """Come with a certificate of another authority: gone at once, but for the log."""
        instance = self._open(_STRANGER, now)
        self._observer(Event.OPENED, instance, now)
        self._observer(Event.CERTIFICATE_REFUSED, instance, now)
        self.roster.remove(instance, now)

    # --- plans about an instance --------------------------------------------------------------

    def _later(
        self, instance: Instance, when: float, action: Callable[[Instance, float], None]
    ) -> None:
        def act(now: float) -> None:
            if not instance.gone:
                action(instance, now)

        self._agenda.at(when, act)

    def _end(self, instance: Instance, when: float, event: Event) -> None:
        def remove(instance: Instance, now: float) -> None:
            self._observer(event, instance, now)
            self.roster.remove(instance, now)

        self._later(instance, when, remove)
