"""The clients that are expected: mostly sites, which should always be there."""

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


def missing(select: Selector) -> dashboard.Panel:
    """Show how many are missing."""
    return stat(
        "Clients missing",
        Description(
            "Expected clients that aren't connected, at servers that are up.",
            _SOURCE,
            "no client is expected, or no such server is up.",
            "the table of missing clients has their names.",
        ),
        Query(count_where(select(_METRIC), "== 0")),
        unit="short",
        mappings=mappings.NONE,
        colours=thresholds("green", (0.5, "red")),
        no_value="none expected",
    )


def missing_by_name(select: Selector, *, size: Size = _LOW) -> dashboard.Panel:
    """Show which are missing."""
    return table(
        "Missing clients",
        Description(
            "Expected clients that are not connected, at servers that are up.",
            _SOURCE,
            "none is missing, or none is expected.",
            "click a name to see when it was last there.",
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
        no_value="None is missing, or none is expected",
        sort="Client",
        size=size,
    )


def presence(select: Selector) -> dashboard.Panel:
    """Show over time which were there."""
    return state_timeline(
        "Expected clients over time",
        Description(
            "Whether each expected client was connected. A gap in all of them: the server was "
            "down.",
            _SOURCE,
            "no client is expected of this server.",
            "one that comes and goes has a bad line; all at once, it is the server's.",
        ),
        Query(highest(select(_METRIC), "common_name"), "{{common_name}}"),
        mappings=mappings.EXPECTED_CLIENT,
        no_value="No client is expected",
        size=Size(24, 9),
    )
