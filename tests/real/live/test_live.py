"""Dashboards and alerts, live: what they show and whom they tell while a story is told.

The story is told once; each test looks at what was seen of it.
"""

import asyncio
import re

import pytest

from tests.grafana.dashboard_files import DASHBOARDS
from tests.real.lab import Lab
from tests.real.live.alertmanager import FIRING, RESOLVED, SUPPRESSED
from tests.real.live.cast import SITES
from tests.real.live.grafana import PLACES, VARIABLES
from tests.real.live.old_dashboards import OF_BOTH, OF_SERVERS, OF_TUNNELS
from tests.real.live.story import (
    AT_LIMIT,
    DOWN,
    EXPORTER_DOWN,
    FALLBACK,
    FATAL,
    FILE_ONLY,
    GUESSING,
    LOST_SITE,
    MISSING,
    NEAR_LIMIT,
    NO_CERTIFICATE,
    OUTPOST_PACKET_ERRORS,
    PACKET_ERRORS,
    PROMPT,
    RECONNECTING,
    RESTARTED,
    TURNED_AWAY,
)
from tests.real.live.telling import Told, tell
from tests.real.live.watching import DAEMONS

pytestmark = pytest.mark.timeout(300)

_NO_COMPRESSION = "compression is off in every daemon, as it is by default"
EMPTY = {
    "openvpn-tunnel: Compression A": _NO_COMPRESSION,
    "openvpn-tunnel: Compression B": _NO_COMPRESSION,
}
"""Queries that have nothing to show in this story, with the reason."""

SERVERS = {"gateway", "office", "branches", "hotel"}
WITHOUT_CLIENTS = {"annex", "archive"}
TUNNELS = {"laptop", "uplink", "vault"}
NOT_UP = {"depot"}
UNSEEN = {"outpost"}

SHOWN = {
    "openvpn-fleet: Monitored daemons A": DAEMONS - len(UNSEEN),
    "openvpn-fleet: Daemons down A": 1,
    "openvpn-fleet: Up, not connected A": 0,
    "openvpn-fleet: Clients missing A": 1,
    "openvpn-exporter: Exporter up A": 0,
    "openvpn-exporter: Clients not exported A": 0,
}
"""What some panels must show at the worst."""

HEARD = {
    EXPORTER_DOWN: "pager",
    DOWN: "pager",
    PROMPT: "pager",
    MISSING: "pager",
    TURNED_AWAY: "pager",
    RECONNECTING: "team",
    FATAL: "team",
    FALLBACK: "team",
    FILE_ONLY: "team",
    NO_CERTIFICATE: "team",
    GUESSING: "team",
    RESTARTED: "quiet",
}
"""Who is told of which alert."""

HIDDEN = {PACKET_ERRORS, OUTPOST_PACKET_ERRORS, AT_LIMIT, NEAR_LIMIT}
"""Alerts that fire while another says it already."""


@pytest.fixture(scope="module")
def told(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Told:
    return asyncio.run(tell(lab, tmp_path_factory.mktemp("live")))


@pytest.mark.parametrize("place", PLACES)
def test_each_query_of_a_dashboard_shows_something_or_stands_on_the_list(
    told: Told, place: str
) -> None:
    answer = told.replay.answers[place]
    assert answer.errors == set()
    assert answer.asked >= 2
    assert set(answer.values) == (set() if place in EMPTY else {"all", "each"})


def test_the_list_of_empty_queries_has_no_other_places() -> None:
    assert set(EMPTY) <= set(PLACES)


@pytest.mark.parametrize("variable", VARIABLES)
def test_each_variable_offers_something(told: Told, variable: str) -> None:
    assert told.replay.variables[variable]


@pytest.mark.parametrize(("place", "value"), SHOWN.items())
def test_numbers_are_those_of_the_story_whichever_way_they_are_asked_for(
    told: Told, place: str, value: float
) -> None:
    assert told.replay.answers[place].values == {"all": [value], "each": [value]}


def test_series_under_old_names_are_offered_to_old_dashboards_only(told: Told) -> None:
    of_jobs = [found for name, found in told.replay.variables.items() if name.endswith(": job")]
    assert of_jobs == [["openvpn"]] * len(DASHBOARDS)


def test_every_rule_was_evaluated(told: Told) -> None:
    assert {name: problem for name, problem in told.rules.items() if problem} == {}
    assert len(told.rules) > 50


def test_those_are_told_whom_an_alert_concerns_and_only_those(told: Told) -> None:
    assert told.heard(FIRING) == set(HEARD.items())


def test_what_another_alert_says_already_is_hidden(told: Told) -> None:
    assert {alert for alert, states in told.states.items() if SUPPRESSED in states} == HIDDEN
    assert not {news.alert for news in told.news} & HIDDEN


def test_whoever_was_told_hears_that_it_is_over(told: Told) -> None:
    assert told.heard(RESOLVED) == set(HEARD.items())


def test_messages_say_what_the_rules_meant_to_say(told: Told) -> None:
    first = [news for news in reversed(told.news) if news.status == FIRING]
    said = {news.alert: news.annotations["description"] for news in first}
    assert re.search(r"\(reason: (closed|not_found)\)\. Its tunnels", said[DOWN])
    assert "4 times in 30 minutes, mostly for ping-restart" in said[RECONNECTING]
    assert "(reason: not_found)" in said[FILE_ONLY]
    assert "(Private Key)" in said[PROMPT]
    assert LOST_SITE in said[MISSING]


def test_each_alert_is_of_our_own_series_and_comes_once(told: Told) -> None:
    assert {news.labels["job"] for news in told.news} == {"openvpn"}
    assert not [news for news in told.news if "status_path" in news.labels]
    labels = {news.alert: news.labels for news in told.news}
    assert all(news.labels == labels[news.alert] for news in told.news)


def test_an_old_dashboard_is_offered_every_daemon(told: Told) -> None:
    assert set(told.old) == SERVERS | WITHOUT_CLIENTS | TUNNELS | NOT_UP | UNSEEN


@pytest.mark.parametrize("daemon", sorted(SERVERS))
def test_an_old_dashboard_shows_a_server(told: Told, daemon: str) -> None:
    answers = told.old[daemon]
    assert [name for name in OF_SERVERS | OF_BOTH if not answers[name]] == []
    assert [name for name in OF_TUNNELS if answers[name]] == []
    assert answers["up"][0].value == 1


@pytest.mark.parametrize("daemon", sorted(TUNNELS))
def test_an_old_dashboard_shows_a_tunnel(told: Told, daemon: str) -> None:
    answers = told.old[daemon]
    assert [name for name in OF_TUNNELS | OF_BOTH if not answers[name]] == []
    assert [name for name in OF_SERVERS if answers[name]] == []
    assert answers["up"][0].value == 1


@pytest.mark.parametrize("daemon", sorted(WITHOUT_CLIENTS))
def test_an_old_dashboard_shows_a_server_without_clients(told: Told, daemon: str) -> None:
    answers = told.old[daemon]
    assert [series.value for series in answers["clients now"]] == [0]
    assert answers["sessions"] == answers["routes"] == []


def test_an_old_dashboard_shows_what_is_there_by_its_old_labels(told: Told) -> None:
    branches = told.old["branches"]
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


def test_an_old_dashboard_tells_what_is_down_from_what_is_unseen(told: Told) -> None:
    assert [series.value for daemon in NOT_UP for series in told.old[daemon]["up"]] == [0]
    assert [series.value for daemon in UNSEEN for series in told.old[daemon]["up"]] == []
