"""Dashboards and alerts, live: what they show and whom they tell while a story is told.

The story is told once; each test looks at what was seen of it.
"""

import asyncio
import re

import pytest

from tests.grafana.dashboard_files import DASHBOARDS
from tests.real.lab import Lab
from tests.real.live.alertmanager import FIRING, RESOLVED, SUPPRESSED
from tests.real.live.exporters import DAEMONS
from tests.real.live.fleet import SITES
from tests.real.live.grafana import QUERY_IDS, VARIABLES
from tests.real.live.legacy_dashboards import COMMON_QUERIES, SERVER_QUERIES, TUNNEL_QUERIES
from tests.real.live.live_run import LiveResult, run_live
from tests.real.live.scenario import (
    AT_LIMIT,
    AUTH_FAILURES,
    CLIENTS_TURNED_AWAY,
    DOWN,
    EXPORTER_DOWN,
    FALLBACK,
    FATAL,
    FILE_ONLY,
    LOST_SITE,
    MISSING,
    NEAR_LIMIT,
    NO_CERTIFICATE,
    OUTPOST_PACKET_ERRORS,
    PACKET_ERRORS,
    PROMPT,
    RECONNECTING,
    RESTARTED,
)

pytestmark = pytest.mark.timeout(300)

_NO_COMPRESSION = "compression is off in every daemon, as it is by default"
EMPTY_QUERIES = {
    "openvpn-tunnel: Compression A": _NO_COMPRESSION,
    "openvpn-tunnel: Compression B": _NO_COMPRESSION,
}
"""Queries that have nothing to show in this story, with the reason."""

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
"""What some panels must show at the worst."""

RECEIVERS = {
    EXPORTER_DOWN: "pager",
    DOWN: "pager",
    PROMPT: "pager",
    MISSING: "pager",
    CLIENTS_TURNED_AWAY: "pager",
    RECONNECTING: "team",
    FATAL: "team",
    FALLBACK: "team",
    FILE_ONLY: "team",
    NO_CERTIFICATE: "team",
    AUTH_FAILURES: "team",
    RESTARTED: "quiet",
}
"""Who is told of which alert."""

SUPPRESSED_ALERTS = {PACKET_ERRORS, OUTPOST_PACKET_ERRORS, AT_LIMIT, NEAR_LIMIT}
"""Alerts that fire while another says it already."""


@pytest.fixture(scope="module")
def result(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> LiveResult:
    return asyncio.run(run_live(lab, tmp_path_factory.mktemp("live")))


@pytest.mark.parametrize("place", QUERY_IDS)
def test_each_query_of_a_dashboard_shows_something_or_stands_on_the_list(
    result: LiveResult, query_id: str
) -> None:
    answer = result.run_dashboards.answers[query_id]
    assert answer.errors == set()
    assert answer.prom >= 2
    assert set(answer.values) == (set() if query_id in EMPTY_QUERIES else {"all", "each"})


def test_the_list_of_empty_queries_has_no_other_places() -> None:
    assert set(EMPTY_QUERIES) <= set(QUERY_IDS)


@pytest.mark.parametrize("variable", VARIABLES)
def test_each_variable_offers_something(result: LiveResult, variable: str) -> None:
    assert result.run_dashboards.variables[variable]


@pytest.mark.parametrize(("place", "value"), EXPECTED_VALUES.items())
def test_numbers_are_those_of_the_story_whichever_way_they_are_asked_for(
    result: LiveResult, query_id: str, value: float
) -> None:
    assert result.run_dashboards.answers[query_id].values == {"all": [value], "each": [value]}


def test_series_under_old_names_are_offered_to_old_dashboards_only(result: LiveResult) -> None:
    of_jobs = [
        found for name, found in result.run_dashboards.variables.items() if name.endswith(": job")
    ]
    assert of_jobs == [["openvpn"]] * len(DASHBOARDS)


def test_every_rule_was_evaluated(result: LiveResult) -> None:
    assert {name: problem for name, problem in result.rules.items() if problem} == {}
    assert len(result.rules) > 50


def test_those_are_told_whom_an_alert_concerns_and_only_those(result: LiveResult) -> None:
    assert result.notified(FIRING) == set(RECEIVERS.items())


def test_what_another_alert_says_already_is_hidden(result: LiveResult) -> None:
    assert {
        alert for alert, states in result.states.items() if SUPPRESSED in states
    } == SUPPRESSED_ALERTS
    assert not {notifications.alert for notifications in result.notifications} & SUPPRESSED_ALERTS


def test_whoever_was_told_hears_that_it_is_over(result: LiveResult) -> None:
    assert result.notified(RESOLVED) == set(RECEIVERS.items())


def test_messages_say_what_the_rules_meant_to_say(result: LiveResult) -> None:
    first = [
        notifications
        for notifications in reversed(result.notifications)
        if notifications.status == FIRING
    ]
    said = {
        notifications.alert: notifications.annotations["description"] for notifications in first
    }
    assert re.search(r"\(reason: (closed|not_found)\)\. Its tunnels", said[DOWN])
    assert "4 times in 30 minutes, mostly for ping-restart" in said[RECONNECTING]
    assert "(reason: not_found)" in said[FILE_ONLY]
    assert "(Private Key)" in said[PROMPT]
    assert LOST_SITE in said[MISSING]


def test_each_alert_is_of_our_own_series_and_comes_once(result: LiveResult) -> None:
    assert {notifications.labels["job"] for notifications in result.notifications} == {"openvpn"}
    assert not [
        notifications
        for notifications in result.notifications
        if "status_path" in notifications.labels
    ]
    labels = {notifications.alert: notifications.labels for notifications in result.notifications}
    assert all(
        notifications.labels == labels[notifications.alert]
        for notifications in result.notifications
    )


def test_an_old_dashboard_is_offered_every_daemon(result: LiveResult) -> None:
    assert set(result.legacy) == SERVERS | WITHOUT_CLIENTS | TUNNELS | NOT_UP | NOT_SCRAPED


@pytest.mark.parametrize("daemon", sorted(SERVERS))
def test_an_old_dashboard_shows_a_server(result: LiveResult, daemon: str) -> None:
    answers = result.legacy[daemon]
    assert [name for name in SERVER_QUERIES | COMMON_QUERIES if not answers[name]] == []
    assert [name for name in TUNNEL_QUERIES if answers[name]] == []
    assert answers["up"][0].value == 1


@pytest.mark.parametrize("daemon", sorted(TUNNELS))
def test_an_old_dashboard_shows_a_tunnel(result: LiveResult, daemon: str) -> None:
    answers = result.legacy[daemon]
    assert [name for name in TUNNEL_QUERIES | COMMON_QUERIES if not answers[name]] == []
    assert [name for name in SERVER_QUERIES if answers[name]] == []
    assert answers["up"][0].value == 1


@pytest.mark.parametrize("daemon", sorted(WITHOUT_CLIENTS))
def test_an_old_dashboard_shows_a_server_without_clients(result: LiveResult, daemon: str) -> None:
    answers = result.legacy[daemon]
    assert [series.value for series in answers["clients now"]] == [0]
    assert answers["sessions"] == answers["routes"] == []


def test_an_old_dashboard_shows_what_is_there_by_its_old_labels(result: LiveResult) -> None:
    branches = result.legacy["branches"]
    assert [series.value for series in branches["clients now"]] == [len(SITES) - 1]
    assert branches["clients now, as it was spelled"] == branches["clients now"]
    assert {series.labels["common_name"] for series in branches["sessions"]} == {*SITES} - {
        LOST_SITE
    }
    for session in branches["sessions"]:
        assert set(session.labels) == {
            *("common_name", "connection_time", "real_address", "virtual_address")
        }
        assert float(session.labels["connection_time"]) > 0
    assert branches["what clients sent"][0].value > 0
    assert 0 <= branches["age of the status"][0].value < 60


def test_an_old_dashboard_tells_what_is_down_from_what_is_unseen(result: LiveResult) -> None:
    assert [series.value for daemon in NOT_UP for series in result.legacy[daemon]["up"]] == [0]
    assert [series.value for daemon in NOT_SCRAPED for series in result.legacy[daemon]["up"]] == []
