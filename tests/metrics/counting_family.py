"""A family that counts how often its samples are collected."""

from collections.abc import Generator

from exporter.metrics.family import Family, LabelledValues, Metric, MetricType, PerClientSamples
from exporter.state.daemon import DaemonState


class CountingFamily:
    """Counts the calls for samples; the count is the value of the only sample."""

    def __init__(self, *, per_client: bool) -> None:
        metric = Metric("openvpn_x", MetricType.GAUGE, "X.", ("common_name",))
        self.calls = 0
        self.family = Family(
            metric, PerClientSamples(self._collect_in_batches) if per_client else self._collect
        )

    def _collect_in_batches(self, daemon: DaemonState) -> Generator[None, None, LabelledValues]:
        yield
        return self._collect(daemon)

    def _collect(self, _: DaemonState) -> LabelledValues:
        self.calls += 1
        return {"alice": self.calls}
