"""Panels about traffic."""

from grafana_foundation_sdk.models import dashboard

from grafana.panels.panel import Description, Query, Size
from grafana.panels.time_series import HALF, time_series
from grafana.queries import Selector, bits_per_second

LINK = "bytes on the link, encrypted and with keepalives. A working tunnel never shows quite zero."


def link(select: Selector, *, size: Size = HALF) -> dashboard.Panel:
    """Return the traffic of one daemon."""
    return time_series(
        "Link traffic",
        Description(
            f"Received above the axis, sent below: {LINK}",
            "`load-stats`; under data channel offload the sum of all clients in `status`.",
            "the daemon is down, or the first scrape was a moment ago.",
            "one direction at zero while clients are connected: check routing and firewalls.",
        ),
        [
            Query(bits_per_second(select("openvpn_received_bytes_total")), "received"),
            Query(bits_per_second(select("openvpn_sent_bytes_total")), "sent", mirrored=True),
        ],
        unit="bps",
        no_value="The daemon is down",
        size=size,
    )
