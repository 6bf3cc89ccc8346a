"""Clients come and go, and their counters tell all that they ever moved."""

from tests.real.client import Credentials, client
from tests.real.clock import wait_for_next_second
from tests.real.lab import Lab
from tests.real.reading import read
from tests.real.scraping import Page, daemon_config, decreased, scraping
from tests.real.server import Transport, server, user_password_options

# A server over TCP notices at once that a client is gone.
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


async def test_a_client_that_left_has_its_totals_and_no_session(lab: Lab) -> None:
    async with (
        server(lab, transport=TCP) as office,
        scraping(daemon_config(office.management)) as scraper,
    ):
        async with client(office, "alice"):
            await scraper.wait_for(lambda page: sessions(page) == 1)
            here = await scraper.wait_polled()
        gone = await scraper.wait_for(lambda page: sessions(page) == 0)

    assert gone.value(CONNECTED) == 0
    assert gone.labels(INFO) == []
    assert SINCE not in gone.names()
    assert alice(gone, RECEIVED) >= alice(here, RECEIVED) > 0
    assert alice(gone, SENT) >= alice(here, SENT) > 0


async def test_a_client_that_comes_says_what_it_runs_on(lab: Lab) -> None:
    async with (
        server(lab) as office,
        scraping(daemon_config(office.management)) as scraper,
    ):
        daemon = await scraper.wait_up()
        async with client(office, "alice"):
            page = await scraper.wait_polled()

    [labels] = page.labels(INFO)
    [ours] = daemon.labels("openvpn_info")
    assert labels["platform"] == "linux"
    assert labels["client_version"] == ours["version"]


async def test_a_client_that_comes_back_goes_on_where_it_was(lab: Lab) -> None:
    async with (
        server(lab, transport=TCP) as office,
        scraping(daemon_config(office.management)) as scraper,
    ):
        await scraper.wait_up()
        async with client(office, "alice"):
            first = await scraper.wait_for(lambda page: sessions(page) == 1)
        gone = await scraper.wait_for(lambda page: sessions(page) == 0)
        await wait_for_next_second(alice(first, SINCE))
        async with client(office, "alice"):
            await scraper.wait_for(lambda page: sessions(page) == 1)
            back = await scraper.wait_polled()

    assert alice(back, SINCE) > alice(first, SINCE)
    assert (gone.value(CONNECTS), gone.value(DISCONNECTS)) == (1, 1)
    assert (back.value(CONNECTS), back.value(DISCONNECTS)) == (2, 1)
    # The second handshake moved about as much as the first.
    assert alice(back, RECEIVED) > 1.5 * alice(gone, RECEIVED)
    assert alice(back, SENT) > 1.5 * alice(gone, SENT)
    assert decreased(scraper.pages) == []


async def test_a_status_without_an_end_is_answered_by_format_1(lab: Lab) -> None:
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


async def test_totals_neither_fall_nor_double_while_the_format_changes(lab: Lab) -> None:
    async with (
        server(lab, *user_password_options(), transport=TCP) as office,
        client(office, "alice", user=Credentials("alice")),
    ):
        async with scraping(daemon_config(office.management, timeout=0.5)) as scraper:
            whole = await scraper.wait_up()
            async with client(office, "bob", user=TOO_LONG):
                short = await scraper.wait_for(lambda page: page.value(CONNECTED) == 2)
            await scraper.wait_for(lambda page: page.value(CONNECTED) == 1)
            last = await scraper.wait_for(lambda page: "cipher" in page.labels(INFO)[0])
        [manual] = (await read(office.management)).rows

    assert whole.value(FALLBACKS) == 0
    assert short.value(FALLBACKS) > 0
    assert [labels.get("cipher") for labels in short.labels(INFO)] == [None, None]
    assert decreased(scraper.pages) == []
    # Bob's; alice was there before and stayed.
    assert (last.value(CONNECTS), last.value(DISCONNECTS)) == (1, 1)
    assert {sessions(page) for page in scraper.pages if page.is_up()} == {1}
    assert {alice(page, SINCE) for page in scraper.pages if page.is_up()} == {manual.since}
    assert 0 < alice(whole, RECEIVED) <= alice(last, RECEIVED) <= manual.received
    assert 0 < alice(whole, SENT) <= alice(last, SENT) <= manual.sent
