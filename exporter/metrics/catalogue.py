"""Every metric there is, in the order of the page. HELP, documentation and checks come from here.

To add a metric, add a row to the `FAMILIES` of its subject.
"""

from exporter.config.schema import ClientsConfig
from exporter.metrics import self_metrics
from exporter.metrics.families import (
    certificates,
    clients,
    daemon,
    events,
    exporter,
    server,
    state,
    traffic,
    tunnel,
)
from exporter.metrics.family import Family, Metric

FAMILIES: tuple[Family, ...] = (
    *daemon.FAMILIES,
    *state.FAMILIES,
    *events.FAMILIES,
    *traffic.FAMILIES,
    *server.FAMILIES,
    *clients.FAMILIES,
    *tunnel.FAMILIES,
    *certificates.FAMILIES,
    *exporter.FAMILIES,
)

METRICS: tuple[Metric, ...] = (*(family.metric for family in FAMILIES), *self_metrics.METRICS)


def families(config: ClientsConfig) -> tuple[Family, ...]:
    """Return the families that the configuration wants."""
    unwanted = {
        *(() if config.series else clients.SERIES),
        *(() if config.info else clients.INFO),
        *(() if config.routes else clients.ROUTES),
    }
    return tuple(family for family in FAMILIES if family not in unwanted)
