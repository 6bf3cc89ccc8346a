"""Links from one dashboard to another.

Grafana keeps a value from a link even if the variable does not offer it: *All* in a link to a
dashboard of one daemon is the name of a daemon that does not exist. So each link passes only the
variables that its dashboard has in the same form.
"""

from collections.abc import Sequence
from typing import NamedTuple

from grafana_foundation_sdk.models import dashboard

from grafana.kinds import BOARD, EXPORTER_UID, KINDS, SERVER, Kind
from grafana.queries import DAEMON_LABELS

TAG = "openvpn"
"""The tag of all dashboards."""

_EXPORTERS = "${datasource:queryparam}&${job:queryparam}&${instance:queryparam}"
_FLEET = "openvpn-fleet"
_CLIENT = "openvpn-client"
_USAGE = "openvpn-usage"


def between_dashboards(
    uid: str, variables: Sequence[dashboard.VariableModel]
) -> list[dashboard.DashboardLink]:
    """Return the links from a dashboard with these variables to each other one.

    A variable with the name of a kind is the first daemon of that kind among the selected ones.
    """
    names = {variable.name for variable in variables}
    links = [
        _link("Fleet", _FLEET, _EXPORTERS),
        *(_to_kind(kind, selected=kind.name in names) for kind in KINDS),
        _link("Client", _CLIENT, _EXPORTERS),
        _link("Usage", _USAGE, _EXPORTERS),
        _link("Exporter", EXPORTER_UID, f"{_EXPORTERS}&${{daemon:queryparam}}"),
    ]
    return [link for link in links if not (link.url or "").startswith(f"/d/{uid}?")]


def _to_kind(kind: Kind, *, selected: bool) -> dashboard.DashboardLink:
    daemon = f"&var-daemon=${{{kind.name}:percentencode}}" if selected else ""
    return _link(kind.name.capitalize(), kind.uid, f"{_EXPORTERS}{daemon}")


def _link(title: str, uid: str, query: str) -> dashboard.DashboardLink:
    return dashboard.DashboardLink(
        title=title,
        type_val=dashboard.DashboardLinkType.LINK,
        icon="dashboard",
        url=f"/d/{uid}?{query}",
        keep_time=True,
    )


class Link(NamedTuple):
    """A link from a table row to a dashboard, with labels of the row as variables.

    `uid` may be a field of the row. A variable in `all_of` gets the value *All*.
    """

    title: str
    uid: str
    labels: tuple[str, ...]
    all_of: tuple[str, ...] = ()

    def to_field(self) -> dashboard.DashboardLink:
        """Return the link of a field; Grafana inserts and encodes the values of the row."""
        labels = "".join(
            f"&var-{label}=${{__data.fields.{label}:percentencode}}" for label in self.labels
        )
        everything = "".join(f"&var-{variable}=$__all" for variable in self.all_of)
        return dashboard.DashboardLink(
            title=self.title,
            url=f"/d/{self.uid}?${{datasource:queryparam}}{labels}{everything}"
            "&${__url_time_range}",
        )


TO_DAEMON = Link("Open dashboard", f"${{__data.fields.{BOARD}}}", DAEMON_LABELS)
"""To the dashboard of the daemon's kind; the rows have its uid as a hidden column."""

TO_SERVER = Link("Open server dashboard", SERVER.uid, DAEMON_LABELS)
"""To a server; for rows that only servers have."""

TO_EXPORTER = Link("Open exporter dashboard", EXPORTER_UID, DAEMON_LABELS)

TO_CLIENT = Link("Open client dashboard", _CLIENT, ("common_name",), all_of=DAEMON_LABELS)
"""To one client on all servers: another server than that of the row may have its session."""
