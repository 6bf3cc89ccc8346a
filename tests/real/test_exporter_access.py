"""Access to the management interface: sockets, passwords, hold, and ``--management-client``."""

import re
from contextlib import AsyncExitStack

import msgspec
import pytest

from tests.real import raw_session
from tests.real.daemon import HELD, INITIALISED, Daemon
from tests.real.lab import Lab
from tests.real.recording_proxy import recording_proxy
from tests.real.scraping import Page, daemon_config, decreased, scraping
from tests.real.server import server

CONNECTED = "openvpn_server_connected_clients"
CONNECTS = "openvpn_exporter_connects_total"


def server_gauges(page: Page) -> list[str]:
    return [name for name in page.gauges() if name.startswith("openvpn_server_")]


def commands(daemon: Daemon) -> list[str]:
    return re.findall(r"MANAGEMENT: CMD '(.*)'", daemon.log)


async def test_exporter_connects_to_a_unix_socket(lab: Lab) -> None:
    async with (
        server(lab, management=lab.unix()) as office,
        scraping(daemon_config(office.management)) as scraper,
    ):
        page = await scraper.wait_up()
    assert page.value(CONNECTED) == 0


@pytest.mark.parametrize("password", ["s3cret", ' "zwei" \\ Wörter # '])
async def test_exporter_logs_in_with_a_password_file(lab: Lab, password: str) -> None:
    async with (
        server(lab, management=lab.unix(password=password)) as office,
        scraping(daemon_config(office.management)) as scraper,
    ):
        page = await scraper.wait_up()
    assert page.value(CONNECTED) == 0
    assert page.value(CONNECTS) == 1


async def test_wrong_password_is_sent_once_and_the_slot_is_released(lab: Lab) -> None:
    async with (
        server(lab, management=lab.tcp(password="s3cret")) as office,
        recording_proxy(lab, office.management) as proxy,
        scraping(daemon_config(proxy.management, password_file=lab.file("wrong\n"))) as scraper,
    ):
        await scraper.wait_down("auth")
        [reply] = await raw_session.request(office.management.address, "pid", password="s3cret")

    assert scraper.down_reasons() == ["auth"]
    assert proxy.sent == b"wrong\n"
    assert reply == f"SUCCESS: pid={office.daemon.pid}"
    assert "failed password attempts" not in office.daemon.log


async def test_exporter_without_a_password_sends_nothing(lab: Lab) -> None:
    async with (
        server(lab, management=lab.tcp(password="s3cret")) as office,
        recording_proxy(lab, office.management) as proxy,
        scraping(
            msgspec.structs.replace(daemon_config(proxy.management), password_file=None)
        ) as scraper,
    ):
        await scraper.wait_down("auth")
    assert proxy.sent == b""
    assert proxy.received == b"ENTER PASSWORD:"


async def test_exporter_releases_the_slot_of_a_held_daemon(lab: Lab) -> None:
    async with server(lab, "--management-hold", ready=HELD) as office:
        config = msgspec.structs.replace(
            daemon_config(office.management), prompt_retry_interval=0.2
        )
        async with scraping(config) as scraper:
            held = await scraper.wait_down("hold")
            async with raw_session.connect(office.management.address) as operator:
                assert await operator.notification() == ">HOLD:Waiting for hold release:0"
                sent = commands(office.daemon)
                await operator.request("hold release")
                await office.daemon.wait_for_log(INITIALISED)
            released = await scraper.wait_up()

    assert scraper.down_reasons() == ["hold"]
    assert server_gauges(held) == []
    assert held.value("openvpn_hold_waiting") == 1
    assert sent[-1] == "quit"
    assert not {"hold release", "hold off", "hold on"} & set(sent)
    assert released.value("openvpn_hold_waiting") == 0
    assert released.value("openvpn_state", state="CONNECTED") == 1
    assert released.value(CONNECTED) == 0


async def test_occupied_slot_means_busy_until_it_is_released(lab: Lab) -> None:
    async with server(lab) as office, AsyncExitStack() as other_client:
        await other_client.enter_async_context(raw_session.connect(office.management.address))
        async with scraping(daemon_config(office.management, timeout=0.3)) as scraper:
            busy = await scraper.wait_down("busy")
            await other_client.aclose()
            page = await scraper.wait_up()
    assert scraper.down_reasons() == ["busy"]
    assert server_gauges(busy) == []
    assert page.value(CONNECTED) == 0
    assert page.value(CONNECTS) == 1


async def test_management_client_daemon_exits_with_the_exporter(lab: Lab) -> None:
    management_client = lab.management_client()
    async with AsyncExitStack() as exporter:
        scraper = await exporter.enter_async_context(scraping(daemon_config(management_client)))
        await scraper.page()
        async with server(lab, management=management_client) as office:
            page = await scraper.wait_up()
            await exporter.aclose()
            assert await office.daemon.wait_for_end() == 0
    assert page.value(CONNECTED) == 0
    assert page.value("openvpn_state", state="CONNECTED") == 1


async def test_management_client_daemon_connects_to_a_unix_socket(lab: Lab) -> None:
    management_client = lab.unix_management_client(password="s3cret")
    async with scraping(daemon_config(management_client)) as scraper:
        await scraper.page()
        async with server(lab, management=management_client):
            page = await scraper.wait_up()
    assert page.value(CONNECTED) == 0
    assert page.value("openvpn_state", state="CONNECTED") == 1


async def test_two_management_client_daemons_connect_one_after_the_other(lab: Lab) -> None:
    management_client = lab.management_client()
    async with scraping(daemon_config(management_client)) as scraper:
        await scraper.page()
        async with server(lab, management=management_client):
            first = await scraper.wait_up()
        await scraper.wait_down("closed")
        async with server(lab, management=management_client):
            second = await scraper.wait_up()
    assert (first.value(CONNECTS), second.value(CONNECTS)) == (1, 2)
    assert second.value(CONNECTED) == 0
    assert decreased(scraper.pages) == []
