"""Where everything happens: the instances, the scheduler, chance, and somebody who watches."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from exporter.simulator.population.client_table import ClientTable
from exporter.simulator.population.identity import ClientIdentity
from exporter.simulator.population.instance import Event, Instance, Observer
from exporter.simulator.population.scheduler import Scheduler

HANDSHAKE_RECEIVED = 2960
HANDSHAKE_SENT = 3082
_SPREAD = 80


@dataclass(frozen=True, slots=True)
class Context:
    """What people and incidents have in common."""

    client_table: ClientTable
    scheduler: Scheduler
    rng: Random
    observer: Observer

    def open_instance(self, identity: ClientIdentity, now: float) -> Instance:
        """Let a peer send its first packet."""
        instance = self.add_instance(identity, now)
        self.observer(Event.OPENED, instance, now)
        return instance

    def rejects(self, identity: ClientIdentity, now: float) -> bool:
        """Let a peer knock; tell whether it finds the server full, which the server remarks."""
        if self.client_table.full:
            port = self._port()
            nobody = Instance(
                identity=identity, port=port, client_id=-1, peer_id=-1, since=int(now)
            )
            self.observer(Event.MAX_CLIENTS_REACHED, nobody, now)
        return self.client_table.full

    def add_instance(self, identity: ClientIdentity, now: float) -> Instance:
        """Have a peer there as if it had always been."""
        return self.client_table.open(identity, port=self._port(), now=now)

    def verify(self, instance: Instance) -> None:
        """Let a peer show its certificate."""
        self.client_table.verify(
            instance,
            received=HANDSHAKE_RECEIVED + self.rng.randrange(_SPREAD),
            sent=HANDSHAKE_SENT + self.rng.randrange(_SPREAD),
        )

    def later(
        self, instance: Instance, when: float, action: Callable[[Instance, float], None]
    ) -> None:
        """Plan something for an instance, unless it is gone by then."""

        def act(now: float) -> None:
            if not instance.removed:
                action(instance, now)

        self.scheduler.call_at(when, act)

    def end(self, instance: Instance, when: float, event: Event) -> None:
        """Plan the end of an instance, which `event` tells of."""

        def remove(instance: Instance, now: float) -> None:
            self.observer(event, instance, now)
            self.client_table.remove(instance, now)

        self.later(instance, when, remove)

    def _port(self) -> int:
        return self.rng.randrange(32_768, 61_000)
