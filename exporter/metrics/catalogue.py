"""All metrics, in the order of the page. HELP texts, documentation and checks come from here.

To add a metric, add a row to a module of `families`.
"""

from exporter.config.schema import ClientsConfig
from exporter.metrics import expected_clients, self_metrics
from exporter.metrics.families import (
    certificates,
    client_certificates,
    clients,
    daemon,
    events,
    exporter,
    port_probes,
    server,
    sharing,
)
from exporter.metrics.family import Family, Metric

SECTIONS: dict[str, tuple[Family, ...]] = {
    "Availability and version": daemon.DAEMON,
    "State": daemon.STATE,
    "Events": events.FAMILIES,
    "Traffic": daemon.TRAFFIC,
    "Server": server.FAMILIES,
    "Clients of a server": (*clients.EXPECTED, *clients.SERIES, *clients.INFO, *clients.ROUTES),
    "Client and point-to-point mode": daemon.TUNNEL,
    "Certificates": certificates.FAMILIES,
    "Client certificates": (*client_certificates.FAMILIES, *client_certificates.CLIENTS),
    "Port probes": port_probes.FAMILIES,
    "Exporter, by daemon": (*exporter.FAMILIES, *sharing.FAMILIES),
}

FAMILIES: tuple[Family, ...] = tuple(family for section in SECTIONS.values() for family in section)

METRICS: tuple[Metric, ...] = (
    *(family.metric for family in FAMILIES),
    *expected_clients.METRICS,
    *self_metrics.METRICS,
)


def families(config: ClientsConfig) -> tuple[Family, ...]:
    """Return the families that the configuration enables."""
    disabled = {
        *(() if config.series else (*clients.SERIES, *client_certificates.CLIENTS)),
        *(() if config.info else clients.INFO),
        *(() if config.routes else clients.ROUTES),
    }
    return tuple(family for family in FAMILIES if family not in disabled)
