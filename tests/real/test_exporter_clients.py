"""Clients connect and disconnect; their counters keep all their traffic."""

import signal
from contextlib import AsyncExitStack

from tests.real.client import Credentials, client
from tests.real.clock import wait_for_next_second
from tests.real.daemon import INITIALISED, KATHMANDU
from tests.real.lab import Lab
from tests.real.reading import read
from tests.real.scraping import Page, daemon_config, decreased, scraping
from tests.real.server import Transport, server, user_password_options

# A server over TCP detects a disconnect at once.
TCP = Transport.TCP
TOO_LONG = Credentials("n" * 500)
RECEIVED = "openvpn_server_client_received_bytes_total"
SENT = "openvpn_server_client_sent_bytes_total"
SINCE = "openvpn_server_client_connected_timestamp_seconds"
INFO = "openvpn_server_client_info"
CONNECTED = "openvpn_server_connected_clients"
CONNECTS = "openvpn_server_client_connects_total"
DISCONNECTS = "openvpn_server_client_disconnects_total"
FALLBACKS = "openvpn_exporter_status_fallbacks_total"


def sessions(page: Page) -> float:
    return page.values("openvpn_server_client_sessions", by="common_name").get("alice", 0)


def alice(page: Page, name: str) -> float:
    return page.value(name, common_name="alice")


async def test_disconnected_client_keeps_its_totals_and_has_no_session(lab: Lab) -> None:
    async with (
        server(lab, transport=TCP) as office,
        scraping(daemon_config(office.management)) as scraper,
    ):
        await scraper.wait_up()  # bytes before the first status do not count
        async with client(office, "alice"):
            await scraper.wait_for(lambda page: sessions(page) == 1)
            connected = await scraper.wait_polled()
        disconnected = await scraper.wait_for(lambda page: sessions(page) == 0)

    assert disconnected.value(CONNECTED) == 0
    assert disconnected.labels(INFO) == []
    assert SINCE not in disconnected.names()
    assert alice(disconnected, RECEIVED) >= alice(connected, RECEIVED) > 0
    assert alice(disconnected, SENT) >= alice(connected, SENT) > 0


async def test_connecting_client_reports_its_platform_and_version(lab: Lab) -> None:
    async with (
        server(lab) as office,
        scraping(daemon_config(office.management)) as scraper,
    ):
        daemon = await scraper.wait_up()
        async with client(office, "alice"):
            page = await scraper.wait_polled()

    [labels] = page.labels(INFO)
    [info] = daemon.labels("openvpn_info")
    assert labels["platform"] == "linux"
    assert labels["client_version"] == info["version"]


async def test_new_keys_and_a_reconnect_make_no_new_info(lab: Lab) -> None:
    async with (
        server(lab, "--reneg-sec", "2", transport=TCP) as office,
        scraping(daemon_config(office.management)) as scraper,
    ):
        await scraper.wait_up()
        async with client(office, "alice") as peer:
            before = await scraper.wait_for(lambda page: sessions(page) == 1)
            renegotiated = office.daemon.mark()
            await office.daemon.wait_for_log("TLS: soft reset", since=renegotiated)
            await office.daemon.wait_for_log("Control Channel: ", since=renegotiated)
            new_keys = await scraper.wait_polled()
            reconnected = peer.daemon.mark()
            peer.daemon.signal(signal.SIGUSR1)
            await peer.daemon.wait_for_log(INITIALISED, since=reconnected)
            await scraper.wait_for(lambda page: page.value(CONNECTS) == 2)
            again = await scraper.wait_polled()

    assert len(before.labels(INFO)) == 1
    assert before.labels(INFO) == new_keys.labels(INFO) == again.labels(INFO)


async def test_counters_of_a_reconnected_client_continue(lab: Lab) -> None:
    async with (
        server(lab, transport=TCP) as office,
        scraping(daemon_config(office.management)) as scraper,
    ):
        await scraper.wait_up()
        async with client(office, "alice"):
            first = await scraper.wait_for(lambda page: sessions(page) == 1)
        disconnected = await scraper.wait_for(lambda page: sessions(page) == 0)
        await wait_for_next_second(alice(first, SINCE))
        async with client(office, "alice"):
            await scraper.wait_for(lambda page: sessions(page) == 1)
            reconnected = await scraper.wait_polled()

    assert alice(reconnected, SINCE) > alice(first, SINCE)
    assert (disconnected.value(CONNECTS), disconnected.value(DISCONNECTS)) == (1, 1)
    assert (reconnected.value(CONNECTS), reconnected.value(DISCONNECTS)) == (2, 1)
    # The second handshake transfers about as many bytes as the first.
    assert alice(reconnected, RECEIVED) > 1.5 * alice(disconnected, RECEIVED)
    assert alice(reconnected, SENT) > 1.5 * alice(disconnected, SENT)
    assert decreased(scraper.pages) == []


async def test_status_without_an_end_falls_back_to_format_1(lab: Lab) -> None:
    async with (
        server(lab, *user_password_options()) as office,
        client(office, "alice", user=Credentials("alice")),
        client(office, "bob", user=TOO_LONG),
        scraping(daemon_config(office.management, timeout=0.5)) as scraper,
    ):
        page = await scraper.wait_up()

    assert page.value(CONNECTED) == 2
    assert page.value(FALLBACKS) == page.value("openvpn_exporter_polls_total") > 0
    assert page.values("openvpn_exporter_poll_failures_total", by="reason")["timeout"] == 0
    assert page.value("openvpn_exporter_connects_total") == 1


async def test_totals_neither_decrease_nor_double_when_the_format_changes(lab: Lab) -> None:
    async with (
        server(lab, *user_password_options(), transport=TCP, zone=KATHMANDU) as office,
        AsyncExitStack() as exporter,
    ):
        scraper = await exporter.enter_async_context(
            scraping(daemon_config(office.management, timeout=0.5))
        )
        await scraper.wait_up()
        async with client(office, "alice", user=Credentials("alice")):
            complete = await scraper.wait_for(lambda page: sessions(page) == 1)
            async with client(office, "bob", user=TOO_LONG):
                fallback = await scraper.wait_for(lambda page: page.value(CONNECTED) == 2)
            await scraper.wait_for(lambda page: page.value(CONNECTED) == 1)
            last = await scraper.wait_for(lambda page: "cipher" in page.labels(INFO)[0])
            await exporter.aclose()
            [manual] = (await read(office.management)).rows

    assert complete.value(FALLBACKS) == 0
    assert fallback.value(FALLBACKS) > 0
    assert [labels.get("cipher") for labels in fallback.labels(INFO)] == [None, None]
    assert decreased(scraper.pages) == []
    # Alice was connected all the time.
    assert (last.value(CONNECTS), last.value(DISCONNECTS)) == (2, 1)
    connected = scraper.pages[scraper.pages.index(complete) :]
    assert {sessions(page) for page in connected if page.is_up()} == {1}
    assert {alice(page, SINCE) for page in connected if page.is_up()} == {manual.since}
    assert 0 < alice(complete, RECEIVED) <= alice(last, RECEIVED) <= manual.received
    assert 0 < alice(complete, SENT) <= alice(last, SENT) <= manual.sent
