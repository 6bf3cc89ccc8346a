"""Sessions of clients as they come and go: each counted once, and what they moved never less."""

import signal

import msgspec
import pytest

from tests.real.client import Credentials, client
from tests.real.clock import wait_for_next_second
from tests.real.daemon import INITIALISED
from tests.real.lab import Lab
from tests.real.link import link
from tests.real.reading import read
from tests.real.router import behind_router
from tests.real.scraping import Page, daemon_config, decreased, scraping
from tests.real.server import Transport, server, user_password_options

# A server over TCP notices at once that a client is gone.
TCP = Transport.TCP
RECEIVED = "openvpn_server_client_received_bytes_total"
SENT = "openvpn_server_client_sent_bytes_total"
SINCE = "openvpn_server_client_connected_timestamp_seconds"
SEEN = "openvpn_server_client_last_seen_timestamp_seconds"
SESSIONS = "openvpn_server_client_sessions"
EXPECTED = "openvpn_server_expected_client_connected"
CAME = "openvpn_server_client_connects_total"
WENT = "openvpn_server_client_disconnects_total"
LASTED = "openvpn_server_client_session_duration_seconds"
CONNECTED = "openvpn_server_connected_clients"
PENDING = "openvpn_server_pending_clients"
PLATFORMS = "openvpn_server_clients_by_platform"
INFO = "openvpn_server_client_info"
MESSAGES = "openvpn_realtime_messages_total"
POLLS = "openvpn_exporter_polls_total"
TURNED_AWAY = "AUTH: Received control message: AUTH_FAILED"


def sessions(page: Page) -> float:
    return page.values(SESSIONS, by="common_name").get("alice", 0)


def alice(page: Page, name: str) -> float:
    return page.value(name, common_name="alice")


def came_and_went(page: Page) -> tuple[float, float]:
    return page.value(CAME), page.value(WENT)


async def test_a_client_that_comes_twice_and_one_that_never_comes(lab: Lab) -> None:
    async with server(lab, transport=TCP) as office:
        config = msgspec.structs.replace(
            daemon_config(office.management), expected_clients=("alice", "bob")
        )
        async with scraping(config) as scraper:
            before = await scraper.wait_up()
            async with client(office, "alice"):
                here = await scraper.wait_for(lambda page: sessions(page) == 1)
                since = alice(here, SINCE)
                await wait_for_next_second(since)
                last = await scraper.wait_polled()
            gone = await scraper.wait_for(lambda page: sessions(page) == 0)
            async with client(office, "alice"):
                await scraper.wait_for(lambda page: sessions(page) == 1)
                back = await scraper.wait_polled()

    assert [came_and_went(page) for page in (before, here, gone, back)] == [
        *((0, 0), (1, 0), (1, 1), (2, 1)),
    ]
    assert [alice(page, EXPECTED) for page in (before, here, gone, back)] == [0, 1, 0, 1]
    up = [page for page in scraper.pages if page.is_up()]
    assert {page.value(EXPECTED, common_name="bob") for page in up} == {0}
    assert before.value(f"{LASTED}_count") == 0
    assert gone.value(f"{LASTED}_count") == back.value(f"{LASTED}_count") == 1
    assert 1 <= gone.value(f"{LASTED}_sum") <= alice(gone, SEEN) - since + 1
    assert gone.value(f"{LASTED}_bucket", le="60.0") == 1
    assert alice(last, SEEN) <= alice(gone, SEEN) < alice(back, SEEN)
    assert decreased(scraper.pages) == []


async def test_two_sessions_of_one_name_are_one_sum(lab: Lab) -> None:
    async with (
        server(lab, "--duplicate-cn", "--keepalive", "60", "240", transport=TCP) as office,
        client(office, "alice"),
    ):
        async with scraping(daemon_config(office.management)) as scraper:
            await scraper.wait_for(lambda page: sessions(page) == 1)
            async with client(office, "alice", "--setenv", "IV_GUI_VER", "OpenVPN_GUI_11"):
                await scraper.wait_for(lambda page: sessions(page) == 2)
                both = await scraper.wait_polled()
            one = await scraper.wait_for(lambda page: sessions(page) == 1)
        [row] = (await read(office.management)).rows

    # Nobody knows what the one that came before us said of itself.
    assert sorted(labels.get("gui", "") for labels in both.labels(INFO)) == ["", "openvpn-gui"]
    assert both.value(PLATFORMS, platform="linux") == 1
    assert both.value(PLATFORMS, platform="unknown") == 1
    assert (came_and_went(both), came_and_went(one)) == ((1, 0), (1, 1))
    assert len(one.labels(INFO)) == 1
    # Two handshakes, one of which is all that the row still has.
    assert alice(both, RECEIVED) > 1.5 * row.received
    assert alice(one, RECEIVED) >= alice(both, RECEIVED)
    assert decreased(scraper.pages) == []


async def test_a_session_too_short_for_any_poll_counts_once(lab: Lab) -> None:
    async with server(lab, transport=TCP) as office:
        config = msgspec.structs.replace(daemon_config(office.management), poll_interval=1.0)
        async with scraping(config) as scraper:
            await scraper.wait_up()
            before = await scraper.wait_for(lambda page: page.value(POLLS) == 2)
            async with client(office, "alice"):
                pass
            between = await scraper.wait_for(lambda page: page.value(CAME) == 1)
            after = await scraper.wait_for(lambda page: page.value(POLLS) == 5)

    assert came_and_went(before) == (0, 0)
    assert between.value(POLLS) == 2
    assert came_and_went(after) == (1, 1)
    assert {sessions(page) for page in scraper.pages} == {0}
    assert decreased(scraper.pages) == []


@pytest.mark.parametrize("way", ["password", "script"])
async def test_a_client_that_is_turned_away_is_no_session(lab: Lab, way: str) -> None:
    options = {
        "password": user_password_options(lab.script("exit 1")),
        "script": ("--script-security", "2", "--client-connect", "/bin/false"),
    }
    async with (
        server(lab, *options[way]) as office,
        scraping(daemon_config(office.management)) as scraper,
    ):
        await scraper.wait_up()
        async with client(office, "alice", user=Credentials("alice", "bad"), ready=TURNED_AWAY):
            pass
        # The server keeps its row for another five seconds.
        await scraper.wait_polled()
        after = await scraper.wait_polled()

    assert after.value(MESSAGES, source="CLIENT") == (1 if way == "script" else 0)
    assert after.value(PENDING) == 1
    assert came_and_went(after) == (0, 0)
    assert SESSIONS not in after.names()
    assert {page.value(CONNECTED) for page in scraper.pages if page.is_up()} == {0}


async def test_a_client_that_floats_is_one_session(lab: Lab) -> None:
    async with (
        server(lab, "--verb", "4", "--keepalive", "1", "10") as office,
        behind_router(office) as router,
        client(router.server, "alice"),
    ):
        async with scraping(daemon_config(office.management)) as scraper:
            await scraper.wait_for(lambda page: sessions(page) == 1)
            before = await scraper.wait_polled()
            await router.change_port()
            await office.daemon.wait_for_log("floated from")
            await scraper.wait_polled()
            after = await scraper.wait_polled()
        manual = await read(office.management)
        address = router.address

    [row] = manual.rows
    assert f"\t{address}\t" in manual.status
    assert alice(after, SINCE) == alice(before, SINCE) == row.since
    assert came_and_went(after) == (0, 0)
    assert before.labels(INFO) == after.labels(INFO)
    assert alice(before, RECEIVED) < alice(after, RECEIVED) <= row.received
    assert decreased(scraper.pages) == []


async def test_a_client_that_comes_back_from_the_same_port_goes_on_with_its_row(lab: Lab) -> None:
    certificate = lab.authority.issue("alice").options()
    async with server(lab) as office, behind_router(office) as router:
        async with scraping(daemon_config(office.management)) as scraper:
            await scraper.wait_up()
            async with client(router.server, "alice", *certificate) as first:
                before = await scraper.wait_for(lambda page: sessions(page) == 1)
                await first.daemon.kill()
            await wait_for_next_second(alice(before, SINCE))
            # A server of 2.6 never answers the question for its settings, yet its row goes on.
            async with client(
                router.server, "alice", *certificate, ready="Peer Connection Initiated"
            ):
                enough = 1.5 * alice(before, RECEIVED)
                await scraper.wait_for(lambda page: alice(page, RECEIVED) > enough)
                # Long enough for a wrong session to end again.
                await scraper.wait_polled()
                await scraper.wait_polled()
                after = await scraper.wait_polled()
        [row] = (await read(office.management)).rows

    assert row.since == alice(after, SINCE) == alice(before, SINCE)
    assert came_and_went(before) == came_and_went(after) == (1, 0)
    assert alice(after, RECEIVED) <= row.received
    assert {sessions(page) for page in scraper.pages} == {0, 1}
    assert decreased(scraper.pages) == []


@pytest.mark.parametrize("restart", [signal.SIGUSR1, signal.SIGHUP])
async def test_a_restart_ends_sessions_and_the_next_ones_are_others(
    lab: Lab, restart: signal.Signals
) -> None:
    async with server(lab, transport=TCP) as office:
        async with scraping(daemon_config(office.management)) as scraper:
            await scraper.wait_up()
            async with client(office, "alice") as peer:
                before = await scraper.wait_for(lambda page: sessions(page) == 1)
                mark = peer.daemon.mark()
                office.daemon.signal(restart)
                await peer.daemon.wait_for_log(INITIALISED, since=mark)
                await scraper.wait_polled()
                after = await scraper.wait_polled()
        manual = await read(office.management)

    assert (came_and_went(before), came_and_went(after)) == ((1, 0), (2, 1))
    assert sessions(after) == 1
    assert [labels["client_id"] for labels in after.labels(INFO)] == ["0"]
    # No byte of a client's came twice.
    assert 1.5 * alice(before, RECEIVED) < alice(after, RECEIVED) <= manual.received
    assert decreased(scraper.pages) == []


async def test_what_clients_run_on_is_known_too_after_a_restart_between_two_polls(lab: Lab) -> None:
    async with server(lab, transport=TCP) as office, link(lab, office.management) as line:
        config = msgspec.structs.replace(daemon_config(line.management), poll_interval=60.0)
        async with scraping(config) as scraper:
            await scraper.wait_up()
            async with client(office, "alice") as peer:
                mark = peer.daemon.mark()
                office.daemon.signal(signal.SIGUSR1)
                await peer.daemon.wait_for_log(INITIALISED, since=mark)
                heard = await scraper.wait_for(lambda page: page.value(CAME) == 2)
                line.disconnect()  # a new session begins with a poll
                await scraper.wait_down("closed")
                line.reconnect()
                after = await scraper.wait_for(lambda page: sessions(page) == 1)

    assert heard.value(POLLS) == 1
    assert after.value(POLLS) == 2
    assert after.value(CAME) == 2
    assert [labels["platform"] for labels in after.labels(PLATFORMS)] == ["linux"]
