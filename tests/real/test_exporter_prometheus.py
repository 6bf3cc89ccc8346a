"""A real Prometheus scrapes the exporter of a real server."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from msgspec import structs

from tests.real.client import client
from tests.real.lab import Lab
from tests.real.management import LOOPBACK
from tests.real.prometheus import Prometheus, prometheus
from tests.real.scraping import daemon_config, scraping
from tests.real.server import Server, Transport, server

RECEIVED = 'openvpn_server_client_received_bytes_total{common_name="alice"}'
LINK_RECEIVED = "openvpn_received_bytes_total"
QUIET = ("--keepalive", "60", "240")
SESSIONS = 'openvpn_server_client_sessions{common_name="alice"}'


async def test_prometheus_scrapes_every_series_of_the_exporter(lab: Lab, tmp_path: Path) -> None:
    async with (
        server(lab) as office,
        client(office, "alice"),
        client(office, "bob"),
        scraping(daemon_config(office.management)) as scraper,
    ):
        page = await scraper.wait_up()
        target = scraper.url.removeprefix("http://")
        async with prometheus(lab, target, tmp_path) as prom:
            clients = await prom.wait_for("openvpn_server_connected_clients")
            up = await prom.query('up{job="openvpn"}')
            samples = await prom.query("scrape_samples_scraped")
            received = await prom.query(
                'openvpn_server_client_received_bytes_total{common_name="alice"}'
            )
            infos = await prom.query("openvpn_server_client_info")

    assert clients == [2]
    assert up == [1]
    assert samples == [len(page.series)]
    assert received[0] >= page.value(
        "openvpn_server_client_received_bytes_total", common_name="alice"
    )
    assert infos == [1, 1]


async def test_increase_is_what_was_transferred_over_a_restart_of_each(
    lab: Lab, tmp_path: Path
) -> None:
    """The exporter, the daemon and the client restart; nothing is transferred but handshakes."""
    port = lab.port()
    async with AsyncExitStack() as daemon, AsyncExitStack() as exporter:
        office = await daemon.enter_async_context(server(lab, *QUIET, transport=Transport.TCP))
        config = structs.replace(daemon_config(office.management), expected_clients=("alice",))
        await exporter.enter_async_context(scraping(config, port=port))
        async with prometheus(lab, f"{LOOPBACK}:{port}", tmp_path) as prom:
            await prom.wait_for(f"{RECEIVED} == 0")
            async with client(office, "alice"):
                [handshake] = await prom.wait_for(f"{RECEIVED} > 0 and on () {SESSIONS} == 1")
            await prom.wait_for(f"{SESSIONS} == 0")
            async with client(office, "alice"):
                await prom.wait_for(f"{RECEIVED} > {1.5 * handshake}")
                await check_increase(prom, 2 * handshake)

                await exporter.aclose()
                await prom.wait_for('up{job="openvpn"} == 0')
                await exporter.enter_async_context(scraping(config, port=port))
                await prom.wait_for(f"{SESSIONS} == 1")
                await check_increase(prom, 2 * handshake)

                await daemon.aclose()
                await prom.wait_for("openvpn_up == 0")
                await daemon.enter_async_context(restarted(office))
                await prom.wait_for(f"{RECEIVED} > {0.5 * handshake}")
                await check_increase(prom, 3 * handshake)


@asynccontextmanager
async def restarted(office: Server) -> AsyncIterator[None]:
    """Run another process in the place of a server."""
    options = ("--port", str(office.port), *QUIET)
    async with server(
        office.lab, *options, management=office.management, transport=office.transport
    ):
        yield


async def check_increase(prom: Prometheus, expected: float) -> None:
    """Check both totals; Prometheus extrapolates by half a scrape interval at each end."""
    for counter in (RECEIVED, LINK_RECEIVED):
        [increase] = await prom.query(f"increase({counter}[1h])")
        assert expected * 0.8 < increase < expected * 1.3, (counter, expected, increase)
