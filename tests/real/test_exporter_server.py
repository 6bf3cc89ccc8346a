"""The page of a server with clients, compared with the replies of the same daemon."""

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
    """The exporter's page, and the server's replies before and after it."""

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
def observed(lab: Lab) -> Observation:
    return asyncio.run(observe(lab))


def test_three_clients_with_two_names_have_three_sessions(observed: Observation) -> None:
    page = observed.page
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
def test_bytes_of_a_common_name_from_before_the_exporter_do_not_count(
    observed: Observation, name: str, metric: str, counter: Callable[[Row], int]
) -> None:
    before, after = (sum(map(counter, at.of(name))) for at in (observed.before, observed.after))
    assert before > 0
    assert 0 <= observed.page.value(metric, common_name=name) <= after - before


def test_totals_of_the_server_from_before_the_exporter_do_not_count(observed: Observation) -> None:
    received = observed.page.value("openvpn_received_bytes_total")
    sent = observed.page.value("openvpn_sent_bytes_total")
    before, after = observed.before, observed.after
    assert min(before.received, before.sent) > 0
    assert 0 <= received <= after.received - before.received
    assert 0 <= sent <= after.sent - before.sent


def test_connected_timestamp_is_that_of_the_oldest_session(observed: Observation) -> None:
    since = "openvpn_server_client_connected_timestamp_seconds"
    first, second = sorted(row.since for row in observed.before.of("alice"))
    assert first < second
    assert observed.page.values(since, by="common_name") == {
        name: min(row.since for row in observed.before.of(name)) for name in SESSIONS
    }


def test_client_info_has_the_addresses_and_the_cipher_of_each_session(
    observed: Observation,
) -> None:
    infos = observed.page.labels("openvpn_server_client_info")
    assert sorted(infos, key=lambda labels: labels["virtual_address"]) == [
        {
            "common_name": row.common_name,
            "real_address": "127.0.0.1",
            "virtual_address": row.virtual_address,
            "virtual_ipv6_address": row.virtual_ipv6_address,
            "cipher": "AES-256-GCM",
            # Only announced when a client connects; these connected before the exporter.
            "platform": "unknown",
            "client_version": "unknown",
        }
        for row in sorted(observed.before.rows, key=lambda row: row.virtual_address)
    ]
    assert {row.cipher for row in observed.before.rows} == {"AES-256-GCM"}


def test_routes_and_global_statistics_are_exported(observed: Observation) -> None:
    page = observed.page
    assert page.value("openvpn_server_routes") == observed.before.routes == 6
    assert page.value("openvpn_server_max_bcast_mcast_queue_length") == 0
    assert page.value("openvpn_server_dco_enabled") == 0


def test_openvpn_info_has_the_version_the_platform_and_the_mode(observed: Observation) -> None:
    version = re.search(
        r"OpenVPN Version: OpenVPN (\S+) (\S+) .*\nManagement (?:Interface )?Version: (\d+)",
        observed.before.version,
    )
    assert version
    assert observed.page.labels("openvpn_info") == [
        {
            "version": version[1],
            "platform": version[2],
            "mode": "server",
            "management_version": version[3],
            "source": "management",
        }
    ]
    assert observed.page.value("openvpn_log_verbosity") == 3


def test_start_time_is_that_of_the_first_state(observed: Observation) -> None:
    page = observed.page
    states = page.values("openvpn_state", by="state")
    assert page.value("openvpn_start_time_seconds") == observed.before.first_state_time
    assert [state for state, value in states.items() if value] == ["CONNECTED"]
    assert set(states.values()) == {0, 1}


def test_every_line_of_the_daemon_is_parsed(observed: Observation) -> None:
    assert observed.page.value("openvpn_exporter_unparsed_lines_total") == 0
    assert observed.page.value("openvpn_exporter_status_fallbacks_total") == 0
    assert observed.page.value("openvpn_exporter_connects_total") == 1


def test_text_and_openmetrics_have_the_same_series(observed: Observation) -> None:
    assert set(observed.openmetrics.series) == set(observed.page.series)
    assert observed.openmetrics.counters == observed.page.counters
    assert observed.openmetrics.body.endswith("\n# EOF\n")


def test_promtool_accepts_the_page(observed: Observation) -> None:
    check = subprocess.run(  # noqa: S603 -- constant arguments
        CHECK,
        input=observed.page.body.encode(),
        capture_output=True,
        check=False,
    )
    assert (check.returncode, check.stdout, check.stderr) == (0, b"", b"")
