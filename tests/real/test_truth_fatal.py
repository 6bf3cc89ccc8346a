"""A fatal error: heard by whoever holds the slot when it comes."""

import signal
import socket

import msgspec
from aiohttp import ClientSession

from tests.real.changes import increase
from tests.real.lab import Lab
from tests.real.management import LOOPBACK
from tests.real.scraping import Page, Scraper, daemon_config, decreased, scraping
from tests.real.server import Server, server

FATALS = "openvpn_fatal_errors_total"
LAST_WORDS = "Socket bind failed on local address [AF_INET]127.0.0.1:{port}: Address already in use"


async def lose_the_port(office: Server, scraper: Scraper) -> Page:
    """Restart the server while somebody takes its port; give the page that says it is down."""
    office.daemon.signal(signal.SIGUSR1)
    await office.daemon.wait_for_log("Restart pause")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((LOOPBACK, office.port))
        page = await scraper.wait_for(lambda page: not page.is_up())
        assert await office.daemon.wait_for_end() == 1
    return page


async def test_a_port_that_was_taken_during_a_restart_is_fatal_once_and_told(lab: Lab) -> None:
    async with server(lab) as office:
        # A command that the daemon leaves unread makes its end a reset: TCP drops the last words.
        config = msgspec.structs.replace(daemon_config(office.management), poll_interval=60.0)
        async with scraping(config) as scraper:
            before = await scraper.wait_up()
            after = await lose_the_port(office, scraper)
            refused = await scraper.wait_down("refused")
            async with ClientSession() as person, person.get(f"{scraper.url}/") as answer:
                landing = await answer.text()

    assert before.value(FATALS) == 0
    assert after.value(FATALS) == refused.value(FATALS) == 1
    assert after.down_reason() == "closed"
    # The same event in a line of the log is no second one.
    assert increase(before, after, "openvpn_log_messages_total", by="severity")["fatal"] == 1
    assert increase(before, after, "openvpn_realtime_messages_total", by="source")["FATAL"] == 1
    assert LAST_WORDS.format(port=office.port) in landing
    assert decreased(scraper.pages) == []
