"""Panels about the availability of daemons and of expected clients."""

from grafana_foundation_sdk.models import dashboard

from grafana.panels.panel import Description, Query, Size, thresholds
from grafana.panels.stat import stat
from grafana.queries import (
    DAEMON_LABELS,
    EXPORTER_MATCHERS,
    ON_DAEMON,
    Selector,
    average,
    highest,
)
from grafana.shared_panels import expected_clients

COLOURS = thresholds("red", (0.95, "yellow"), (0.99, "green"))

_HOUR, _MONTH = "1h", "30d:5m"
"""The windows; the long one has a step, so that it needs few samples, and none at first."""

_WIDE = Size(5, 3)


def of_daemons(select: Selector) -> dashboard.Panel:
    """Return the average availability of the daemons."""
    hour, month = (
        average(f"avg_over_time({select('openvpn_up')}[{window}])") for window in (_HOUR, _MONTH)
    )
    return stat(
        "Daemon availability",
        Description(
            "Share of time in which the daemons were up, on average: in the last hour, and in the "
            "last 30 days. Time in which the exporter was not scraped does not count.",
            "`openvpn_up`.",
            "no daemon is monitored.",
            "*States* shows which daemon was down, and when.",
        ),
        [Query(hour, "1 hour"), Query(f"{month} or {hour}", "30 days")],
        unit="percentunit",
        decimals=2,
        colours=COLOURS,
        no_value="none monitored",
        size=_WIDE,
    )


def of_expected_clients(select: Selector) -> dashboard.Panel:
    """Return the average availability of the expected clients."""
    hour, month = (share_of_time(select, window) for window in (_HOUR, _MONTH))
    return stat(
        "Client availability",
        Description(
            "Share of time in which expected clients were connected, on average: in the last hour, "
            "and in the last 30 days. Time in which their server was down counts as not connected.",
            "`status`, for the names in `expected_clients` of the configuration; `openvpn_up`.",
            "no client is expected.",
            "*Missing clients* lists those that are missing now; the client dashboard shows when.",
        ),
        [Query(hour, "1 hour"), Query(f"{month} or {hour}", "30 days")],
        unit="percentunit",
        decimals=2,
        colours=COLOURS,
        no_value="none expected",
        size=_WIDE,
    )


def share_of_time(select: Selector, window: str) -> str:
    """Return the average share of a window in which expected clients were connected.

    The polls in which their server was down count as not connected.
    """
    expected, up = select(expected_clients.METRIC), Selector(EXPORTER_MATCHERS)("openvpn_up")
    counted = highest(f"count_over_time({expected}[{window}])", *expected_clients.LABELS)
    missed = highest(
        f"count_over_time({up}[{window}]) - sum_over_time({up}[{window}])", *DAEMON_LABELS
    )
    share = (
        f"{highest(f'sum_over_time({expected}[{window}])', *expected_clients.LABELS)} / "
        f"({counted} + {ON_DAEMON} group_left () {missed})"
    )
    return average(f"{share} or {expected_clients.at_unknown_servers(select)}")
