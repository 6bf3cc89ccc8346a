"""The page of a server with clients, against what a person reads at the same daemon."""

import asyncio
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from time import time

import pytest

from tests.real.client import client
from tests.real.clock import wait_for_next_second
from tests.real.lab import Lab
from tests.real.reading import Reading, Row, read
from tests.real.scraping import OPENMETRICS, Page, daemon_config, scraping
from tests.real.server import Server, server

HOSTILE_NAME = 'Doe, Zoë "x"'
CHECK = "promtool", "check", "metrics"
SESSIONS = {"alice": 2, HOSTILE_NAME: 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One server, seen by the exporter, and by hand before and after."""

    before: Reading
    page: Page
    openmetrics: Page
    after: Reading


async def observe(lab: Lab) -> Observation:
    async with server(lab, "--duplicate-cn") as office, client(office, "alice"):
        await wait_for_next_second(time())
        async with client(office, "alice"), client(office, HOSTILE_NAME):
            return await compare(office)


async def compare(office: Server) -> Observation:
    before = await read(office.management)
    async with scraping(daemon_config(office.management)) as scraper:
        page = await scraper.wait_up()
        openmetrics = await scraper.page(OPENMETRICS)
    after = await read(office.management)
    return Observation(before=before, page=page, openmetrics=openmetrics, after=after)


@pytest.fixture(scope="module")
def seen(lab: Lab) -> Observation:
    return asyncio.run(observe(lab))


def test_three_clients_are_three_sessions_of_two_names(seen: Observation) -> None:
    page = seen.page
    assert page.value("openvpn_server_connected_clients") == 3
    assert page.value("openvpn_server_pending_clients") == 0
    assert page.values("openvpn_server_client_sessions", by="common_name") == SESSIONS


@pytest.mark.parametrize("name", SESSIONS)
@pytest.mark.parametrize(
    ("metric", "counter"),
    [
        ("openvpn_server_client_received_bytes_total", lambda row: row.received),
        ("openvpn_server_client_sent_bytes_total", lambda row: row.sent),
    ],
)
def test_a_names_bytes_are_the_sum_of_its_rows(
    seen: Observation, name: str, metric: str, counter: Callable[[Row], int]
) -> None:
    before, after = (sum(map(counter, at.of(name))) for at in (seen.before, seen.after))
    assert 0 < before <= seen.page.value(metric, common_name=name) <= after


def test_the_servers_totals_are_those_of_load_stats(seen: Observation) -> None:
    received = seen.page.value("openvpn_received_bytes_total")
    sent = seen.page.value("openvpn_sent_bytes_total")
    assert 0 < seen.before.received <= received <= seen.after.received
    assert 0 < seen.before.sent <= sent <= seen.after.sent


def test_a_name_is_connected_since_its_oldest_session_began(seen: Observation) -> None:
    since = "openvpn_server_client_connected_timestamp_seconds"
    first, second = sorted(row.since for row in seen.before.of("alice"))
    assert first < second
    assert seen.page.values(since, by="common_name") == {
        name: min(row.since for row in seen.before.of(name)) for name in SESSIONS
    }


def test_each_session_has_an_info_with_its_addresses_and_cipher(seen: Observation) -> None:
    infos = seen.page.labels("openvpn_server_client_info")
    assert sorted(infos, key=lambda labels: labels["client_id"]) == [
        {
            "common_name": row.common_name,
            "client_id": row.client_id,
            "real_address": "127.0.0.1",
            "virtual_address": row.virtual_address,
            "virtual_ipv6_address": row.virtual_ipv6_address,
            "cipher": "AES-256-GCM",
            # Told only once, when a client comes: these were there before us.
            "platform": "unknown",
            "client_version": "unknown",
        }
        for row in sorted(seen.before.rows, key=lambda row: row.client_id)
    ]
    assert {row.cipher for row in seen.before.rows} == {"AES-256-GCM"}


def test_the_rest_of_the_status_is_there(seen: Observation) -> None:
    page = seen.page
    assert page.value("openvpn_server_routes") == seen.before.routes == 6
    assert page.value("openvpn_server_max_bcast_mcast_queue_length") == 0
    assert page.value("openvpn_server_dco_enabled") == 0


def test_the_daemon_is_who_it_says_it_is(seen: Observation) -> None:
    said = re.search(
        r"OpenVPN Version: OpenVPN (\S+) (\S+) .*\nManagement (?:Interface )?Version: (\d+)",
        seen.before.version,
    )
    assert said
    assert seen.page.labels("openvpn_info") == [
        {
            "version": said[1],
            "platform": said[2],
            "mode": "server",
            "management_version": said[3],
            "source": "management",
        }
    ]
    assert seen.page.value("openvpn_log_verbosity") == 3


def test_the_daemon_started_with_its_first_state_and_is_in_its_last(seen: Observation) -> None:
    page = seen.page
    states = page.values("openvpn_state", by="state")
    assert page.value("openvpn_start_time_seconds") == seen.before.first_state_time
    assert [state for state, value in states.items() if value] == ["CONNECTED"]
    assert set(states.values()) == {0, 1}


def test_nothing_of_the_daemon_was_beyond_us(seen: Observation) -> None:
    assert seen.page.value("openvpn_exporter_unparsed_lines_total") == 0
    assert seen.page.value("openvpn_exporter_status_fallbacks_total") == 0
    assert seen.page.value("openvpn_exporter_connects_total") == 1


def test_both_formats_have_the_same_series(seen: Observation) -> None:
    assert set(seen.openmetrics.series) == set(seen.page.series)
    assert seen.openmetrics.counters == seen.page.counters
    assert seen.openmetrics.body.endswith("\n# EOF\n")


def test_promtool_finds_nothing_wrong_with_the_page(seen: Observation) -> None:
    check = subprocess.run(  # noqa: S603 -- our own words
        CHECK,
        input=seen.page.body.encode(),
        capture_output=True,
        check=False,
    )
    assert (check.returncode, check.stdout, check.stderr) == (0, b"", b"")
