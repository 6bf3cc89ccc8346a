"""The clients that are expected: mostly sites, which should always be there."""

from grafana_foundation_sdk.models import dashboard

from grafana import words
from grafana.links import TO_CLIENT
from grafana.panels.panel import About, Query, Size, thresholds
from grafana.panels.stat import stat
from grafana.panels.table import Text, Value, table
from grafana.panels.timeline import timeline
from grafana.queries import KEY, Scope, highest, how_many

LOW = Size(24, 6)

LOW = Size(24, 6)

_METRIC = "openvpn_server_expected_client_connected"
_SOURCE = "`status`, for the names in `expected_clients` of the configuration."


def missing(select: Scope) -> dashboard.Panel:
    """Show how many are missing."""
    return stat(
        "Clients missing",
        About(
            "Expected clients that aren't connected, at servers that are up.",
            _SOURCE,
            "no client is expected, or no such server is up.",
            "the table of missing clients has their names.",
        ),
        Query(how_many(select(_METRIC), "== 0")),
        unit="short",
        words=words.NONE_OF_THEM,
        colours=thresholds("green", (0.5, "red")),
        no_value="none expected",
    )


def missing_by_name(select: Scope, *, size: Size = LOW) -> dashboard.Panel:
    """Show which are missing."""
    return table(
        "Missing clients",
        About(
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
                f"{highest(select(_METRIC), *KEY, 'common_name')} == 0",
                unit="none",
                words=words.EXPECTED,
            ),
        ],
        no_value="None is missing, or none is expected",
        sort="Client",
        size=size,
    )


def presence(select: Scope) -> dashboard.Panel:
    """Show over time which were there."""
    return timeline(
        "Expected clients over time",
        About(
            "Whether each expected client was connected. A gap in all of them: the server was "
            "down.",
            _SOURCE,
            "no client is expected of this server.",
            "one that comes and goes has a bad line; all at once, it is the server's.",
        ),
        Query(highest(select(_METRIC), "common_name"), "{{common_name}}"),
        words=words.EXPECTED,
        no_value="No client is expected",
        size=Size(24, 9),
    )
