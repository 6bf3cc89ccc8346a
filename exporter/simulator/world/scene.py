"""Where everything happens: the instances, the agenda, chance, and somebody who watches."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from exporter.simulator.world.agenda import Agenda
from exporter.simulator.world.event import Event, Observer
from exporter.simulator.world.identity import Identity
from exporter.simulator.world.instance import Instance
from exporter.simulator.world.roster import Roster

HANDSHAKE_RECEIVED = 2960
HANDSHAKE_SENT = 3082
_SPREAD = 80


@dataclass(frozen=True, slots=True)
class Scene:
    """What people and incidents have in common."""

    roster: Roster
    agenda: Agenda
    rng: Random
    observer: Observer

    def enter(self, identity: Identity, now: float) -> Instance:
        """Let a peer send its first packet."""
        instance = self.place(identity, now)
        self.observer(Event.OPENED, instance, now)
        return instance

    def turns_away(self, identity: Identity, now: float) -> bool:
        """Let a peer knock; tell whether it finds the server full, which the server remarks."""
        if self.roster.full:
            port = self._port()
            nobody = Instance(
                identity=identity, port=port, client_id=-1, peer_id=-1, since=int(now)
            )
            self.observer(Event.TURNED_AWAY, nobody, now)
        return self.roster.full

    def place(self, identity: Identity, now: float) -> Instance:
        """Have a peer there as if it had always been."""
        return self.roster.open(identity, port=self._port(), now=now)

    def verify(self, instance: Instance) -> None:
        """Let a peer show its certificate."""
        self.roster.verify(
            instance,
            received=HANDSHAKE_RECEIVED + self.rng.randrange(_SPREAD),
            sent=HANDSHAKE_SENT + self.rng.randrange(_SPREAD),
        )

    def later(
        self, instance: Instance, when: float, action: Callable[[Instance, float], None]
    ) -> None:
        """Plan something for an instance, unless it is gone by then."""

        def act(now: float) -> None:
            if not instance.gone:
                action(instance, now)

        self.agenda.at(when, act)

    def end(self, instance: Instance, when: float, event: Event) -> None:
        """Plan the end of an instance, which `event` tells of."""

        def remove(instance: Instance, now: float) -> None:
            self.observer(event, instance, now)
            self.roster.remove(instance, now)

        self.later(instance, when, remove)

    def _port(self) -> int:
        return self.rng.randrange(32_768, 61_000)
