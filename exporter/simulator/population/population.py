"""Clients that connect, move bytes, disconnect or lose the network.

All events come from one scheduler and one random source, in order of time: the same seed gives the
same events, however often the population is advanced. An observer is called with each.
"""

from collections.abc import Sequence
from functools import partial
from random import Random

from exporter.simulator.population.context import Context
from exporter.simulator.population.failures import (
    REJECTED_SECONDS,
    FailureInjector,
    FailureKind,
)
from exporter.simulator.population.identity import ClientIdentity
from exporter.simulator.population.instance import Instance, InstanceEvent, Observer
from exporter.simulator.population.instance_table import InstanceTable
from exporter.simulator.population.profile import ChurnProfile
from exporter.simulator.population.scheduler import Scheduler

PING_RESTART_SECONDS = 120.0
"""Seconds that a lost client stays in the status: twice the `keepalive` of 60."""

_CLEAN_EXIT_RATIO = 0.7
"""The share of clients that disconnect with `explicit-exit-notify`."""


class ClientPopulation:
    """The clients of one server, connected or not.

    `limit` is the server's `--max-clients`.
    """

    def __init__(
        self,
        identities: Sequence[ClientIdentity],
        profile: ChurnProfile,
        *,
        rng: Random,
        scheduler: Scheduler,
        observer: Observer,
        limit: int | None = None,
    ) -> None:
        self.instance_table = InstanceTable(limit)
        self._identities = identities
        self._profile = profile
        self._rng = rng
        self._context = Context(self.instance_table, scheduler, rng, observer)
        self._failures = FailureInjector(self._context, profile, identities)

    def populate(self, *, start: float, now: float) -> None:
        """Connect clients as if the server had been running from `start` to `now`."""
        for identity, since in self._initial_sessions(start=start, now=now):
            if self.instance_table.full:
                self._schedule_connect(identity, now + self._retry_delay())
                continue
            instance = self._context.add_instance(identity, since)
            instance.reconnects = True
            self._context.verify(instance)
            self.instance_table.establish(instance, since)
            self._schedule_disconnect(instance, now)
        self._failures.schedule(now)

    def reconnect_all(self, now: float) -> None:
        """Let all clients reconnect after a restart, within twenty seconds."""
        for identity in self._identities:
            self._schedule_connect(identity, now + self._rng.uniform(1.0, 20.0))
        self._failures.schedule(now)

    def kill(self, instance: Instance, now: float) -> None:
        """End a session from the server's side; the client reconnects a little later."""
        self.instance_table.remove(instance, now)
        self._reconnect_later(instance, now)

    def connect(self, identity: ClientIdentity, now: float) -> None:
        """Let a client connect now; it may be a new one."""
        self._connect(identity, now)

    def disconnect(self, common_name: str, now: float) -> None:
        """Let all clients of a name disconnect now; they don't reconnect."""
        for instance in list(self.instance_table.instances.values()):
            if instance.reconnects and instance.common_name == common_name:
                self._disconnect(instance, now)

    def trigger(self, kind: FailureKind, now: float) -> None:
        """Cause a failure now."""
        self._failures.trigger(kind, now)

    def _initial_sessions(self, *, start: float, now: float) -> list[tuple[ClientIdentity, float]]:
        """Return the connected clients with their start times, in order of time."""
        profile, connected = self._profile, []
        share = profile.session_seconds / (profile.session_seconds + profile.absence_seconds)
        for identity in self._identities:
            if profile.churn and self._rng.random() > share:
                self._schedule_connect(identity, now + self._absence())
            else:
                age = self._rng.expovariate(1 / profile.session_seconds)
                connected.append((identity, max(start + 1, now - 1 - age)))
        return sorted(connected, key=lambda entry: entry[1])

    def _absence(self) -> float:
        return self._rng.expovariate(1 / self._profile.absence_seconds)

    def _retry_delay(self) -> float:
        """Return after how many seconds a client retries if the server was full."""
        return self._rng.uniform(2.0, 4.0)

    def _schedule_connect(self, identity: ClientIdentity, when: float) -> None:
        self._context.scheduler.call_at(when, partial(self._connect, identity))

    def _reconnect_later(self, instance: Instance, now: float) -> None:
        if instance.reconnects:
            self._schedule_connect(instance.identity, now + self._rng.uniform(2.0, 10.0))

    def _connect(self, identity: ClientIdentity, now: float) -> None:
        if self._context.rejects(identity, now):
            self._schedule_connect(identity, now + self._retry_delay())
            return
        instance = self._context.open_instance(identity, now)
        instance.reconnects = True
        self._context.schedule(instance, now + self._rng.uniform(0.05, 1.2), self._establish)

    def _establish(self, instance: Instance, now: float) -> None:
        self._context.verify(instance)
        if not self._profile.duplicate_names:
            self._replace_others(instance, now)
        self.instance_table.establish(instance, now)
        self._context.observer(InstanceEvent.ESTABLISHED, instance, now)
        self._schedule_disconnect(instance, now)

    def _replace_others(self, instance: Instance, now: float) -> None:
        """Remove earlier sessions of the same name, without an event."""
        for other in list(self.instance_table.instances.values()):
            if other.connected and other.common_name == instance.common_name:
                instance.replaces = True
                self.kill(other, now)

    def _schedule_disconnect(self, instance: Instance, now: float) -> None:
        if not self._profile.churn:
            return
        leave = self._leave if self._rng.random() < _CLEAN_EXIT_RATIO else self._drop
        when = now + self._rng.expovariate(1 / self._profile.session_seconds)
        self._context.schedule(instance, when, leave)

    def _leave(self, instance: Instance, now: float) -> None:
        """Disconnect, and connect again some time later."""
        self._disconnect(instance, now)
        self._schedule_connect(instance.identity, now + REJECTED_SECONDS + self._absence())

    def _disconnect(self, instance: Instance, now: float) -> None:
        """Send an exit notification; 2.6 keeps the row for five more seconds."""
        self._mark_leaving(instance, now)
        self._context.observer(InstanceEvent.EXIT_NOTIFIED, instance, now)
        self._context.schedule_removal(instance, now + REJECTED_SECONDS, InstanceEvent.DELAYED_EXIT)

    def _mark_leaving(self, instance: Instance, now: float) -> None:
        instance.reconnects = False
        self.instance_table.stop_traffic(instance, now)

    def _drop(self, instance: Instance, now: float) -> None:
        """Lose the network; often the client reconnects before the server's ping timeout."""
        self._mark_leaving(instance, now)
        self._context.schedule_removal(
            instance, now + PING_RESTART_SECONDS, InstanceEvent.PING_TIMED_OUT
        )
        self._schedule_connect(instance.identity, now + self._absence())
