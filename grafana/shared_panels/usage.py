"""What clients moved, from the recording rules for usage."""

from grafana_foundation_sdk.models import dashboard

from grafana.panels.panel import Description, Query, Size
from grafana.panels.time_series import time_series
from grafana.queries import Selector, total

METRIC = "daemon_common_name:openvpn_server_client_bytes:increase5m"
RECEIVED = 'direction="received"'
SENT = 'direction="sent"'
SOURCE = "`openvpn-exporter rules --usage`: the usage of five minutes, recorded by Prometheus."
EMPTY = (
    "no client moved bytes, Prometheus does not evaluate the rules for usage, or client names are "
    "disabled (`clients.series: false`)."
)
NO_VALUE = "No usage, or no rules for it"


def moved_in(selector: str, window: str, *labels: str) -> str:
    """Return the bytes that moved in a window, by these labels."""
    return total(f"sum_over_time({selector}[{window}])", *labels)


def moved_by_bar(selector: str, *labels: str) -> str:
    """Return the bytes that moved from each point to the next: a bar begins at its time."""
    moved_after = f"sum_over_time({selector}[$__interval] offset -$__interval)"
    return total(moved_after, *labels)


def by_day(select: Selector) -> dashboard.Panel:
    """Return what moved on each day, in both directions."""
    return time_series(
        "By day",
        Description(
            "Each bar is the day that begins at its time, in the time zone of the browser. Bars "
            "are longer with more than 100 days, and the last one is not yet complete.",
            SOURCE,
            EMPTY,
            "a day unlike the others: *Traffic* of the client shows at which time.",
        ),
        [
            Query(moved_by_bar(select(METRIC, RECEIVED)), "received"),
            Query(moved_by_bar(select(METRIC, SENT)), "sent"),
        ],
        unit="decbytes",
        no_value=NO_VALUE,
        size=Size(24, 8),
        bars=True,
        shortest_bar="1d",
        stacked=True,
    )
