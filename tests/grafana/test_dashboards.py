"""The rules for dashboards, so that a file works when it is imported and when it is provisioned."""

import json
import re
from itertools import combinations

import pytest

from tests.alert_rules.shipped import USAGE_LABELS
from tests.grafana.dashboard_files import DASHBOARDS, FILES, PANEL_IDS, PANELS, Json, panels, values

UNITS = {"bps", "bytes", "cpm", "dateTimeFromNow", "decbytes", "none", "percentunit", "s", "short"}
NUMERIC = {"bargauge", "stat", "state-timeline", "timeseries"}

[USAGE_METRIC] = USAGE_LABELS

each_dashboard = pytest.mark.parametrize("uid", DASHBOARDS)
each_panel = pytest.mark.parametrize(("uid", "panel"), PANELS, ids=PANEL_IDS)


def test_there_are_six_dashboards() -> None:
    assert list(DASHBOARDS) == [
        "openvpn-client",
        "openvpn-exporter",
        "openvpn-fleet",
        "openvpn-server",
        "openvpn-tunnel",
        "openvpn-usage",
    ]


@each_dashboard
class TestEachDashboard:
    def test_uid_is_the_file_name(self, uid: str) -> None:
        assert DASHBOARDS[uid]["uid"] == uid
        assert DASHBOARDS[uid]["title"].startswith("OpenVPN / ")
        assert DASHBOARDS[uid]["description"]

    def test_can_be_imported_and_provisioned(self, uid: str) -> None:
        assert DASHBOARDS[uid]["schemaVersion"] == 39
        assert not {"__inputs", "__requires", "id", "iteration"} & set(DASHBOARDS[uid])
        assert DASHBOARDS[uid]["editable"] is False
        assert isinstance(DASHBOARDS[uid]["refresh"], str)

    def test_data_source_is_a_variable(self, uid: str) -> None:
        sources = [source for source in values(DASHBOARDS[uid], "datasource") if source is not None]
        assert len(sources) > len(panels(uid))
        assert {json.dumps(source, sort_keys=True) for source in sources} == {
            '{"type": "prometheus", "uid": "${datasource}"}'
        }

    def test_has_the_tag_of_all_dashboards(self, uid: str) -> None:
        assert DASHBOARDS[uid]["tags"] == ["openvpn"]

    def test_links_are_drawn_where_they_belong(self, uid: str) -> None:
        assert "inControlsMenu" not in values(DASHBOARDS[uid], "placement")

    def test_each_variable_depends_on_those_before_it(self, uid: str) -> None:
        names = [variable["name"] for variable in variables(uid)]
        assert names[:4] == ["datasource", "job", "instance", "daemon"]
        for position, variable in enumerate(variables(uid)[1:], start=1):
            referenced = set(re.findall(r"\$(\w+)", variable["definition"])) - {"__range"}
            before = names[1:4] if variable.get("hide") else names[1:position]
            assert referenced == set(before)
            assert variable["refresh"] == 2  # when the time range changes
            assert variable["label"]

    def test_variables_include_daemons_that_are_down(self, uid: str) -> None:
        kinds = {"openvpn-server": "server", "openvpn-tunnel": r"client\|p2p"}
        for variable in variables(uid)[1:3]:
            assert re.fullmatch(r"label_values\(openvpn_up\b.*\)", variable["definition"])
        metric = rf"openvpn_info\b.+mode=~\"{kinds[uid]}\"" if uid in kinds else r"openvpn_up\b.*"
        assert re.fullmatch(rf"label_values\({metric}.*\)", variables(uid)[3]["definition"])
        assert variables(uid)[3].get("multi", False) == (uid not in kinds)

    def test_variables_exclude_other_exporters(self, uid: str) -> None:
        for variable in variables(uid)[1:3]:
            assert 'openvpn_up{daemon!=""' in variable["definition"]

    def test_saves_no_selection(self, uid: str) -> None:
        selections = [variable.get("current") for variable in variables(uid)]
        assert all(
            selection in (None, {"text": "All", "value": "$__all"}) for selection in selections
        )

    def test_panel_ids_are_unique(self, uid: str) -> None:
        ids = [panel["id"] for panel in (*DASHBOARDS[uid]["panels"], *panels(uid)) if "id" in panel]
        distinct = {id(panel): panel["id"] for panel in (*DASHBOARDS[uid]["panels"], *panels(uid))}
        assert len(set(distinct.values())) == len(distinct)
        assert min(ids) == 1

    def test_panels_do_not_overlap(self, uid: str) -> None:
        assert [
            (a["title"], b["title"]) for a, b in combinations(visible(uid), 2) if overlap(a, b)
        ] == []

    def test_panels_stay_within_the_grid(self, uid: str) -> None:
        for panel in panels(uid):
            position = panel["gridPos"]
            assert 0 <= position["x"] < position["x"] + position["w"] <= 24
            assert position["h"] >= 3

    def test_rows_with_series_per_client_are_collapsed_but_for_the_connected_ones(
        self, uid: str
    ) -> None:
        if uid in {"openvpn-client", "openvpn-usage"}:
            return
        for panel in visible(uid):
            metrics = re.findall(r"openvpn_server_(?:client_\w+|route)\w*", expressions(panel))
            names = [name for name in metrics if name not in WITHOUT_CLIENT_NAMES]
            assert not names or (uid, panel["title"]) == ("openvpn-server", "Connected clients")

    def test_first_screen_of_the_server_has_the_connected_clients(self, uid: str) -> None:
        if uid == "openvpn-server":
            first_table = next(panel for panel in visible(uid) if panel["type"] == "table")
            assert first_table["title"] == "Connected clients"
            assert first_table["gridPos"]["y"] < 10


WITHOUT_CLIENT_NAMES = {
    "openvpn_server_client_connects_total",
    "openvpn_server_client_disconnects_total",
    "openvpn_server_client_session_duration_seconds_bucket",
    "openvpn_server_routes",
}
"""Metrics about clients without the client's name."""

AVAILABILITY_WINDOWS = {"1h", "30d:5m"}
"""Availability has fixed windows, as an objective has."""


USAGE_WINDOWS = {"$__interval", "1d", "7d", "30d"}
"""Usage is of the time of a bar, and of days before the end of the range."""


def variables(uid: str) -> list[dict[str, Json]]:
    found: list[dict[str, Json]] = DASHBOARDS[uid]["templating"]["list"]
    return found


def visible(uid: str) -> list[dict[str, Json]]:
    return [panel for panel in DASHBOARDS[uid]["panels"] if panel["type"] != "row"]


def expressions(panel: dict[str, Json]) -> str:
    return "\n".join(target["expr"] for target in panel.get("targets", []))


def overlap(one: dict[str, Json], other: dict[str, Json]) -> bool:
    a, b = one["gridPos"], other["gridPos"]
    return bool(
        a["x"] < b["x"] + b["w"]
        and b["x"] < a["x"] + a["w"]
        and a["y"] < b["y"] + b["h"]
        and b["y"] < a["y"] + a["h"]
    )


@each_panel
class TestEachPanel:
    def test_description_has_all_parts(self, uid: str, panel: dict[str, Json]) -> None:
        assert panel["title"]
        if panel["type"] == "text":
            assert panel["description"]
            return
        parts = re.split(r"\n\n\*\*(Source|No data|What to do):\*\* ", panel["description"])
        assert parts[1::2] == ["Source", "No data", "What to do"]
        assert all(part.endswith((".", "?")) for part in parts[::2])

    def test_has_a_text_for_no_data(self, uid: str, panel: dict[str, Json]) -> None:
        if panel["type"] != "text":
            assert panel["fieldConfig"]["defaults"]["noValue"]

    def test_units_are_known(self, uid: str, panel: dict[str, Json]) -> None:
        if panel["type"] in NUMERIC:
            assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
        assert set(values(panel, "unit")) <= UNITS

    def test_windows_are_variables_of_grafana(self, uid: str, panel: dict[str, Json]) -> None:
        windows = set(re.findall(r"\[([^\]]*)\]", expressions(panel)))
        if panel["title"] in {"Client availability", "Daemon availability"}:
            windows -= AVAILABILITY_WINDOWS
        if USAGE_METRIC in expressions(panel):
            windows -= USAGE_WINDOWS
        assert windows <= {"$__rate_interval", "$__range", "$__range:$__interval"}
        assert all("interval" not in target for target in panel.get("targets", []))

    def test_bars_count_each_event_in_one_bar(self, uid: str, panel: dict[str, Json]) -> None:
        """A step of three scrapes or more makes `$__rate_interval` one step and one scrape."""
        is_bars = has_bars(panel)
        if is_bars and USAGE_METRIC in expressions(panel):
            return
        assert (panel.get("interval"), panel.get("maxDataPoints")) == (
            ("3m", 100) if is_bars else (None, None)
        )
        if is_bars:
            for target in panel["targets"]:
                assert target["expr"].startswith("$__interval_ms / 1000 * sum ")

    def test_selectors_have_the_variables_job_and_instance(
        self, uid: str, panel: dict[str, Json]
    ) -> None:
        for metric, selector in re.findall(r"(\w+)\{([^}]*)\}", expressions(panel)):
            or_none = "|" if metric.startswith("ALERTS") else ""
            assert f'job=~"$job{or_none}", instance=~"$instance{or_none}"' in selector

    def test_sent_traffic_is_below_the_axis(self, uid: str, panel: dict[str, Json]) -> None:
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


def has_bars(panel: dict[str, Json]) -> bool:
    style = panel.get("fieldConfig", {}).get("defaults", {}).get("custom", {})
    return bool(style.get("drawStyle") == "bars")


def test_bars_of_usage_are_days_that_begin_at_their_time() -> None:
    usage = [panel for _, panel in PANELS if USAGE_METRIC in expressions(panel)]
    found = [panel for panel in usage if has_bars(panel)]
    assert len(found) == 3
    for panel in found:
        assert (panel["interval"], panel["maxDataPoints"]) == ("1d", 100)
        assert all("[$__interval] offset -$__interval" in one["expr"] for one in panel["targets"])


def test_zero_clients_are_not_red() -> None:
    for _, panel in PANELS:
        if "connected_clients" in expressions(panel) and panel["type"] == "stat":
            first = panel["fieldConfig"]["defaults"]["thresholds"]["steps"][0]
            assert first["color"] != "red"


def test_unknown_values_have_the_text_colour() -> None:
    for _, panel in PANELS:
        if panel["type"] == "stat":
            below_all = panel["fieldConfig"]["defaults"]["thresholds"]["steps"][0]
            assert below_all == {"color": "text", "value": None}


def test_every_file_is_a_dashboard() -> None:
    assert [path.stem for path in FILES] == sorted(DASHBOARDS)
