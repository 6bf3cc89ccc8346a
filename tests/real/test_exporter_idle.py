"""Idle clients, names at several addresses and other user names, with real daemons."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

from exporter.config import ClientsConfig
from tests.real.client import Credentials, client
from tests.real.lab import Lab
from tests.real.scraping import Page, daemon_config, scraping
from tests.real.server import server, user_password_options

KEEPALIVE = ("--keepalive", "1", "10")
"""A keepalive each second in each direction: ten times that of `keepalive 10 60`."""

KEEPALIVE_BYTES = (40, 44)
"""The second between two daemons of 2.7, which have longer packet numbers."""

IDLE = ClientsConfig(idle_after=2.0, idle_rate=200)
"""Two directions of keepalives are 80 bytes a second."""


async def test_only_clients_with_nothing_but_keepalives_are_idle(lab: Lab) -> None:
    """Two hosts have alice's certificate, and bob's user is robert; only bob gets packets."""
    options = ("--duplicate-cn", *KEEPALIVE, *user_password_options())
    elsewhere = ("--local", "127.0.0.2", "--lport", "0")
    async with (
        server(lab, *options) as office,
        client(office, "alice", user=Credentials("alice")),
        client(office, "alice", *elsewhere, user=Credentials("alice")),
        client(office, "bob", user=Credentials("robert")),
        scraping(daemon_config(office.management), clients=IDLE) as scraper,
    ):
        page = await scraper.wait_for(
            lambda page: page.is_up() and page.value("openvpn_server_connected_clients") == 3
        )
        async with packets_to(address_of(page, "bob")):
            page = await scraper.wait_for(lambda page: idle(page) == 2)
        assert page.value("openvpn_server_client_names_at_several_addresses") == 1
        assert page.value("openvpn_server_clients_with_other_username") == 1
        later = await scraper.wait_for(lambda page: idle(page) == 3)
        assert later.value("openvpn_server_connected_clients") == 3
    keepalives = received(later, "alice") - received(page, "alice")
    assert keepalives > 0
    assert any(keepalives % size == 0 for size in KEEPALIVE_BYTES)


async def test_server_shows_user_names_as_common_names_where_both_are_one(lab: Lab) -> None:
    options = ("--username-as-common-name", *user_password_options())
    async with (
        server(lab, *options) as office,
        client(office, "alice", user=Credentials("robert")),
        scraping(daemon_config(office.management)) as scraper,
    ):
        page = await scraper.wait_for(
            lambda page: page.is_up() and page.value("openvpn_server_connected_clients") == 1
        )
    assert list(page.values("openvpn_server_client_sessions", by="common_name")) == ["robert"]
    assert page.value("openvpn_server_clients_with_other_username") == 0


def received(page: Page, name: str) -> float:
    """Return the bytes that the server received from a client."""
    return page.value("openvpn_server_client_received_bytes_total", common_name=name)


def idle(page: Page) -> float | None:
    """Return the idle clients; None while they are unknown."""
    name = "openvpn_server_idle_clients"
    return page.value(name) if name in page.names() else None


def address_of(page: Page, name: str) -> str:
    """Return the virtual address of a client."""
    sessions = page.labels("openvpn_server_client_info")
    [labels] = [one for one in sessions if one["common_name"] == name]
    return labels["virtual_address"]


@contextlib.asynccontextmanager
async def packets_to(address: str) -> AsyncIterator[None]:
    """Send packets through the tunnel to a client during the block."""

    async def send() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            while True:
                udp.sendto(bytes(500), (address, 9))
                await asyncio.sleep(0.1)

    sending = asyncio.create_task(send())
    try:
        yield
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
