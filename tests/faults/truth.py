"""What the clients of a simulated server really moved, by the simulation's own books."""

from exporter.management.values import UNDEFINED
from exporter.simulator import SimulatedDaemon
from exporter.simulator.population.counter import activity_ticks
from exporter.simulator.population.instance import Instance

Totals = dict[str, tuple[int, int]]
"""Bytes received and sent, by common name."""


class Truth:
    """What somebody must know who looked at these moments, and at no other.

    A session's bytes are known up to the last look that found it. What it moved after that, until
    it was gone, no status ever told: this is all that a watcher may miss.
    """

    def __init__(self, simulated: SimulatedDaemon) -> None:
        self._simulated = simulated
        self._sessions: dict[Instance, tuple[int, int]] = {}

    def look(self) -> None:
        """Look now."""
        daemon = self._simulated.daemon
        tick = activity_ticks(daemon.now)
        for instance in daemon.client_table.instances.values() if daemon.client_table else ():
            if instance.connected:
                self._sessions[instance] = (instance.received.at(tick), instance.sent.at(tick))

    @property
    def totals(self) -> Totals:
        """The bytes of all sessions that were ever found."""
        totals: Totals = {}
        for instance, (received, sent) in self._sessions.items():
            name = instance.common_name
            assert name != UNDEFINED
            before = totals.get(name, (0, 0))
            totals[name] = (before[0] + received, before[1] + sent)
        return totals
