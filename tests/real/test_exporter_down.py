"""Daemons that cannot be asked: each reason why, brought about for real."""

import signal
import socket

import msgspec

from exporter.management.endpoint import TcpEndpoint
from tests.real.lab import Lab
from tests.real.management import LOOPBACK, TcpAddress
from tests.real.scraping import daemon_config, scraping
from tests.real.server import server

# All that the page says of a daemon that is down, apart from its counters.
ALWAYS = {
    *("openvpn_up", "openvpn_management_up", "openvpn_down_reason"),
    *("openvpn_hold_waiting", "openvpn_prompt_waiting", "openvpn_restart_on_management_disconnect"),
}
CONNECTS = "openvpn_exporter_connects_total"


async def test_nobody_listens(lab: Lab) -> None:
    async with scraping(daemon_config(lab.tcp())) as scraper:
        page = await scraper.wait_down("refused")
    assert scraper.down_reasons() == ["refused"]
    assert page.gauges() == ALWAYS
    assert page.value(CONNECTS) == 0


async def test_a_socket_that_was_left_behind_is_refused(lab: Lab) -> None:
    async with server(lab, management=lab.unix()) as office:
        await office.daemon.kill()
    async with scraping(daemon_config(office.management)) as scraper:
        await scraper.wait_down("refused")
    assert scraper.down_reasons() == ["refused"]


async def test_there_is_no_such_socket(lab: Lab) -> None:
    async with scraping(daemon_config(lab.unix())) as scraper:
        await scraper.wait_down("not_found")
    assert scraper.down_reasons() == ["not_found"]


async def test_there_is_no_such_host(lab: Lab) -> None:
    nowhere = msgspec.structs.replace(
        daemon_config(lab.tcp()), management=TcpEndpoint("nosuchhost.invalid", 7505)
    )
    async with scraping(nowhere) as scraper:
        await scraper.wait_down("not_found")
    assert scraper.down_reasons() == ["not_found"]


async def test_the_daemon_wants_another_user(lab: Lab) -> None:
    async with (
        server(lab, "--management-client-user", "nobody", management=lab.unix()) as office,
        scraping(daemon_config(office.management)) as scraper,
    ):
        await scraper.wait_down("permission")
        await office.daemon.wait_for_log("unix domain socket client connection rejected")
    assert scraper.down_reasons() == ["permission"]


async def test_somebody_else_listens_where_the_daemon_should_dial(lab: Lab) -> None:
    management_client = lab.management_client()
    assert isinstance(management_client.address, TcpAddress)
    with socket.create_server((LOOPBACK, management_client.address.port)):
        async with scraping(daemon_config(management_client)) as scraper:
            await scraper.wait_down("unreachable")
    assert scraper.down_reasons() == ["unreachable"]


async def test_the_daemon_dies(lab: Lab) -> None:
    # One that dials: nothing else is tried before the next one does.
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


async def test_a_daemon_that_hangs_is_down_until_it_goes_on(lab: Lab) -> None:
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
