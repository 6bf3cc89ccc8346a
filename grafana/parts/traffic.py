"""What daemons move."""

from grafana_foundation_sdk.models import dashboard

from grafana.panels.graph import HALF, graph
from grafana.panels.panel import About, Query, Size
from grafana.queries import Scope, bits_per_second

LINK = (
    "bytes on the link, so encrypted and with keepalives: a healthy tunnel never reads quite zero."
)


def link(select: Scope, *, size: Size = HALF) -> dashboard.Panel:
    """Show the traffic of one daemon."""
    return graph(
        "Traffic on the link",
        About(
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
