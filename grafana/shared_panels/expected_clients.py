"""Panels about expected clients, mostly sites that should always be connected."""

from grafana_foundation_sdk.models import dashboard

from grafana import mappings
from grafana.links import TO_CLIENT, TO_SERVER
from grafana.panels.panel import Description, Query, Size, thresholds
from grafana.panels.stat import stat
from grafana.panels.state_timeline import state_timeline
from grafana.panels.table import Text, Value, table
from grafana.queries import (
    DAEMON_LABELS,
    EXPORTER_MATCHERS,
    IS_UP,
    Selector,
    count_where,
    highest,
    in_milliseconds,
    last_in_range,
)

_LOW = Size(12, 8)

METRIC = "openvpn_server_expected_client_connected"
LABELS = (*DAEMON_LABELS, "common_name")
_SOURCE = "`status`, for the names in `expected_clients` of the configuration."


def connected(select: Selector) -> str:
    """Return 1 for each expected client that is connected, else 0.

    The metric is absent while the server is down; 0 stands for the clients that it had in the time
    range.
    """
    return f"{highest(select(METRIC), *LABELS)} or {at_unknown_servers(select)}"


def at_unknown_servers(select: Selector) -> str:
    """Return 0 for each client that a server expected in the time range, and is not up now."""
    return f"(0 * {last_in_range(select(METRIC), *LABELS)} unless {IS_UP})"


def missing_count(select: Selector) -> dashboard.Panel:
    """Return the number of missing clients."""
    return stat(
        "Clients missing",
        Description(
            "Expected clients that are not connected, with those of a server that is down or no "
            "longer monitored.",
            _SOURCE,
            "no client was expected in the time range.",
            "the table *Missing clients* has their names.",
        ),
        Query(count_where(f"({connected(select)})", "== 0")),
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
            "Expected clients that are not connected, with those of a server that is down or no "
            "longer monitored.",
            _SOURCE,
            "no client is missing, or none is expected.",
            "click a name to see where it is connected, or when it was last. SERVER NOT UP: look "
            "at the server first; its clients may have moved to another one.",
        ),
        [
            Text("Client", "common_name", links=(TO_CLIENT,)),
            Text("Server", "daemon", links=(TO_SERVER,)),
            Text("Exporter", "instance"),
            Text("Job", "job", hidden=True),
            Value(
                "Reason",
                f"{highest(select(METRIC), *LABELS)} == 0 or 1 + {at_unknown_servers(select)}",
                unit="none",
                mappings=mappings.MISSING_CLIENT,
                width=140,
            ),
        ],
        no_value="No client is missing, or none is expected",
        sort="Client",
        size=size,
    )


def on_no_server_table() -> dashboard.Panel:
    """Return a table of the clients of the top-level `expected_clients` that no server shows."""
    select = Selector(EXPORTER_MATCHERS)
    labels = ("job", "instance", "common_name")
    now = highest(select("openvpn_expected_client_connected"), *labels)
    before = last_in_range(select("openvpn_expected_client_connected"), *labels)
    some_down = f"on (job, instance) ({select('openvpn_up')} == 0)"
    last_seen = select("openvpn_expected_client_last_seen_timestamp_seconds")
    return table(
        "Expected clients on no server",
        Description(
            "Clients of the top-level `expected_clients` that are connected to none of the servers "
            "of their exporter. UNKNOWN: one of the servers is down, and the client may be there.",
            "`status` of all servers.",
            "all such clients are connected, or none is expected.",
            "UNKNOWN: look at the server that is down first. Click a name for its history.",
        ),
        [
            Text("Client", "common_name", links=(TO_CLIENT,)),
            Text("Exporter", "instance"),
            Text("Job", "job", hidden=True),
            Value(
                "State",
                f"{now} == 0 or (1 + 0 * {before} unless {now}) and {some_down}",
                unit="none",
                mappings=mappings.ON_NO_SERVER,
                width=140,
            ),
            Value(
                "Last seen",
                in_milliseconds(highest(last_seen, *labels)),
                unit="dateTimeFromNow",
                width=160,
            ),
        ],
        no_value="All are connected, or none is expected",
        sort="Client",
        size=Size(24, 7),
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
        Query(highest(select(METRIC), "common_name"), "{{common_name}}"),
        mappings=mappings.EXPECTED_CLIENT,
        no_value="No client is expected",
        size=Size(15, 9),
    )
