"""What daemons move."""

from grafana_foundation_sdk.models import dashboard

from grafana.panels.panel import Description, Query, Size
from grafana.panels.time_series import HALF, time_series
from grafana.queries import Selector, bits_per_second

LINK = (
    "bytes on the link, so encrypted and with keepalives: a healthy tunnel never reads quite zero."
)


def link(select: Selector, *, size: Size = HALF) -> dashboard.Panel:
    """Show the traffic of one daemon."""
    return time_series(
        "Traffic on the link",
        Description(
            f"Received above the axis, sent below: {LINK}",
            "`load-stats`; under data channel offload the sum of all clients in `status`.",
            "the exporter isn't scraped, or was started a moment ago.",
            "one direction at zero while clients are connected: routing or a firewall.",
        ),
        [
            Query(bits_per_second(select("openvpn_received_bytes_total")), "received"),
            Query(bits_per_second(select("openvpn_sent_bytes_total")), "sent", mirrored=True),
        ],
        unit="bps",
        no_value="Nothing measured yet",
        size=size,
    )
