"""The rules for dashboards: what lets a file work wherever it is imported or provisioned."""

import json
import re
from itertools import combinations

import pytest

from tests.grafana.dashboard_files import BOARDS, FILES, NAMES, PANELS, Json, panels, values

UNITS = {"bps", "bytes", "cpm", "dateTimeFromNow", "none", "percentunit", "s", "short"}
NUMERIC = {"bargauge", "stat", "state-timeline", "timeseries"}

each_board = pytest.mark.parametrize("uid", BOARDS)
each_panel = pytest.mark.parametrize(("uid", "panel"), PANELS, ids=NAMES)


def test_there_are_five_dashboards() -> None:
    assert list(BOARDS) == [
        "openvpn-client",
        "openvpn-exporter",
        "openvpn-fleet",
        "openvpn-server",
        "openvpn-tunnel",
    ]


@each_board
class TestEachDashboard:
    def test_is_known_by_the_name_of_its_file(self, uid: str) -> None:
        assert BOARDS[uid]["uid"] == uid
        assert BOARDS[uid]["title"].startswith("OpenVPN / ")
        assert BOARDS[uid]["description"]

    def test_can_be_imported_and_provisioned_alike(self, uid: str) -> None:
        assert BOARDS[uid]["schemaVersion"] == 39
        assert not {"__inputs", "__requires", "id", "iteration"} & set(BOARDS[uid])
        assert BOARDS[uid]["editable"] is False
        assert isinstance(BOARDS[uid]["refresh"], str)

    def test_names_no_data_source(self, uid: str) -> None:
        sources = [source for source in values(BOARDS[uid], "datasource") if source is not None]
        assert len(sources) > len(panels(uid))
        assert {json.dumps(source, sort_keys=True) for source in sources} == {
            '{"type": "prometheus", "uid": "${datasource}"}'
        }

    def test_is_tied_to_the_others_with_variables_and_time(self, uid: str) -> None:
        (link,) = BOARDS[uid]["links"]
        assert (link["type"], link["tags"], BOARDS[uid]["tags"]) == (
            "dashboards",
            ["openvpn"],
            ["openvpn"],
        )
        assert link["includeVars"]
        assert link["keepTime"]

    def test_narrows_its_variables_one_by_one(self, uid: str) -> None:
        names = [variable["name"] for variable in variables(uid)]
        assert names[:4] == ["datasource", "job", "instance", "daemon"]
        for place, variable in enumerate(variables(uid)[1:], start=1):
            asked = set(re.findall(r"\$(\w+)", variable["definition"]))
            assert asked == set(names[1:place])
            assert variable["refresh"] == 2  # when the time range changes
            assert variable["label"]

    def test_finds_daemons_that_are_down(self, uid: str) -> None:
        for variable in variables(uid)[1:4]:
            assert re.fullmatch(r"label_values\(openvpn_up\b.*\)", variable["definition"])

    def test_offers_no_series_of_other_exporters(self, uid: str) -> None:
        for variable in variables(uid)[1:3]:
            assert 'openvpn_up{daemon!=""' in variable["definition"]

    def test_remembers_nobodys_choice(self, uid: str) -> None:
        chosen = [variable.get("current") for variable in variables(uid)]
        assert all(choice in (None, {"text": "All", "value": "$__all"}) for choice in chosen)

    def test_has_panels_with_ids_of_their_own(self, uid: str) -> None:
        ids = [panel["id"] for panel in (*BOARDS[uid]["panels"], *panels(uid)) if "id" in panel]
        distinct = {id(panel): panel["id"] for panel in (*BOARDS[uid]["panels"], *panels(uid))}
        assert len(set(distinct.values())) == len(distinct)
        assert min(ids) == 1

    def test_has_no_two_panels_in_one_place(self, uid: str) -> None:
        assert [
            (a["title"], b["title"]) for a, b in combinations(visible(uid), 2) if meet(a, b)
        ] == []

    def test_stays_within_the_grid(self, uid: str) -> None:
        for panel in panels(uid):
            place = panel["gridPos"]
            assert 0 <= place["x"] < place["x"] + place["w"] <= 24
            assert place["h"] >= 3

    def test_closes_the_rows_that_have_a_series_for_each_client(self, uid: str) -> None:
        if uid == "openvpn-client":
            return
        for panel in visible(uid):
            metrics = re.findall(r"openvpn_server_(?:client_\w+|route)\w*", expressions(panel))
            assert [name for name in metrics if name not in WITHOUT_NAMES] == []


WITHOUT_NAMES = {
    "openvpn_server_client_connects_total",
    "openvpn_server_client_disconnects_total",
    "openvpn_server_client_session_duration_seconds_bucket",
    "openvpn_server_routes",
}
"""Metrics about clients that don't say which."""


def variables(uid: str) -> list[dict[str, Json]]:
    found: list[dict[str, Json]] = BOARDS[uid]["templating"]["list"]
    return found


def visible(uid: str) -> list[dict[str, Json]]:
    return [panel for panel in BOARDS[uid]["panels"] if panel["type"] != "row"]


def expressions(panel: dict[str, Json]) -> str:
    return "\n".join(target["expr"] for target in panel.get("targets", []))


def meet(one: dict[str, Json], other: dict[str, Json]) -> bool:
    a, b = one["gridPos"], other["gridPos"]
    return bool(
        a["x"] < b["x"] + b["w"]
        and b["x"] < a["x"] + a["w"]
        and a["y"] < b["y"] + b["h"]
        and b["y"] < a["y"] + a["h"]
    )


@each_panel
class TestEachPanel:
    def test_says_what_it_shows_and_what_to_do(self, uid: str, panel: dict[str, Json]) -> None:
        assert panel["title"]
        if panel["type"] == "text":
            assert panel["description"]
            return
        parts = re.split(r"\n\n\*\*(Source|No data|What to do):\*\* ", panel["description"])
        assert parts[1::2] == ["Source", "No data", "What to do"]
        assert all(part.endswith((".", "?")) for part in parts[::2])

    def test_says_something_when_it_is_empty(self, uid: str, panel: dict[str, Json]) -> None:
        if panel["type"] != "text":
            assert panel["fieldConfig"]["defaults"]["noValue"]

    def test_has_units(self, uid: str, panel: dict[str, Json]) -> None:
        if panel["type"] in NUMERIC:
            assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
        assert set(values(panel, "unit")) <= UNITS

    def test_gives_rates_a_window_that_grafana_chooses(
        self, uid: str, panel: dict[str, Json]
    ) -> None:
        windows = re.findall(r"\[([^\]]*)\]", expressions(panel))
        assert set(windows) <= {"$__rate_interval", "$__range"}
        assert "interval" not in panel
        assert all("interval" not in target for target in panel.get("targets", []))

    def test_asks_only_for_what_was_chosen(self, uid: str, panel: dict[str, Json]) -> None:
        for selector in re.findall(r"\{([^}]*)\}", expressions(panel)):
            assert 'job=~"$job", instance=~"$instance"' in selector

    def test_leads_to_dashboards_and_variables_that_exist(
        self, uid: str, panel: dict[str, Json]
    ) -> None:
        for links in values(panel.get("fieldConfig", {}), "value"):
            for link in links if isinstance(links, list) else []:
                if "url" in link:
                    assert_leads_somewhere(link["url"], panel)

    def test_draws_what_is_sent_below_the_axis(self, uid: str, panel: dict[str, Json]) -> None:
        if panel["type"] != "timeseries":
            return
        below = {
            override["matcher"]["options"]
            for override in panel["fieldConfig"]["overrides"]
            if {"id": "custom.transform", "value": "negative-Y"} in override["properties"]
        }
        sent = {
            target["refId"]
            for target in panel["targets"]
            if re.search(r"_(sent|disconnects)_?\w*_?total|tun_tap_read", target["expr"])
            and panel["fieldConfig"]["defaults"]["unit"] != "percentunit"
        }
        assert below == sent


def assert_leads_somewhere(url: str, panel: dict[str, Json]) -> None:
    uid = url.removeprefix("/d/").partition("?")[0]
    assert uid in BOARDS
    known = {variable["name"] for variable in variables(uid)}
    given = dict(re.findall(r"var-(\w+)=\$\{([\w.]+)(?::percentencode)?\}", url))
    assert set(given) <= known
    assert given.pop("datasource") == "datasource"
    columns = set(panel["transformations"][-1]["options"]["renameByName"])
    assert {field.removeprefix("__data.fields.") for field in given.values()} <= columns
    assert url.endswith("&${__url_time_range}")


def test_zero_clients_are_not_red() -> None:
    for _, panel in PANELS:
        if "connected_clients" in expressions(panel) and panel["type"] == "stat":
            first = panel["fieldConfig"]["defaults"]["thresholds"]["steps"][0]
            assert first["color"] != "red"


def test_what_is_not_known_looks_neither_good_nor_bad() -> None:
    for _, panel in PANELS:
        if panel["type"] == "stat":
            below_all = panel["fieldConfig"]["defaults"]["thresholds"]["steps"][0]
            assert below_all == {"color": "text", "value": None}


def test_no_file_is_too_many() -> None:
    assert [path.stem for path in FILES] == sorted(BOARDS)
