"""Dashboards, rules and alerts with real Prometheus and Alertmanager during one scenario.

The scenario runs once; each test checks a part of the result.
"""

import asyncio
import re

import pytest

from tests.docs_queries import docs_queries
from tests.grafana.dashboard_files import DASHBOARDS
from tests.real.lab import Lab
from tests.real.live.alertmanager import FIRING, RESOLVED, SUPPRESSED
from tests.real.live.exporters import DAEMONS
from tests.real.live.fleet import SITES
from tests.real.live.grafana import QUERY_IDS, VARIABLES
from tests.real.live.legacy_dashboards import COMMON_QUERIES, SERVER_QUERIES, TUNNEL_QUERIES
from tests.real.live.links import LINK_IDS
from tests.real.live.live_run import LiveResult, run_live
from tests.real.live.scenario import (
    ABSENT,
    AUTH_FAILURES,
    DOWN,
    EXPORTER_DOWN,
    FALLBACK,
    FATAL,
    FILE_ONLY,
    MISSING,
    MISSING_CLIENT,
    NEAR_LIMIT,
    NO_CERTIFICATE,
    ON_NO_SERVER,
    OUTPOST_PACKET_ERRORS,
    PACKET_ERRORS,
    PORT,
    PROMPT,
    RECONNECTING,
    RESTARTED,
    SERVER_FULL,
)

pytestmark = pytest.mark.timeout(300)

_NO_COMPRESSION = "compression is off in every daemon, as it is by default"
_TOO_SHORT = "the scenario is shorter than `idle_after`"
EMPTY_QUERIES = {
    "openvpn-exporter: Commands of tools A": "no tool is connected",
    "openvpn-exporter: Unparsed lines and fallbacks C": "OpenVPN refuses no command",
    "openvpn-server: Certificate file problems problem": "the missing file is a tunnel's",
    "openvpn-server: Idle and shared clients A": _TOO_SHORT,
    "openvpn-server: annotation Fatal error": "only a tunnel has one",
    "openvpn-tunnel: Compression A": _NO_COMPRESSION,
    "openvpn-tunnel: Compression B": _NO_COMPRESSION,
}
"""Queries that have no data in this scenario, with the reason."""

EMPTY_DOCS_QUERIES = {"idle-clients.md: openvpn_server_idle_clients": _TOO_SHORT}
"""The same for queries of the documentation."""

QUERIES_OF_A_BUSY_MACHINE = {"openvpn-exporter: Poll duration B"}
"""Queries that have data if a poll takes more than a second, which is no part of the scenario."""

LINKS_WITHOUT_ROWS = {"openvpn-server: Certificate file problems: Open dashboard"}
"""Links in tables that have no rows in this scenario."""

SERVERS = {"gateway", "office", "branches", "hotel"}
WITHOUT_CLIENTS = {"annex", "archive"}
TUNNELS = {"laptop", "uplink", "vault"}
NOT_UP = {"depot"}
NOT_SCRAPED = {"outpost"}

EXPECTED_VALUES = {
    "openvpn-fleet: Monitored daemons A": DAEMONS - len(NOT_SCRAPED),
    "openvpn-fleet: Daemons down A": 1,
    "openvpn-fleet: Up, not connected A": 0,
    "openvpn-fleet: Clients missing A": 1,
    "openvpn-exporter: Exporter up A": 0,
    "openvpn-exporter: Clients not exported A": 0,
}
"""The values of some panels while all alerts are active."""

RECEIVERS = {
    EXPORTER_DOWN: "pager",
    DOWN: "pager",
    PROMPT: "pager",
    MISSING: "pager",
    ON_NO_SERVER: "pager",
    SERVER_FULL: "pager",
    PORT: "pager",
    RECONNECTING: "team",
    FATAL: "team",
    FALLBACK: "team",
    FILE_ONLY: "team",
    NO_CERTIFICATE: "team",
    AUTH_FAILURES: "team",
    ABSENT: "team",
    RESTARTED: "quiet",
}
"""The receiver of each alert."""

SUPPRESSED_ALERTS = {PACKET_ERRORS, OUTPOST_PACKET_ERRORS, NEAR_LIMIT}
"""Alerts that fire while another alert suppresses them."""


@pytest.fixture(scope="module")
def result(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> LiveResult:
    return asyncio.run(run_live(lab, tmp_path_factory.mktemp("live")))


@pytest.mark.parametrize("query_id", QUERY_IDS)
def test_dashboard_query_has_data_or_is_listed_as_empty(result: LiveResult, query_id: str) -> None:
    query = result.dashboards.queries[query_id]
    assert query.errors == set()
    assert query.runs >= 2
    if query_id not in QUERIES_OF_A_BUSY_MACHINE:
        assert set(query.values) == (set() if query_id in EMPTY_QUERIES else {"all", "each"})


def test_list_of_empty_queries_names_existing_queries() -> None:
    assert set(EMPTY_QUERIES) <= set(QUERY_IDS)


@pytest.mark.parametrize("variable", VARIABLES)
def test_dashboard_variable_has_values(result: LiveResult, variable: str) -> None:
    assert result.dashboards.variables[variable]


@pytest.mark.parametrize(("query_id", "value"), EXPECTED_VALUES.items())
def test_panel_shows_the_value_of_the_scenario_for_all_and_for_each(
    result: LiveResult, query_id: str, value: float
) -> None:
    assert result.dashboards.queries[query_id].values == {"all": [value], "each": [value]}


@pytest.mark.parametrize("link_id", LINK_IDS)
def test_link_leads_to_data(result: LiveResult, link_id: str) -> None:
    link = result.links[link_id]
    assert link.problems == set()
    assert bool(link.followed) == (link_id not in LINKS_WITHOUT_ROWS)


@pytest.mark.parametrize("name", docs_queries())
def test_query_of_the_documentation_has_data(result: LiveResult, name: str) -> None:
    assert bool(result.docs[name]) == (name not in EMPTY_DOCS_QUERIES)


def test_new_dashboards_do_not_offer_the_legacy_job(result: LiveResult) -> None:
    jobs = [found for name, found in result.dashboards.variables.items() if name.endswith(": job")]
    assert jobs == [["openvpn"]] * len(DASHBOARDS)


def test_every_rule_is_evaluated_without_error(result: LiveResult) -> None:
    assert {name: problem for name, problem in result.rules.items() if problem} == {}
    assert len(result.rules) > 50


def test_alert_is_notified_to_its_receiver_only(result: LiveResult) -> None:
    assert result.notified(FIRING) == set(RECEIVERS.items())


def test_suppressed_alerts_are_not_notified(result: LiveResult) -> None:
    assert {
        alert for alert, states in result.states.items() if SUPPRESSED in states
    } == SUPPRESSED_ALERTS
    assert not {sent.alert for sent in result.notifications} & SUPPRESSED_ALERTS


def test_receiver_of_an_alert_is_notified_of_its_resolution(result: LiveResult) -> None:
    assert result.notified(RESOLVED) == set(RECEIVERS.items())


def test_notification_contains_the_description_of_the_rule(result: LiveResult) -> None:
    firing = [sent for sent in reversed(result.notifications) if sent.status == FIRING]
    descriptions = {sent.alert: sent.annotations["description"] for sent in firing}
    assert re.search(r"\(reason: (closed|not_found)\)\. Its tunnels", descriptions[DOWN])
    # Over three: two may be found by one scrape.
    reconnects = r"[4-9] times in 30 minutes, mostly for ping-restart"
    assert re.search(reconnects, descriptions[RECONNECTING])
    assert "(reason: not_found)" in descriptions[FILE_ONLY]
    assert "(Private Key)" in descriptions[PROMPT]
    assert MISSING_CLIENT in descriptions[MISSING]
    assert all(sent.annotations["steps"].startswith("1. ") for sent in firing)


def test_alert_uses_the_series_of_this_exporter_and_keeps_its_labels(result: LiveResult) -> None:
    assert {sent.labels["job"] for sent in result.notifications} == {"openvpn"}
    assert not [sent for sent in result.notifications if "status_path" in sent.labels]
    labels = {sent.alert: sent.labels for sent in result.notifications}
    assert all(sent.labels == labels[sent.alert] for sent in result.notifications)


def test_legacy_dashboard_offers_every_daemon(result: LiveResult) -> None:
    assert set(result.legacy) == SERVERS | WITHOUT_CLIENTS | TUNNELS | NOT_UP | NOT_SCRAPED


@pytest.mark.parametrize("daemon", sorted(SERVERS))
def test_legacy_dashboard_shows_a_server(result: LiveResult, daemon: str) -> None:
    answers = result.legacy[daemon]
    assert [name for name in SERVER_QUERIES | COMMON_QUERIES if not answers[name]] == []
    assert [name for name in TUNNEL_QUERIES if answers[name]] == []
    assert answers["up"][0].value == 1


@pytest.mark.parametrize("daemon", sorted(TUNNELS))
def test_legacy_dashboard_shows_a_tunnel(result: LiveResult, daemon: str) -> None:
    answers = result.legacy[daemon]
    assert [name for name in TUNNEL_QUERIES | COMMON_QUERIES if not answers[name]] == []
    assert [name for name in SERVER_QUERIES if answers[name]] == []
    assert answers["up"][0].value == 1


@pytest.mark.parametrize("daemon", sorted(WITHOUT_CLIENTS))
def test_legacy_dashboard_shows_a_server_without_clients(result: LiveResult, daemon: str) -> None:
    answers = result.legacy[daemon]
    assert [series.value for series in answers["clients now"]] == [0]
    assert answers["sessions"] == answers["routes"] == []


def test_legacy_dashboard_shows_series_with_the_legacy_labels(result: LiveResult) -> None:
    branches = result.legacy["branches"]
    assert [series.value for series in branches["clients now"]] == [len(SITES) - 1]
    assert branches["clients now, as it was spelled"] == branches["clients now"]
    assert {series.labels["common_name"] for series in branches["sessions"]} == {*SITES} - {
        MISSING_CLIENT
    }
    for session in branches["sessions"]:
        assert set(session.labels) == {
            *("common_name", "connection_time", "real_address", "virtual_address")
        }
        assert float(session.labels["connection_time"]) > 0
    assert branches["what clients sent"][0].value > 0
    assert 0 <= branches["age of the status"][0].value < 60


def test_legacy_dashboard_distinguishes_down_from_not_scraped(result: LiveResult) -> None:
    assert [series.value for daemon in NOT_UP for series in result.legacy[daemon]["up"]] == [0]
    assert [series.value for daemon in NOT_SCRAPED for series in result.legacy[daemon]["up"]] == []
