"""A fatal error, which only the current management client receives."""

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
FATAL_MESSAGE = (
    "Socket bind failed on local address [AF_INET]127.0.0.1:{port}: Address already in use"
)


async def lose_the_port(office: Server, scraper: Scraper) -> Page:
    """Restart the server while its port is in use; return the page on which it is down."""
    office.daemon.signal(signal.SIGUSR1)
    await office.daemon.wait_for_log("Restart pause")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as occupied:
        occupied.bind((LOOPBACK, office.port))
        page = await scraper.wait_for(lambda page: not page.is_up())
        assert await office.daemon.wait_for_end() == 1
    return page


async def test_bind_failure_after_a_restart_is_one_fatal_error(lab: Lab) -> None:
    async with server(lab) as office:
        # An unread command turns the close into a reset, and TCP then drops the last lines.
        config = msgspec.structs.replace(daemon_config(office.management), poll_interval=60.0)
        async with scraping(config) as scraper:
            before = await scraper.wait_up()
            after = await lose_the_port(office, scraper)
            refused = await scraper.wait_down("refused")
            async with ClientSession() as session, session.get(f"{scraper.url}/") as response:
                landing = await response.text()

    assert before.value(FATALS) == 0
    assert after.value(FATALS) == refused.value(FATALS) == 1
    assert after.down_reason() == "closed"
    # The same error in a log line is not counted again.
    assert increase(before, after, "openvpn_log_messages_total", by="severity")["fatal"] == 1
    assert increase(before, after, "openvpn_realtime_messages_total", by="source")["FATAL"] == 1
    assert FATAL_MESSAGE.format(port=office.port) in landing
    assert decreased(scraper.pages) == []
