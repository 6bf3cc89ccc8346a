"""What happens to a server a few times an hour: strangers, wrong passwords, roaming clients."""

from collections.abc import Callable, Sequence
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


class Incidents:
    """Trouble, at random times."""

    def __init__(self, scene: Scene, habits: Habits, people: Sequence[Identity]) -> None:
        """Plan nothing yet."""
        self._scene = scene
        self._people = people
        self._kinds: list[tuple[float, Callable[[float], None]]] = [
            (habits.scans, self._scan),
            (habits.bad_passwords, self._mistype),
            (habits.foreign_certificates, self._intrude),
            (habits.script_refusals, self._refuse),
            (habits.floats, self._float),
        ]

    def plan(self, now: float) -> None:
        """Plan the first incident of each kind; each plans the next of its kind."""
        for per_hour, incident in self._kinds:
            if per_hour > 0:
                self._plan(per_hour, incident, now)

    def _plan(self, per_hour: float, incident: Callable[[float], None], now: float) -> None:
        when = now + self._scene.rng.expovariate(per_hour / _HOUR)
        self._scene.agenda.at(when, partial(self._happen, per_hour, incident))

    def _happen(self, per_hour: float, incident: Callable[[float], None], now: float) -> None:
        incident(now)
        self._plan(per_hour, incident, now)

    def _scan(self, now: float) -> None:
        """Open a connection and say nothing."""
        instance = self._scene.enter(_STRANGER, now)
        self._scene.end(instance, now + HANDSHAKE_SECONDS, Event.HANDSHAKE_TIMED_OUT)

    def _mistype(self, now: float) -> None:
        """Come with a good certificate and a wrong password."""
        instance = self._come(now)
        self._scene.observer(Event.PASSWORD_REJECTED, instance, now)
        self._scene.end(instance, now + REJECTED_SECONDS, Event.DELAYED_EXIT)

    def _refuse(self, now: float) -> None:
        """Come with everything right, and be refused by the server's own script."""
        instance = self._come(now)
        self._scene.roster.count(instance)
        self._scene.observer(Event.SCRIPT_REFUSED, instance, now)
        self._scene.end(instance, now + REJECTED_SECONDS, Event.DELAYED_EXIT)

    def _intrude(self, now: float) -> None:
        """Come with a certificate of another authority: gone at once, but for the log."""
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

    def _come(self, now: float) -> Instance:
        instance = self._scene.enter(self._scene.rng.choice(self._people), now)
        self._scene.verify(instance)
        return instance
