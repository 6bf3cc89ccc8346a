"""The client instances of one server, with their ids and the bytes of all of them together."""

import heapq

from exporter.simulator.population.counter import LinearCounter, activity_ticks
from exporter.simulator.population.identity import ClientIdentity
from exporter.simulator.population.instance import Instance


class IdAllocator:
    """Allocates numbers from 0, the lowest free one first."""

    def __init__(self) -> None:
        self._free: list[int] = []
        self._next = 0

    def allocate(self) -> int:
        """Return the lowest number not in use."""
        if self._free:
            return heapq.heappop(self._free)
        self._next += 1
        return self._next - 1

    def release(self, number: int) -> None:
        """Free a number."""
        heapq.heappush(self._free, number)


class InstanceTable:
    """Instances by client id; `received` and `sent` count the bytes of removed ones, too.

    The bytes of handshakes have counters of their own: with data channel offload the daemon counts
    nothing else. `limit` is `--max-clients`.
    """

    def __init__(self, limit: int | None = None) -> None:
        self._limit = limit
        self.instances: dict[int, Instance] = {}
        self.received = LinearCounter()
        self.sent = LinearCounter()
        self.handshake_received = 0
        self.handshake_sent = 0
        self._reset_numbers()

    def _reset_numbers(self) -> None:
        self.opened = 0
        """Instances since the last restart: the next client id."""

        self.established = 0
        """Clients that OpenVPN counts as established: rejected ones, too, until their removal."""

        self._peer_ids = IdAllocator()
        self._pool = IdAllocator()

    @property
    def full(self) -> bool:
        """Whether `--max-clients` is reached, which counts clients in a handshake, too."""
        return self._limit is not None and len(self.instances) >= self._limit

    def open(self, identity: ClientIdentity, *, port: int, now: float) -> Instance:
        """Add an instance without a name, an address or a byte."""
        instance = Instance(
            identity=identity,
            port=port,
            client_id=self.opened,
            peer_id=self._peer_ids.allocate(),
            since=int(now),
        )
        self.opened += 1
        self.instances[instance.client_id] = instance
        return instance

    def verify(self, instance: Instance, *, received: int, sent: int) -> None:
        """Set the name in the certificate, and count the bytes of the handshake."""
        instance.rename(common_name=instance.identity.common_name)
        self.handshake_received += received
        self.handshake_sent += sent
        self._set_counters(instance, received=LinearCounter(received), sent=LinearCounter(sent))

    def establish(self, instance: Instance, now: float) -> None:
        """Connect a verified client: set user, cipher and addresses, and start its traffic."""
        identity, tick = instance.identity, activity_ticks(now)
        self.mark_established(instance)
        instance.rename(username=identity.username)
        instance.assign_addresses(self._pool.allocate())
        received, sent = instance.received.at(tick), instance.sent.at(tick)
        self._set_counters(
            instance,
            received=LinearCounter.started(tick, value=received, rate=identity.receive_rate),
            sent=LinearCounter.started(tick, value=sent, rate=identity.send_rate),
        )

    def mark_established(self, instance: Instance) -> None:
        """Count an instance as established; it may be rejected all the same."""
        instance.established = True
        self.established += 1

    def stop_traffic(self, instance: Instance, now: float) -> None:
        """Stop the traffic of a client that stays in the table."""
        tick = activity_ticks(now)
        instance.idle_since = int(now)
        self._set_counters(
            instance, received=instance.received.stopped(tick), sent=instance.sent.stopped(tick)
        )

    def remove(self, instance: Instance, now: float) -> None:
        """Remove an instance; its bytes stay in the totals and its ids become free."""
        self.stop_traffic(instance, now)
        instance.removed = True
        del self.instances[instance.client_id]
        self._peer_ids.release(instance.peer_id)
        if instance.pool_index is not None:
            self._pool.release(instance.pool_index)
        self.established -= instance.established

    def clear(self, now: float) -> None:
        """Remove all instances, as a restart does: ids start again at 0."""
        for instance in list(self.instances.values()):
            self.remove(instance, now)
        self._reset_numbers()

    def _set_counters(
        self, instance: Instance, *, received: LinearCounter, sent: LinearCounter
    ) -> None:
        self.received += received - instance.received
        self.sent += sent - instance.sent
        instance.received, instance.sent = received, sent
