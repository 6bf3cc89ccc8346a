"""Each link opens a dashboard with values that its variables can have."""

import pytest

from tests.grafana.dashboard_files import DASHBOARDS, PANELS, Json
from tests.grafana.link_urls import (
    ALL,
    BrokenLink,
    Chosen,
    dashboard_links,
    open_link,
    row_links,
)

CHOICES: dict[str, Chosen] = {
    "all": {"daemon": [ALL]},
    "one": {"daemon": ["office"]},
    "two": {"daemon": ["office", "uplink"]},
}
OTHERS: Chosen = {
    "datasource": "prometheus",
    "job": [ALL],
    "instance": ["10.0.0.1:9176", "[::1]:9176"],
    "server": "office",
    "tunnel": "uplink",
    "common_name": "a&b=c d",
}
FIELDS = {
    "job": "openvpn",
    "instance": "[::1]:9176",
    "daemon": "office 100%",
    "common_name": "a&b=c d",
    "board": "openvpn-server",
}

TITLES = {"Fleet", "Server", "Tunnel", "Client", "Usage", "Exporter"}


def choices(uid: str) -> list[Chosen]:
    """Return the choices of a dashboard: one daemon, or also all and two."""
    (daemon,) = (
        variable
        for variable in DASHBOARDS[uid]["templating"]["list"]
        if variable["name"] == "daemon"
    )
    names = CHOICES if daemon.get("multi") else ["one"]
    existing = {variable["name"] for variable in DASHBOARDS[uid]["templating"]["list"]}
    others = {name: value for name, value in OTHERS.items() if name in existing}
    return [{**others, **CHOICES[name]} for name in names]


@pytest.mark.parametrize("uid", DASHBOARDS)
def test_each_dashboard_has_a_link_to_each_other_one(uid: str) -> None:
    links = list(dashboard_links(uid))
    own = uid.removeprefix("openvpn-").capitalize()
    assert {link["title"] for link in links} == TITLES - {own}
    for chosen in choices(uid):
        for link in links:
            target = open_link(link, chosen)
            assert target.uid == f"openvpn-{link['title'].lower()}"
            assert target.keeps_time
            assert target.variables["datasource"] == ["prometheus"]
            assert target.variables["instance"] == OTHERS["instance"]


ROW_LINKS = [(uid, panel, link) for uid in DASHBOARDS for panel, link in row_links(uid)]


@pytest.mark.parametrize(
    ("uid", "panel", "link"),
    ROW_LINKS,
    ids=[f"{uid}: {panel['title']}: {link['title']}" for uid, panel, link in ROW_LINKS],
)
def test_link_of_a_row_passes_columns_of_the_row(uid: str, panel: Json, link: Json) -> None:
    columns = set(panel["transformations"][-1]["options"]["renameByName"])
    row = {name: value for name, value in FIELDS.items() if name in columns}
    for chosen in choices(uid):
        target = open_link(link, chosen, row)
        assert target.keeps_time
        assert target.variables.pop("datasource") == ["prometheus"]
        assert target.variables
        for name, passed in target.variables.items():
            assert passed in ([FIELDS[name]], [ALL])


def test_names_of_daemons_and_clients_are_links() -> None:
    linked = {(uid, panel["title"]) for uid, panel, _ in ROW_LINKS}
    tables = {
        (uid, panel["title"])
        for uid, panel in PANELS
        if panel["type"] == "table"
        and {"daemon", "common_name"} & set(panel["transformations"][-1]["options"]["renameByName"])
    }
    assert tables <= linked


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("/d/openvpn-nowhere?var-daemon=office", "there is no dashboard 'openvpn-nowhere'"),
        ("/d/openvpn-server?${daemon:queryparam}", "2 values for daemon"),
        ("/d/openvpn-server?var-daemon=$__all", "All for daemon"),
        ("/d/openvpn-server?var-daemon=", "an empty value for daemon"),
        ("/d/openvpn-server?var-common_name=a", "no variable common_name"),
    ],
)
def test_links_that_lead_nowhere_are_found(url: str, problem: str) -> None:
    with pytest.raises(BrokenLink, match=problem):
        open_link({"title": "Server", "url": url}, CHOICES["two"])
