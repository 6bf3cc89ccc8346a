"""Restarts of daemons, in the same process or in another: no counter decreases."""

import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from tests.real.client import client
from tests.real.clock import wait_for_next_second
from tests.real.daemon import INITIALISED
from tests.real.lab import Lab
from tests.real.reading import read
from tests.real.scraping import Page, Scraper, daemon_config, decreased, scraping
from tests.real.server import Server, Transport, server

CONNECTED = "openvpn_server_client_connected_timestamp_seconds"
RECEIVED = "openvpn_server_client_received_bytes_total"
LINK_RECEIVED = "openvpn_received_bytes_total"
CONNECTS = "openvpn_exporter_connects_total"
RESTARTS = "openvpn_restarts_total"
START = "openvpn_start_time_seconds"


@asynccontextmanager
async def watched_client(office: Server, scraper: Scraper) -> AsyncIterator[None]:
    """Run a client that connects after the exporter's first poll."""
    await scraper.wait_up()
    async with client(office, "alice"):
        yield


def sessions(page: Page) -> float:
    return page.values("openvpn_server_client_sessions", by="common_name").get("alice", 0)


@pytest.mark.parametrize("restart", [signal.SIGUSR1, signal.SIGHUP])
async def test_restart_of_the_daemon_keeps_the_management_session(
    lab: Lab, restart: signal.Signals
) -> None:
    async with (
        server(lab, transport=Transport.TCP) as office,
        AsyncExitStack() as exporter,
    ):
        scraper = await exporter.enter_async_context(scraping(daemon_config(office.management)))
        await scraper.wait_up()
        async with client(office, "alice") as alice:
            before = await scraper.wait_for(lambda page: sessions(page) == 1)
            mark = alice.daemon.mark()
            office.daemon.signal(restart)
            await scraper.wait_for(lambda page: sessions(page) == 0)
            await alice.daemon.wait_for_log(INITIALISED, since=mark)
            await scraper.wait_for(lambda page: sessions(page) == 1)
            after = await scraper.wait_polled()
            await exporter.aclose()
            manual = await read(office.management)

    [row] = manual.rows
    assert decreased(scraper.pages) == []
    assert after.value(CONNECTS) == 1
    assert after.value(RESTARTS) == 0
    assert after.value("openvpn_reconnects_total", reason=restart.name) == 1
    assert after.value(START) == before.value(START) == manual.first_state_time
    assert after.value("openvpn_state", state="CONNECTED") == 1
    # The second handshake transfers about as many bytes as the first.
    received = after.value(RECEIVED, common_name="alice")
    assert received > 1.5 * before.value(RECEIVED, common_name="alice")
    assert received > row.received
    assert before.value(LINK_RECEIVED) < after.value(LINK_RECEIVED) <= manual.received


async def test_counters_continue_with_a_new_process_at_the_same_address(
    lab: Lab,
) -> None:
    async with (
        server(lab, transport=Transport.TCP) as first,
        scraping(daemon_config(first.management)) as scraper,
        watched_client(first, scraper),
    ):
        await scraper.wait_for(lambda page: sessions(page) == 1)
        before = await scraper.wait_polled()
        await first.daemon.kill()
        await scraper.wait_down("refused")
        await wait_for_next_second(before.value(START))
        same_port = ("--port", str(first.port))
        async with server(
            lab, *same_port, management=first.management, transport=Transport.TCP
        ) as second:
            await scraper.wait_for(lambda page: page.is_up() and sessions(page) == 1)
            after = await scraper.wait_polled()

    assert second.daemon.pid != first.daemon.pid
    assert decreased(scraper.pages) == []
    assert after.value(CONNECTS) == before.value(CONNECTS) + 1
    assert after.value(RESTARTS) == 1
    assert after.value(START) > before.value(START)
    for counter in (RECEIVED, LINK_RECEIVED, "openvpn_sent_bytes_total"):
        assert after.value(counter) > 1.5 * before.value(counter), counter


async def test_restart_of_the_exporter_leaves_the_tunnels_alone(lab: Lab) -> None:
    """Three exporters, one after the other, see the session that began before them."""
    started: list[float] = []
    async with server(lab) as office, client(office, "alice") as alice:
        mark = alice.daemon.mark()
        for _ in range(3):
            async with scraping(daemon_config(office.management)) as scraper:
                page = await scraper.wait_for(lambda page: sessions(page) == 1)
                started.append(page.value(CONNECTED, common_name="alice"))
        lines = alice.daemon.log.splitlines()[mark:]

    assert started == [started[0]] * 3
    assert [line for line in lines if "restarting" in line.lower()] == []
