"""A family that knows how often it was rendered."""

from collections.abc import Iterable

from exporter.metrics.family import Family, Kind, Metric, Sample
from exporter.state.daemon import DaemonState


class CountingFamily:
    """A family that counts how often its samples are asked for."""

    def __init__(self, *, per_client: bool) -> None:
        metric = Metric("openvpn_x", Kind.GAUGE, "X.", ("common_name",))
        self.calls = 0
        self.family = Family(metric, self._samples, per_client=per_client)

    def _samples(self, daemon: DaemonState) -> Iterable[Sample]:
        self.calls += 1
        return [(("alice",), self.calls)]
