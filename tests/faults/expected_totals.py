"""The traffic totals that a monitor must report, from the simulation's own counters."""

from exporter.management.values import UNDEFINED
from exporter.simulator import SimulatedDaemon
from exporter.simulator.population.counter import activity_ticks
from exporter.simulator.population.instance import Instance

Totals = dict[str, tuple[int, int]]
"""Bytes received and sent, by common name."""


class ExpectedTotals:
    """The totals after a number of samples; what was transferred before the first does not count.

    The bytes of a session are known up to the last sample in which it was connected. What it
    transferred after that is in no status: a monitor cannot know it.
    """

    def __init__(self, simulated: SimulatedDaemon) -> None:
        self._simulated = simulated
        self._sessions: dict[Instance, tuple[int, int]] = {}
        self._before: dict[Instance, tuple[int, int]] | None = None

    def sample(self) -> None:
        """Record the counters of all connected clients."""
        daemon = self._simulated.daemon
        tick = activity_ticks(daemon.now)
        for instance in daemon.instance_table.instances.values() if daemon.instance_table else ():
            if instance.connected:
                self._sessions[instance] = (instance.received.at(tick), instance.sent.at(tick))
        if self._before is None:
            self._before = dict(self._sessions)

    @property
    def totals(self) -> Totals:
        """The bytes of all sessions in any sample."""
        totals: Totals = {}
        before = self._before or {}
        for instance, (received, sent) in self._sessions.items():
            name = instance.common_name
            assert name != UNDEFINED
            others = totals.get(name, (0, 0))
            first = before.get(instance, (0, 0))
            totals[name] = (others[0] + received - first[0], others[1] + sent - first[1])
        return totals
