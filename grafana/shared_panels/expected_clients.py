"""Panels about expected clients, mostly sites that should always be connected."""

from grafana_foundation_sdk.models import dashboard

from grafana import mappings
from grafana.links import TO_CLIENT
from grafana.panels.panel import Description, Query, Size, thresholds
from grafana.panels.stat import stat
from grafana.panels.state_timeline import state_timeline
from grafana.panels.table import Text, Value, table
from grafana.queries import DAEMON_LABELS, Selector, count_where, highest

_LOW = Size(24, 6)

_METRIC = "openvpn_server_expected_client_connected"
_SOURCE = "`status`, for the names in `expected_clients` of the configuration."


def missing_count(select: Selector) -> dashboard.Panel:
    """Return the number of missing clients."""
    return stat(
        "Clients missing",
        Description(
            "Expected clients that are not connected, at servers that are up.",
            _SOURCE,
            "no client is expected, or its server is down.",
            "the table *Missing clients* has their names.",
        ),
        Query(count_where(select(_METRIC), "== 0")),
        unit="short",
        mappings=mappings.NONE,
        colours=thresholds("green", (0.5, "red")),
        no_value="none expected",
    )


def missing_table(select: Selector, *, size: Size = _LOW) -> dashboard.Panel:
    """Return a table of missing clients."""
    return table(
        "Missing clients",
        Description(
            "Expected clients that are not connected, at servers that are up.",
            _SOURCE,
            "no client is missing, or none is expected.",
            "click a name to see when it was last connected.",
        ),
        [
            Text("Client", "common_name", links=(TO_CLIENT,)),
            Text("Server", "daemon"),
            Text("Exporter", "instance"),
            Text("Job", "job", hidden=True),
            Value(
                "Now",
                f"{highest(select(_METRIC), *DAEMON_LABELS, 'common_name')} == 0",
                unit="none",
                mappings=mappings.EXPECTED_CLIENT,
            ),
        ],
        no_value="No client is missing, or none is expected",
        sort="Client",
        size=size,
    )


def connected_over_time(select: Selector) -> dashboard.Panel:
    """Return a timeline of the expected clients."""
    return state_timeline(
        "Expected clients",
        Description(
            "Whether each expected client was connected. A gap in all rows: the server was down.",
            _SOURCE,
            "no client is expected at this server.",
            "one client reconnects often: an unstable network. All at once: look at the server.",
        ),
        Query(highest(select(_METRIC), "common_name"), "{{common_name}}"),
        mappings=mappings.EXPECTED_CLIENT,
        no_value="No client is expected",
        size=Size(24, 9),
    )
