"""What people do around a server: they come, move bytes, leave and vanish.

The world knows nothing of the management interface. It plans on an agenda, draws from one random
source in order of time, and tells an observer what happened; so the same seed gives the same
story, however often anybody looks.
"""

from collections.abc import Sequence
from functools import partial
from random import Random

from exporter.simulator.world.agenda import Agenda
from exporter.simulator.world.event import Event, Observer
from exporter.simulator.world.habits import Habits
from exporter.simulator.world.identity import Identity
from exporter.simulator.world.incidents import (
    HANDSHAKE_SECONDS,
    REJECTED_SECONDS,
    Incident,
    Incidents,
)
from exporter.simulator.world.instance import Instance
from exporter.simulator.world.roster import Roster
from exporter.simulator.world.scene import Scene

PING_RESTART_SECONDS = 120.0
"""How long a vanished client stays a row: twice the `keepalive` of 60."""

_POLITE = 0.7
"""The share of departures that the server is told of."""


class World:
    """The people around one server.

    With `asks` the server lets nobody in before its management client has said so; with a `limit`
    it has room for so many.
    """

    def __init__(
        self,
        people: Sequence[Identity],
        habits: Habits,
        *,
        rng: Random,
        agenda: Agenda,
        observer: Observer,
        asks: bool = False,
        limit: int | None = None,
    ) -> None:
        """Plan nothing yet: that is for `populate` and `return_all`."""
        self.roster = Roster(limit)
        self._people = people
        self._habits = habits
        self._asks = asks
        self._rng = rng
        self._scene = Scene(self.roster, agenda, rng, observer)
        self._incidents = Incidents(self._scene, habits, people)

    def populate(self, *, start: float, now: float) -> None:
        """Put people where they would be by now if the server had run since `start`."""
        for identity, since in self._present(start=start, now=now):
            if self.roster.full:
                self._plan_arrival(identity, now + self._patience())
                continue
            instance = self._scene.place(identity, since)
            instance.returns = True
            self._scene.verify(instance)
            self.roster.establish(instance, since)
            self._plan_departure(instance, now)
        self._incidents.plan(now)

    def return_all(self, now: float) -> None:
        """Let people find out one by one that the server is back, within twenty seconds."""
        for identity in self._people:
            self._plan_arrival(identity, now + self._rng.uniform(1.0, 20.0))
        self._incidents.plan(now)

    def dismiss(self, instance: Instance, now: float) -> None:
        """End a session from the server's side; whoever it was comes back a little later."""
        self.roster.remove(instance, now)
        self._come_back(instance, now)

    def admit(self, instance: Instance, now: float) -> None:
        """Let a client in that waits to be."""
        self._establish(instance, now)

    def deny(self, instance: Instance, now: float) -> None:
        """Send a client away that waits to be let in; it tries again after a while."""
        instance.key_id = None
        instance.returns = False
        self._scene.observer(Event.PASSWORD_REJECTED, instance, now)
        self._scene.end(instance, now + REJECTED_SECONDS, Event.DELAYED_EXIT)
        self._plan_arrival(instance.identity, now + REJECTED_SECONDS + self._absence())

    def arrive(self, identity: Identity, now: float) -> None:
        """Let somebody come now, known or new."""
        self._arrive(identity, now)

    def depart(self, common_name: str, now: float) -> None:
        """Let all of a name say goodbye now, and stay away."""
        for instance in list(self.roster.instances.values()):
            if instance.returns and instance.common_name == common_name:
                self._part(instance, now)

    def suffer(self, incident: Incident, now: float) -> None:
        """Let something go wrong now."""
        self._incidents.happen(incident, now)

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

    def _absence(self) -> float:
        return self._rng.expovariate(1 / self._habits.absence_seconds)

    def _patience(self) -> float:
        """Return after how long somebody who was turned away knocks again."""
        return self._rng.uniform(2.0, 4.0)

    def _plan_arrival(self, identity: Identity, when: float) -> None:
        self._scene.agenda.at(when, partial(self._arrive, identity))

    def _come_back(self, instance: Instance, now: float) -> None:
        if instance.returns:
            self._plan_arrival(instance.identity, now + self._rng.uniform(2.0, 10.0))

    def _arrive(self, identity: Identity, now: float) -> None:
        if self._scene.turns_away(identity, now):
            self._plan_arrival(identity, now + self._patience())
            return
        instance = self._scene.enter(identity, now)
        instance.returns = True
        finish = self._ask if self._asks else self._verify
        self._scene.later(instance, now + self._rng.uniform(0.05, 1.2), finish)

    def _ask(self, instance: Instance, now: float) -> None:
        self._scene.verify(instance)
        instance.key_id = 1
        instance.rename(username=instance.identity.username)
        self._scene.observer(Event.ADMISSION_ASKED, instance, now)
        self._scene.later(instance, now + HANDSHAKE_SECONDS, self._give_up)

    def _give_up(self, instance: Instance, now: float) -> None:
        """Nobody answered; try again."""
        if instance.key_id is not None:
            self._scene.end(instance, now, Event.HANDSHAKE_TIMED_OUT)
            self._come_back(instance, now)

    def _verify(self, instance: Instance, now: float) -> None:
        self._scene.verify(instance)
        self._establish(instance, now)

    def _establish(self, instance: Instance, now: float) -> None:
        if not self._habits.duplicate_names:
            self._replace_others(instance, now)
        instance.key_id = None
        self.roster.establish(instance, now)
        self._scene.observer(Event.ESTABLISHED, instance, now)
        self._plan_departure(instance, now)

    def _replace_others(self, instance: Instance, now: float) -> None:
        """Drop earlier sessions of the same name without a word."""
        for other in list(self.roster.instances.values()):
            if other.connected and other.common_name == instance.common_name:
                instance.replaces = True
                self.dismiss(other, now)

    def _plan_departure(self, instance: Instance, now: float) -> None:
        if not self._habits.churn:
            return
        leave = self._leave if self._rng.random() < _POLITE else self._vanish
        when = now + self._rng.expovariate(1 / self._habits.session_seconds)
        self._scene.later(instance, when, leave)

    def _leave(self, instance: Instance, now: float) -> None:
        """Say goodbye, to come back some time."""
        self._part(instance, now)
        self._plan_arrival(instance.identity, now + REJECTED_SECONDS + self._absence())

    def _part(self, instance: Instance, now: float) -> None:
        """Say goodbye; 2.6 keeps the row for five seconds more."""
        self._go(instance, now)
        self._scene.observer(Event.EXIT_NOTIFIED, instance, now)
        self._scene.end(instance, now + REJECTED_SECONDS, Event.DELAYED_EXIT)

    def _go(self, instance: Instance, now: float) -> None:
        instance.returns = False
        self.roster.silence(instance, now)

    def _vanish(self, instance: Instance, now: float) -> None:
        """Lose the network; often the client is back before the server notices."""
        self._go(instance, now)
        self._scene.end(instance, now + PING_RESTART_SECONDS, Event.PING_TIMED_OUT)
        self._plan_arrival(instance.identity, now + self._absence())
