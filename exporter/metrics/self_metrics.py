"""The exporter's own instruments: the process, the interpreter, the build, the configuration."""

import platform

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from exporter import __version__
from exporter.metrics.family import Kind, Metric

BUILD_INFO = Metric(
    "openvpn_exporter_build_info",
    Kind.GAUGE,
    "1; which exporter this is, and the Python it runs on.",
    ("version", "python"),
)
CONFIG_SUCCESSFUL = Metric(
    "openvpn_exporter_config_last_reload_successful",
    Kind.GAUGE,
    "1 if the configuration was accepted when it was last read.",
)
CONFIG_TIME = Metric(
    "openvpn_exporter_config_last_reload_success_timestamp_seconds",
    Kind.GAUGE,
    "Unix time at which a configuration was last accepted.",
)
NOT_WATCHED = Metric(
    "openvpn_exporter_discovered_daemons_not_watched",
    Kind.GAUGE,
    "Discovered daemons that are not watched; the log says why, and what to do.",
)
METRICS = (BUILD_INFO, CONFIG_SUCCESSFUL, CONFIG_TIME, NOT_WATCHED)


class SelfMetrics:
    """The registry behind the daemons' metrics on the page."""

    def __init__(self) -> None:
        """Register everything; the configuration counts as read when `reload_succeeded` says so."""
        self.registry = CollectorRegistry(support_collectors_without_names=True)
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        _gauge(BUILD_INFO, self.registry).labels(__version__, platform.python_version()).set(1)
        self._config_successful = _gauge(CONFIG_SUCCESSFUL, self.registry)
        self._config_time = _gauge(CONFIG_TIME, self.registry)
        self._not_watched = _gauge(NOT_WATCHED, self.registry)

    def reload_succeeded(self, now: float) -> None:
        """Note that a configuration came into force at `now`, seconds since the epoch."""
        self._config_successful.set(1)
        self._config_time.set(now)

    def discovered(self, *, not_watched: int) -> None:
        """Note how many discovered daemons can't be watched."""
        self._not_watched.set(not_watched)

    def reload_failed(self) -> None:
        """Note that a configuration could not be used; the last one stays in force."""
        self._config_successful.set(0)


def _gauge(metric: Metric, registry: CollectorRegistry) -> Gauge:
    return Gauge(metric.name, metric.help, metric.labels, registry=registry)
