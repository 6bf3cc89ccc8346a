"""Sessions of clients: each is counted once, and no byte total decreases."""

import re
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

# A server over TCP detects a disconnect at once.
TCP = Transport.TCP
RECEIVED = "openvpn_server_client_received_bytes_total"
SENT = "openvpn_server_client_sent_bytes_total"
SINCE = "openvpn_server_client_connected_timestamp_seconds"
LAST_SEEN = "openvpn_server_client_last_seen_timestamp_seconds"
SESSIONS = "openvpn_server_client_sessions"
EXPECTED = "openvpn_server_expected_client_connected"
CONNECTS = "openvpn_server_client_connects_total"
DISCONNECTS = "openvpn_server_client_disconnects_total"
DURATION = "openvpn_server_client_session_duration_seconds"
CONNECTED = "openvpn_server_connected_clients"
PENDING = "openvpn_server_pending_clients"
PLATFORMS = "openvpn_server_clients_by_platform"
INFO = "openvpn_server_client_info"
MESSAGES = "openvpn_realtime_messages_total"
POLLS = "openvpn_exporter_polls_total"
REJECTED = "AUTH: Received control message: AUTH_FAILED"


def sessions(page: Page) -> float:
    return page.values(SESSIONS, by="common_name").get("alice", 0)


def alice(page: Page, name: str) -> float:
    return page.value(name, common_name="alice")


def connects_and_disconnects(page: Page) -> tuple[float, float]:
    return page.value(CONNECTS), page.value(DISCONNECTS)


async def test_expected_clients_are_exported_connected_or_not(lab: Lab) -> None:
    async with server(lab, transport=TCP) as office:
        config = msgspec.structs.replace(
            daemon_config(office.management), expected_clients=("alice", "bob")
        )
        async with scraping(config) as scraper:
            before = await scraper.wait_up()
            async with client(office, "alice"):
                connected = await scraper.wait_for(lambda page: sessions(page) == 1)
                since = alice(connected, SINCE)
                await wait_for_next_second(since)
                last = await scraper.wait_polled()
            disconnected = await scraper.wait_for(lambda page: sessions(page) == 0)
            async with client(office, "alice"):
                await scraper.wait_for(lambda page: sessions(page) == 1)
                reconnected = await scraper.wait_polled()

    assert [
        connects_and_disconnects(page) for page in (before, connected, disconnected, reconnected)
    ] == [
        *((0, 0), (1, 0), (1, 1), (2, 1)),
    ]
    assert [alice(page, EXPECTED) for page in (before, connected, disconnected, reconnected)] == [
        0,
        1,
        0,
        1,
    ]
    up = [page for page in scraper.pages if page.is_up()]
    assert {page.value(EXPECTED, common_name="bob") for page in up} == {0}
    assert before.value(f"{DURATION}_count") == 0
    assert disconnected.value(f"{DURATION}_count") == reconnected.value(f"{DURATION}_count") == 1
    assert 1 <= disconnected.value(f"{DURATION}_sum") <= alice(disconnected, LAST_SEEN) - since + 1
    assert disconnected.value(f"{DURATION}_bucket", le="60.0") == 1
    assert since < alice(disconnected, LAST_SEEN)
    assert LAST_SEEN not in last.names() | reconnected.names()
    assert decreased(scraper.pages) == []


async def test_sessions_of_one_common_name_are_summed(lab: Lab) -> None:
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

    # The first client announced its platform before the exporter connected.
    assert sorted(labels.get("gui", "") for labels in both.labels(INFO)) == ["", "openvpn-gui"]
    assert both.value(PLATFORMS, platform="linux") == 1
    assert both.value(PLATFORMS, platform="unknown") == 1
    assert (connects_and_disconnects(both), connects_and_disconnects(one)) == ((1, 0), (1, 1))
    assert len(one.labels(INFO)) == 1
    # The bytes of the second handshake; the first one came before the exporter.
    assert 0.5 * row.received < alice(both, RECEIVED) < 1.5 * row.received
    assert alice(one, RECEIVED) >= alice(both, RECEIVED)
    assert decreased(scraper.pages) == []


async def test_session_between_two_polls_is_counted_once(lab: Lab) -> None:
    async with server(lab, transport=TCP) as office:
        config = msgspec.structs.replace(daemon_config(office.management), poll_interval=1.0)
        async with scraping(config) as scraper:
            await scraper.wait_up()
            before = await scraper.wait_for(lambda page: page.value(POLLS) == 2)
            async with client(office, "alice"):
                pass
            between = await scraper.wait_for(lambda page: page.value(CONNECTS) == 1)
            after = await scraper.wait_for(lambda page: page.value(POLLS) == 5)

    assert connects_and_disconnects(before) == (0, 0)
    assert between.value(POLLS) == 2
    assert connects_and_disconnects(after) == (1, 1)
    assert {sessions(page) for page in scraper.pages} == {0}
    assert decreased(scraper.pages) == []


@pytest.mark.parametrize("kind", ["password", "script"])
async def test_rejected_client_is_no_session(lab: Lab, kind: str) -> None:
    options = {
        "password": user_password_options(lab.script("exit 1")),
        "script": ("--script-security", "2", "--client-connect", "/bin/false"),
    }
    async with (
        server(lab, *options[kind]) as office,
        scraping(daemon_config(office.management)) as scraper,
    ):
        await scraper.wait_up()
        async with client(office, "alice", user=Credentials("alice", "bad"), ready=REJECTED):
            pass
        # The server keeps the row for five more seconds.
        await scraper.wait_polled()
        after = await scraper.wait_polled()

    assert after.value(MESSAGES, source="CLIENT") == (1 if kind == "script" else 0)
    assert after.value(PENDING) == 1
    assert connects_and_disconnects(after) == (0, 0)
    assert SESSIONS not in after.names()
    assert {page.value(CONNECTED) for page in scraper.pages if page.is_up()} == {0}


async def test_floating_client_is_one_session(lab: Lab) -> None:
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
    assert re.search(rf"\t(udp4:)?{re.escape(address)}\t", manual.status)  # 2.7: the protocol, too
    assert alice(after, SINCE) == alice(before, SINCE) == row.since
    assert connects_and_disconnects(after) == (0, 0)
    assert before.labels(INFO) == after.labels(INFO)
    assert alice(before, RECEIVED) < alice(after, RECEIVED) <= row.received
    assert decreased(scraper.pages) == []


async def test_client_that_reconnects_from_the_same_port_keeps_its_session(lab: Lab) -> None:
    certificate = lab.authority.issue("alice").options()
    async with server(lab) as office, behind_router(office) as router:
        async with scraping(daemon_config(office.management)) as scraper:
            await scraper.wait_up()
            async with client(router.server, "alice", *certificate) as first:
                before = await scraper.wait_for(lambda page: sessions(page) == 1)
                await first.daemon.kill()
            await wait_for_next_second(alice(before, SINCE))
            # OpenVPN 2.6 does not answer the second PUSH_REQUEST, but the row continues.
            async with client(
                router.server, "alice", *certificate, ready="Peer Connection Initiated"
            ):
                minimum = 1.5 * alice(before, RECEIVED)
                await scraper.wait_for(lambda page: alice(page, RECEIVED) > minimum)
                # Long enough for a wrongly counted session to end.
                await scraper.wait_polled()
                await scraper.wait_polled()
                after = await scraper.wait_polled()
        [row] = (await read(office.management)).rows

    assert row.since == alice(after, SINCE) == alice(before, SINCE)
    assert connects_and_disconnects(before) == connects_and_disconnects(after) == (1, 0)
    assert alice(after, RECEIVED) <= row.received
    assert {sessions(page) for page in scraper.pages} == {0, 1}
    assert decreased(scraper.pages) == []


@pytest.mark.parametrize("restart", [signal.SIGUSR1, signal.SIGHUP])
async def test_restart_ends_sessions_and_the_next_ones_are_new(
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

    assert (connects_and_disconnects(before), connects_and_disconnects(after)) == ((1, 0), (2, 1))
    assert sessions(after) == 1
    assert after.labels(INFO) == before.labels(INFO)
    # No byte of a client is counted twice.
    assert 1.5 * alice(before, RECEIVED) < alice(after, RECEIVED) <= manual.received
    assert decreased(scraper.pages) == []


async def test_platform_is_known_after_a_restart_between_two_polls(lab: Lab) -> None:
    async with (
        server(lab, transport=TCP) as office,
        link(lab, office.management) as management_link,
    ):
        config = msgspec.structs.replace(
            daemon_config(management_link.management), poll_interval=60.0
        )
        async with scraping(config) as scraper:
            await scraper.wait_up()
            async with client(office, "alice") as peer:
                mark = peer.daemon.mark()
                office.daemon.signal(signal.SIGUSR1)
                await peer.daemon.wait_for_log(INITIALISED, since=mark)
                notified = await scraper.wait_for(lambda page: page.value(CONNECTS) == 2)
                management_link.disconnect()  # a new management session starts with a poll
                await scraper.wait_down("closed")
                management_link.reconnect()
                after = await scraper.wait_for(lambda page: sessions(page) == 1)

    assert notified.value(POLLS) == 1
    assert after.value(POLLS) == 2
    assert after.value(CONNECTS) == 2
    assert [labels["platform"] for labels in after.labels(PLATFORMS)] == ["linux"]
