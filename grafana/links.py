"""Links from one dashboard to another."""

from typing import NamedTuple

from grafana_foundation_sdk.models import dashboard

from grafana.queries import DAEMON_LABELS

TAG = "openvpn"
"""The tag of all dashboards."""


def between_dashboards() -> dashboard.DashboardLink:
    """Return the drop-down of all dashboards with the tag; it keeps variables and time range."""
    return dashboard.DashboardLink(
        title="OpenVPN",
        type_val=dashboard.DashboardLinkType.DASHBOARDS,
        icon="external link",
        tags=[TAG],
        as_dropdown=True,
        include_vars=True,
        keep_time=True,
    )


class Link(NamedTuple):
    """A link from a table row to the dashboard `uid`, with the labels of the row as variables."""

    title: str
    uid: str
    labels: tuple[str, ...]

    def to_field(self) -> dashboard.DashboardLink:
        """Return the link of a field; Grafana inserts and encodes the values of the row."""
        variables = "".join(
            f"&var-{label}=${{__data.fields.{label}:percentencode}}" for label in self.labels
        )
        return dashboard.DashboardLink(
            title=self.title,
            url=f"/d/{self.uid}?var-datasource=${{datasource}}{variables}&${{__url_time_range}}",
        )


TO_SERVER = Link("Open server dashboard", "openvpn-server", DAEMON_LABELS)
TO_TUNNEL = Link("Open tunnel dashboard", "openvpn-tunnel", DAEMON_LABELS)
TO_CLIENT = Link("Open client dashboard", "openvpn-client", (*DAEMON_LABELS, "common_name"))
TO_EXPORTER = Link("Open exporter dashboard", "openvpn-exporter", DAEMON_LABELS)
