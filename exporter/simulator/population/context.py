"""What the population and the failure injector share: instance table, scheduler, random source."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from exporter.simulator.population.identity import ClientIdentity
from exporter.simulator.population.instance import Instance, InstanceEvent, Observer
from exporter.simulator.population.instance_table import InstanceTable
from exporter.simulator.population.scheduler import Scheduler

HANDSHAKE_RECEIVED = 2960
HANDSHAKE_SENT = 3082
_SPREAD = 80


@dataclass(frozen=True, slots=True)
class Context:
    """The shared objects, and the steps of a connection."""

    instance_table: InstanceTable
    scheduler: Scheduler
    rng: Random
    observer: Observer

    def open_instance(self, identity: ClientIdentity, now: float) -> Instance:
        """Open an instance for a peer's first packet."""
        instance = self.add_instance(identity, now)
        self.observer(InstanceEvent.OPENED, instance, now)
        return instance

    def rejects(self, identity: ClientIdentity, now: float) -> bool:
        """Return whether the server is full and rejects a peer, which is an event."""
        if self.instance_table.full:
            port = self._port()
            rejected = Instance(
                identity=identity, port=port, client_id=-1, peer_id=-1, since=int(now)
            )
            self.observer(InstanceEvent.MAX_CLIENTS_REACHED, rejected, now)
        return self.instance_table.full

    def add_instance(self, identity: ClientIdentity, now: float) -> Instance:
        """Add an instance without an event."""
        return self.instance_table.open(identity, port=self._port(), now=now)

    def verify(self, instance: Instance) -> None:
        """Verify a peer's certificate."""
        self.instance_table.verify(
            instance,
            received=HANDSHAKE_RECEIVED + self.rng.randrange(_SPREAD),
            sent=HANDSHAKE_SENT + self.rng.randrange(_SPREAD),
        )

    def schedule(
        self, instance: Instance, when: float, action: Callable[[Instance, float], None]
    ) -> None:
        """Schedule an action for an instance; it is skipped if the instance was removed before."""

        def act(now: float) -> None:
            if not instance.removed:
                action(instance, now)

        self.scheduler.call_at(when, act)

    def schedule_removal(self, instance: Instance, when: float, event: InstanceEvent) -> None:
        """Schedule the removal of an instance, announced by `event`."""

        def remove(instance: Instance, now: float) -> None:
            self.observer(event, instance, now)
            self.instance_table.remove(instance, now)

        self.schedule(instance, when, remove)

    def _port(self) -> int:
        return self.rng.randrange(32_768, 61_000)
