"""The down reasons, each caused with a real daemon."""

import signal
import socket

import msgspec

from exporter.management.endpoint import TcpEndpoint
from tests.real.lab import Lab
from tests.real.management import LOOPBACK, TcpAddress
from tests.real.scraping import daemon_config, scraping
from tests.real.server import server

# All gauges of a daemon that is down.
ALWAYS = {
    *("openvpn_up", "openvpn_management_up", "openvpn_down_reason"),
    *("openvpn_hold_waiting", "openvpn_prompt_waiting", "openvpn_restart_on_management_disconnect"),
}
CONNECTS = "openvpn_exporter_connects_total"


async def test_closed_port_means_refused(lab: Lab) -> None:
    async with scraping(daemon_config(lab.tcp())) as scraper:
        page = await scraper.wait_down("refused")
    assert scraper.down_reasons() == ["refused"]
    assert page.gauges() == ALWAYS
    assert page.value(CONNECTS) == 0


async def test_stale_socket_means_refused(lab: Lab) -> None:
    async with server(lab, management=lab.unix()) as office:
        await office.daemon.kill()
    async with scraping(daemon_config(office.management)) as scraper:
        await scraper.wait_down("refused")
    assert scraper.down_reasons() == ["refused"]


async def test_missing_socket_means_not_found(lab: Lab) -> None:
    async with scraping(daemon_config(lab.unix())) as scraper:
        await scraper.wait_down("not_found")
    assert scraper.down_reasons() == ["not_found"]


async def test_unknown_host_means_not_found(lab: Lab) -> None:
    config = msgspec.structs.replace(
        daemon_config(lab.tcp()), management=TcpEndpoint("nosuchhost.invalid", 7505)
    )
    async with scraping(config) as scraper:
        await scraper.wait_down("not_found")
    assert scraper.down_reasons() == ["not_found"]


async def test_management_client_user_means_permission(lab: Lab) -> None:
    async with (
        server(lab, "--management-client-user", "nobody", management=lab.unix()) as office,
        scraping(daemon_config(office.management)) as scraper,
    ):
        await scraper.wait_down("permission")
        await office.daemon.wait_for_log("unix domain socket client connection rejected")
    assert scraper.down_reasons() == ["permission"]


async def test_listen_address_in_use_means_unreachable(lab: Lab) -> None:
    management_client = lab.management_client()
    assert isinstance(management_client.address, TcpAddress)
    with socket.create_server((LOOPBACK, management_client.address.port)):
        async with scraping(daemon_config(management_client)) as scraper:
            await scraper.wait_down("unreachable")
    assert scraper.down_reasons() == ["unreachable"]


async def test_killed_daemon_means_closed(lab: Lab) -> None:
    # With --management-client the exporter makes no other attempt until the next daemon connects.
    management_client = lab.management_client()
    async with scraping(daemon_config(management_client)) as scraper:
        await scraper.page()
        async with server(lab, management=management_client) as office:
            up = await scraper.wait_up()
            await office.daemon.kill()
            page = await scraper.wait_down("closed")
    assert scraper.down_reasons() == ["closed"]
    assert page.gauges() == ALWAYS < up.gauges()
    assert page.counters == up.counters


async def test_stopped_daemon_means_timeout_until_it_continues(lab: Lab) -> None:
    async with (
        server(lab) as office,
        scraping(daemon_config(office.management, timeout=1.0)) as scraper,
    ):
        await scraper.wait_up()
        office.daemon.signal(signal.SIGSTOP)
        await scraper.wait_down("timeout")
        office.daemon.signal(signal.SIGCONT)
        page = await scraper.wait_up()
    assert scraper.down_reasons() == ["timeout"]
    assert page.value(CONNECTS) == 1
    assert page.values("openvpn_exporter_poll_failures_total", by="reason")["timeout"] > 0
