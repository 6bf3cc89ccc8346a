"""Every metric there is, in the order of the page. HELP, documentation and checks come from here.

To add a metric, add a row to the `FAMILIES` of its subject.
"""

from exporter.config.schema import ClientsConfig
from exporter.metrics import own
from exporter.metrics.families import (
    certificates,
    clients,
    events,
    polling,
    server,
    session,
    state,
    traffic,
    tunnel,
)
from exporter.metrics.metric import Family, Metric

FAMILIES: tuple[Family, ...] = (
    *session.FAMILIES,
    *state.FAMILIES,
    *events.FAMILIES,
    *traffic.FAMILIES,
    *server.FAMILIES,
    *clients.FAMILIES,
    *tunnel.FAMILIES,
    *certificates.FAMILIES,
    *polling.FAMILIES,
)

METRICS: tuple[Metric, ...] = (*(family.metric for family in FAMILIES), *own.METRICS)


def families(config: ClientsConfig) -> tuple[Family, ...]:
    """Return the families that the configuration wants."""
    unwanted = {
        *(() if config.series else clients.SERIES),
        *(() if config.info else clients.INFO),
        *(() if config.routes else clients.ROUTES),
    }
    return tuple(family for family in FAMILIES if family not in unwanted)
