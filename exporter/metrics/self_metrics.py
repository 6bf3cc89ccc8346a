"""Metrics about the exporter: its process, Python, build and configuration."""

import platform
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.metrics_core import CounterMetricFamily
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from exporter import __version__, log
from exporter.metrics.family import Metric, MetricType

BUILD_INFO = Metric(
    "openvpn_exporter_build_info",
    MetricType.GAUGE,
    "Constant 1, labelled by the version of the exporter and of Python.",
    ("version", "python"),
)
CONFIG_SUCCESSFUL = Metric(
    "openvpn_exporter_config_last_reload_successful",
    MetricType.GAUGE,
    "1 if the last configuration reload was successful, else 0.",
)
CONFIG_TIME = Metric(
    "openvpn_exporter_config_last_reload_success_timestamp_seconds",
    MetricType.GAUGE,
    "Unix time of the last successful configuration reload.",
)
DAEMONS = Metric(
    "openvpn_exporter_daemons",
    MetricType.GAUGE,
    "Daemons that the exporter monitors, those that are down included.",
)
SKIPPED_DAEMONS = Metric(
    "openvpn_exporter_discovered_daemons_skipped",
    MetricType.GAUGE,
    "Discovered daemons that are skipped; the log has the reason and what to do.",
)
DROPPED_LOG_MESSAGES = Metric(
    "openvpn_exporter_log_messages_dropped_total",
    MetricType.COUNTER,
    "Messages of the exporter's own log that were dropped, because nothing reads standard error.",
)
METRICS = (
    BUILD_INFO,
    CONFIG_SUCCESSFUL,
    CONFIG_TIME,
    DAEMONS,
    SKIPPED_DAEMONS,
    DROPPED_LOG_MESSAGES,
)


class SelfMetrics:
    """The registry of the metrics about the exporter, which follow those of the daemons."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(support_collectors_without_names=True)
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        _gauge(BUILD_INFO, self.registry).labels(__version__, platform.python_version()).set(1)
        self._config_successful = _gauge(CONFIG_SUCCESSFUL, self.registry)
        self._config_time = _gauge(CONFIG_TIME, self.registry)
        self._daemons = _gauge(DAEMONS, self.registry)
        self._skipped_daemons = _gauge(SKIPPED_DAEMONS, self.registry)
        self.registry.register(_DroppedLogMessages())

    def reload_succeeded(self, now: float) -> None:
        """Record that a configuration was applied at `now`, seconds since the epoch."""
        self._config_successful.set(1)
        self._config_time.set(now)

    def reload_failed(self) -> None:
        """Record that a configuration was rejected; the previous one stays in force."""
        self._config_successful.set(0)

    def set_daemons(self, daemons: int) -> None:
        """Record the number of monitored daemons."""
        self._daemons.set(daemons)

    def set_skipped_daemons(self, daemons: int) -> None:
        """Record the number of discovered daemons that are skipped."""
        self._skipped_daemons.set(daemons)


class _DroppedLogMessages(Collector):
    """Reads the counter of the log."""

    def collect(self) -> Iterable[CounterMetricFamily]:
        metric = DROPPED_LOG_MESSAGES
        return [CounterMetricFamily(metric.name, metric.help, value=log.dropped_events())]

    def describe(self) -> Iterable[CounterMetricFamily]:
        return self.collect()


def _gauge(metric: Metric, registry: CollectorRegistry) -> Gauge:
    return Gauge(metric.name, metric.help, metric.labels, registry=registry)
