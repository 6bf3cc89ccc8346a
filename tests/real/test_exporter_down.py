"""Daemons that cannot be asked: each reason why, brought about for real."""

import signal
import socket

import msgspec

from exporter.management.endpoint import TcpEndpoint
from tests.real.lab import Lab
from tests.real.management import LOOPBACK, TcpAddress
from tests.real.scraping import scraping, watched
from tests.real.server import server

# All that the page says of a daemon that is down, apart from its counters.
ALWAYS = {
    *("openvpn_up", "openvpn_management_up", "openvpn_down_reason"),
    *("openvpn_hold_waiting", "openvpn_prompt_waiting", "openvpn_restart_on_management_disconnect"),
}
CONNECTS = "openvpn_exporter_connects_total"


async def test_nobody_listens(lab: Lab) -> None:
    async with scraping(watched(lab.tcp())) as scraper:
        page = await scraper.down("refused")
    assert scraper.reasons() == ["refused"]
    assert page.gauges() == ALWAYS
    assert page.value(CONNECTS) == 0


async def test_a_socket_that_was_left_behind_is_refused(lab: Lab) -> None:
    async with server(lab, management=lab.unix()) as office:
        await office.daemon.kill()
    async with scraping(watched(office.management)) as scraper:
        await scraper.down("refused")
    assert scraper.reasons() == ["refused"]


async def test_there_is_no_such_socket(lab: Lab) -> None:
    async with scraping(watched(lab.unix())) as scraper:
        await scraper.down("not_found")
    assert scraper.reasons() == ["not_found"]


async def test_there_is_no_such_host(lab: Lab) -> None:
    nowhere = msgspec.structs.replace(
        watched(lab.tcp()), management=TcpEndpoint("nosuchhost.invalid", 7505)
    )
    async with scraping(nowhere) as scraper:
        await scraper.down("not_found")
    assert scraper.reasons() == ["not_found"]


async def test_the_daemon_wants_another_user(lab: Lab) -> None:
    async with (
        server(lab, "--management-client-user", "nobody", management=lab.unix()) as office,
        scraping(watched(office.management)) as scraper,
    ):
        await scraper.down("permission")
        await office.daemon.wait_for_log("unix domain socket client connection rejected")
    assert scraper.reasons() == ["permission"]


async def test_somebody_else_listens_where_the_daemon_should_dial(lab: Lab) -> None:
    dialling = lab.dialling()
    assert isinstance(dialling.address, TcpAddress)
    with socket.create_server((LOOPBACK, dialling.address.port)):
        async with scraping(watched(dialling)) as scraper:
            await scraper.down("unreachable")
    assert scraper.reasons() == ["unreachable"]


async def test_the_daemon_dies(lab: Lab) -> None:
    # One that dials: nothing else is tried before the next one does.
    dialling = lab.dialling()
    async with scraping(watched(dialling)) as scraper:
        await scraper.page()
        async with server(lab, management=dialling) as office:
            up = await scraper.up()
            await office.daemon.kill()
            page = await scraper.down("closed")
    assert scraper.reasons() == ["closed"]
    assert page.gauges() == ALWAYS < up.gauges()
    assert page.counters == up.counters


async def test_a_daemon_that_hangs_is_down_until_it_goes_on(lab: Lab) -> None:
    async with (
        server(lab) as office,
        scraping(watched(office.management, timeout=1.0)) as scraper,
    ):
        await scraper.up()
        office.daemon.signal(signal.SIGSTOP)
        await scraper.down("timeout")
        office.daemon.signal(signal.SIGCONT)
        page = await scraper.up()
    assert scraper.reasons() == ["timeout"]
    assert page.value(CONNECTS) == 1
    assert page.values("openvpn_exporter_poll_failures_total", by="reason")["timeout"] > 0
