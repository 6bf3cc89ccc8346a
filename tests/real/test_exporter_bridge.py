"""A bridge without an address pool: no row has a virtual address, and routes expire."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import IPv4Network, IPv6Network

from exporter.config.target import Target
from exporter.management.status import ServerStatus
from exporter.monitor.oneshot import poll_once
from tests.real.client import client
from tests.real.daemon import INITIALISED, running
from tests.real.lab import Lab
from tests.real.management import LOOPBACK
from tests.real.scraping import Page, daemon_config, scraping
from tests.real.server import KEEPALIVE, Server, Transport

CONNECTED = "openvpn_server_connected_clients"
PENDING = "openvpn_server_pending_clients"
ROUTES = "openvpn_server_routes"
FALLBACK = ("--data-ciphers-fallback", "AES-256-GCM")  # a client without --pull negotiates none


@asynccontextmanager
async def bridge(lab: Lab, *more: str) -> AsyncIterator[Server]:
    """Run a TAP server that assigns no addresses until the end of the block.

    ``more`` are options that override the defaults.
    """
    management, port = lab.tcp(), lab.port()
    options = [
        *("--mode", "server", "--tls-server", "--dev", "tap", "--disable-dco"),
        *("--cipher", "AES-256-GCM", *FALLBACK, "--proto", "tcp4-server"),
        *("--local", LOOPBACK, "--port", str(port), "--dh", "none"),
        *lab.authority.issue("server").options(),
        *KEEPALIVE,
        *("--verb", "3", *management.options(), *more),
    ]
    name = f"bridge-{lab.next_number()}"
    async with running(name, options, directory=lab.directory, ready=INITIALISED) as daemon:
        yield Server(
            lab=lab,
            daemon=daemon,
            management=management,
            transport=Transport.TCP,
            port=port,
            network=IPv4Network("10.0.0.0/24"),
            network6=IPv6Network("fd00::/64"),
        )


def counts(page: Page) -> tuple[float, float, float]:
    return page.value(CONNECTED), page.value(PENDING), page.value(ROUTES)


async def test_a_silent_client_on_a_bridge_is_connected_once_it_has_logged_in(lab: Lab) -> None:
    async with bridge(lab) as office, scraping(daemon_config(office.management)) as scraper:
        await scraper.wait_up()
        async with client(office, "alice", "--dev-type", "tap"):
            page = await scraper.wait_for(lambda page: page.value(CONNECTED) == 1)
            assert counts(page) == (1, 0, 0)
            assert page.value("openvpn_server_client_connects_total") == 1
            assert page.values("openvpn_server_client_sessions", by="common_name") == {"alice": 1}
        await scraper.wait_for(lambda page: counts(page) == (0, 0, 0))


async def test_a_handshake_on_a_bridge_is_pending_whatever_cipher_its_row_shows(lab: Lab) -> None:
    async with (
        bridge(lab) as office,
        scraping(daemon_config(office.management)) as scraper,
        client(office, "alice", "--dev-type", "tap"),
    ):
        await scraper.wait_up()
        await scraper.wait_for(lambda page: page.value(CONNECTED) == 1)
        _, writer = await asyncio.open_connection(LOOPBACK, office.port)
        page = await scraper.wait_for(lambda page: page.value(PENDING) == 1)
        assert counts(page) == (1, 1, 0)
        assert page.values("openvpn_server_client_sessions", by="common_name") == {"alice": 1}
        writer.close()


async def test_silent_clients_that_were_let_in_before_the_exporter_came_are_connected(
    lab: Lab,
) -> None:
    # Without --pull the two have other data keys: bob restarts at the first ping.
    rare_pings = ("--keepalive", "600", "1200")
    async with (
        bridge(lab, "--verb", "1", *rare_pings) as office,
        client(office, "alice"),
        client(office, "bob", *FALLBACK, "--proto", "tcp4-client", pull=False),
    ):
        await office.daemon.wait_for_log("address is available for bob")
        once = await poll_once(Target(daemon_config(office.management)))
        assert isinstance(once.daemon.status, ServerStatus)
        assert {row.common_name for row in once.daemon.status.clients} == {"alice", "bob"}
        _, writer = await asyncio.open_connection(LOOPBACK, office.port)
        async with scraping(daemon_config(office.management)) as scraper:
            await scraper.wait_up()
            page = await scraper.wait_for(lambda page: page.value(PENDING) == 1)
            assert counts(page) == (2, 1, 0)
            assert page.value("openvpn_server_client_connects_total") == 0
            writer.close()
            page = await scraper.wait_for(lambda page: counts(page) == (2, 0, 0))
            sessions = page.values("openvpn_server_client_sessions", by="common_name")
            assert sessions == {"alice": 1, "bob": 1}


async def test_a_client_without_an_address_is_connected_and_no_pool_is_exhausted(lab: Lab) -> None:
    async with (
        bridge(lab, "--dev", "tun") as office,
        client(office, "alice"),
        scraping(daemon_config(office.management)) as scraper,
    ):
        page = await scraper.wait_up()
        assert counts(page) == (1, 0, 0)
        events = page.values("openvpn_log_events_total", by="event")
        assert events["no_virtual_address"] == 0  # it was logged before the exporter came
        async with client(office, "bob"):
            page = await scraper.wait_for(lambda page: page.value(CONNECTED) == 2)
            assert page.value("openvpn_server_client_connects_total") == 1
            events = page.values("openvpn_log_events_total", by="event")
            assert (events["no_virtual_address"], events["pool_exhausted"]) == (1, 0)
