"""What happens to a server a few times an hour: strangers, wrong passwords, roaming clients."""

from collections.abc import Sequence
from enum import Enum, auto
from functools import partial

from exporter.simulator.world.event import Event
from exporter.simulator.world.habits import Habits
from exporter.simulator.world.identity import Identity
from exporter.simulator.world.instance import Instance
from exporter.simulator.world.scene import Scene

REJECTED_SECONDS = 5.0
"""How long a rejected client, or one that said goodbye, stays a row."""

HANDSHAKE_SECONDS = 60.0
"""How long a peer that says nothing stays a row: `--hand-window`."""

_STRANGER = Identity(common_name=Instance.UNDEF)
_HOUR = 3600.0


class Incident(Enum):
    """What can go wrong."""

    SCAN = auto()
    BAD_PASSWORD = auto()
    FOREIGN_CERTIFICATE = auto()
    SCRIPT_REFUSAL = auto()
    FLOAT = auto()


class Incidents:
    """Trouble, at random times or when it is told to come."""

    def __init__(self, scene: Scene, habits: Habits, people: Sequence[Identity]) -> None:
        """Plan nothing yet."""
        self._scene = scene
        self._people = people
        self._per_hour = {
            Incident.SCAN: habits.scans,
            Incident.BAD_PASSWORD: habits.bad_passwords,
            Incident.FOREIGN_CERTIFICATE: habits.foreign_certificates,
            Incident.SCRIPT_REFUSAL: habits.script_refusals,
            Incident.FLOAT: habits.floats,
        }
        self._happenings = {
            Incident.SCAN: self._scan,
            Incident.BAD_PASSWORD: self._mistype,
            Incident.FOREIGN_CERTIFICATE: self._intrude,
            Incident.SCRIPT_REFUSAL: self._refuse,
            Incident.FLOAT: self._float,
        }

    def plan(self, now: float) -> None:
        """Plan the first incident of each kind; each plans the next of its kind."""
        for incident, per_hour in self._per_hour.items():
            if per_hour > 0:
                self._plan(incident, now)

    def happen(self, incident: Incident, now: float) -> None:
        """Let one happen now."""
        self._happenings[incident](now)

    def _plan(self, incident: Incident, now: float) -> None:
        when = now + self._scene.rng.expovariate(self._per_hour[incident] / _HOUR)
        self._scene.agenda.at(when, partial(self._happen, incident))

    def _happen(self, incident: Incident, now: float) -> None:
        self.happen(incident, now)
        self._plan(incident, now)

    def _scan(self, now: float) -> None:
        """Open a connection and say nothing."""
        if self._scene.turns_away(_STRANGER, now):
            return
        instance = self._scene.enter(_STRANGER, now)
        self._scene.end(instance, now + HANDSHAKE_SECONDS, Event.HANDSHAKE_TIMED_OUT)

    def _mistype(self, now: float) -> None:
        """Come with a good certificate and a wrong password."""
        if (instance := self._come(now)) is None:
            return
        self._scene.observer(Event.PASSWORD_REJECTED, instance, now)
        self._scene.end(instance, now + REJECTED_SECONDS, Event.DELAYED_EXIT)

    def _refuse(self, now: float) -> None:
        """Come with everything right, and be refused by the server's own script."""
        if (instance := self._come(now)) is None:
            return
        self._scene.roster.count(instance)
        self._scene.observer(Event.SCRIPT_REFUSED, instance, now)
        self._scene.end(instance, now + REJECTED_SECONDS, Event.DELAYED_EXIT)

    def _intrude(self, now: float) -> None:
        """Come with a certificate of another authority: gone at once, but for the log."""
        if self._scene.turns_away(_STRANGER, now):
            return
        instance = self._scene.enter(_STRANGER, now)
        self._scene.observer(Event.CERTIFICATE_REFUSED, instance, now)
        self._scene.roster.remove(instance, now)

    def _float(self, now: float) -> None:
        """Change the network in the middle of a session: another port, the same session."""
        connected = [row for row in self._scene.roster.instances.values() if row.connected]
        if connected:
            instance = self._scene.rng.choice(connected)
            instance.move(self._scene.rng.randrange(32_768, 61_000))
            self._scene.observer(Event.FLOATED, instance, now)

    def _come(self, now: float) -> Instance | None:
        identity = self._scene.rng.choice(self._people)
        if self._scene.turns_away(identity, now):
            return None
        instance = self._scene.enter(identity, now)
        self._scene.verify(instance)
        return instance
