"""The application: listeners, pages, probes, reloads and shutdown."""

import asyncio
import contextlib
import errno
import re
import socket
import subprocess
from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest
from aiohttp import ClientSession
from msgspec import structs

from exporter.app import RunningApp, run_app
from exporter.config import ClientsConfig, Config, DaemonConfig
from exporter.management.endpoint import Endpoint, parse_endpoint
from exporter.metrics.catalogue import families
from exporter.monitor import refresh
from exporter.openvpn_config import Finding, Kind
from exporter.simulator import Fleet
from exporter.web.listener import ListenAddress, parse_listen_address
from tests.blocking import forbid_blocking
from tests.fake_daemon import TEST_TIMEOUT, fake_daemon
from tests.log_capture import LogCapture
from tests.metrics.parsing import FORMATS, Parsed, Series, all_series, names_of, parse, values

__all__ = ["forbid_blocking"]

ANY_PORT = parse_listen_address("127.0.0.1:0")

Page = list[Parsed]


def config_of(**endpoints: Endpoint) -> Config:
    daemons = [DaemonConfig(name=name, management=to) for name, to in endpoints.items()]
    return Config(daemons=tuple(daemons), poll_interval=1.0)


UNREACHABLE = config_of(unreachable=parse_endpoint("127.0.0.1:1"))


def running_app(
    config: Config = UNREACHABLE, *listen: ListenAddress
) -> contextlib.AbstractAsyncContextManager[RunningApp]:
    return run_app(config, listen=listen or (ANY_PORT,), telemetry_path="/metrics")


@contextlib.asynccontextmanager
async def demo() -> AsyncIterator[RunningApp]:
    """Serve a fleet as `openvpn-exporter demo` does."""
    async with Fleet.demo() as fleet:
        endpoints = {daemon.name: parse_endpoint(daemon.address) for daemon in fleet.daemons}
        async with running_app(config_of(**endpoints)) as running:
            yield running


async def get(url: str, accept: str = "") -> tuple[bytes, str]:
    async with ClientSession() as session, session.get(url, headers={"Accept": accept}) as response:
        assert response.status == 200
        return await response.read(), response.headers["Content-Type"]


async def page_when(url: str, condition: Callable[[Page], bool], accept: str = "") -> Page:
    """Scrape until the page meets the condition."""
    async with asyncio.timeout(TEST_TIMEOUT):
        while True:
            page = parse(*await get(f"{url}/metrics", accept))
            if condition(page):
                return page


def by_daemon(page: Page, name: str) -> dict[str, float]:
    return {dict(s.labels)["daemon"]: v for s, v in values(page).items() if s.name == name}


def all_polled(page: Page) -> bool:
    """Return whether each daemon of the demo was polled: all are up, but one is refused."""
    up = by_daemon(page, "openvpn_up")
    return [up[name] for name in ("office", "remote-work", "uplink")] == [1, 1, 1] and (
        Series(
            "openvpn_down_reason", frozenset({("daemon", "backup-site"), ("reason", "refused")})
        ),
        1.0,
    ) in values(page).items()


class TestTheDemoFleet:
    @pytest.mark.parametrize("accept", FORMATS)
    async def test_has_its_daemons_on_the_page_in_both_formats(self, accept: str) -> None:
        async with demo() as running:
            page = await page_when(running.urls[0], all_polled, accept)
        assert by_daemon(page, "openvpn_server_connected_clients").keys() == {
            "office",
            "remote-work",
        }
        assert by_daemon(page, "openvpn_client_tun_tap_read_bytes_total").keys() == {"uplink"}
        series = all_series(page)
        assert len(series) == len(set(series)) > 1000

    async def test_exports_only_metrics_of_the_catalogue(self) -> None:
        known = {name for family in families(UNREACHABLE.clients) for name in names_of(family)}
        async with demo() as running:
            page = await page_when(running.urls[0], all_polled)
        exported = {s.name for s in all_series(page) if ("daemon" in dict(s.labels))}
        assert exported <= known

    async def test_has_a_landing_page(self) -> None:
        async with demo() as running:
            await page_when(running.urls[0], all_polled)
            body, kind = await get(f"{running.urls[0]}/")
        assert kind.startswith("text/html")
        for name in (b"office", b"remote-work", b"uplink", b"backup-site"):
            assert b"<bdi>" + name + b"</bdi>" in body

    async def test_has_a_page_that_promtool_accepts(self) -> None:
        async with demo() as running:
            await page_when(running.urls[0], all_polled)
            body, _ = await get(f"{running.urls[0]}/metrics")
        checked = await asyncio.to_thread(promtool, body)
        assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def promtool(page: bytes) -> subprocess.CompletedProcess[bytes]:
    command = ["promtool", "check", "metrics"]
    return subprocess.run(command, input=page, capture_output=True, check=False)  # noqa: S603


class TestListening:
    @pytest.mark.parametrize("address", ["127.0.0.1:0", "[::1]:0", "localhost:0", ":0"])
    async def test_returns_the_url_of_each_kind_of_address(self, address: str) -> None:
        async with running_app(UNREACHABLE, parse_listen_address(address)) as running:
            (url,) = running.urls
            assert not url.endswith(":0")
            await get(f"{url}/-/healthy")

    async def test_wildcard_address_has_one_port_for_ipv4_and_ipv6(self) -> None:
        async with running_app(UNREACHABLE, parse_listen_address(":0")) as running:
            port = running.urls[0].rpartition(":")[2]
            assert running.urls[0] == f"http://localhost:{port}"
            for host in ("127.0.0.1", "[::1]", "localhost"):
                await get(f"http://{host}:{port}/-/healthy")

    async def test_several_addresses_are_served(self) -> None:
        addresses = [
            parse_listen_address(text) for text in ("127.0.0.1:0", "[::1]:0", "127.0.0.2:0")
        ]
        async with running_app(UNREACHABLE, *addresses) as running:
            first, second, third = running.urls
            assert first.startswith("http://127.0.0.1:")
            assert second.startswith("http://[::1]:")
            assert third.startswith("http://127.0.0.2:")
            for url in running.urls:
                await get(f"{url}/metrics")

    async def test_address_in_use_fails_and_leaves_no_task(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as occupied:
            occupied_address = ListenAddress(*occupied.getsockname())
            before = asyncio.all_tasks()
            with pytest.raises(OSError) as failure:  # noqa: PT011 -- errno is checked below
                async with running_app(UNREACHABLE, ANY_PORT, occupied_address):
                    pass
        assert failure.value.errno == errno.EADDRINUSE
        assert asyncio.all_tasks() == before

    async def test_listener_closes_with_the_block(self) -> None:
        async with running_app() as running:
            url = running.urls[0]
        with pytest.raises(aiohttp.ClientConnectorError):
            await get(url)


class TestStopping:
    async def test_takes_less_than_a_second_with_an_open_connection(self) -> None:
        loop = asyncio.get_running_loop()
        async with ClientSession() as session:
            async with running_app() as running:
                async with session.get(f"{running.urls[0]}/metrics") as response:
                    await response.read()
                stopped_at = loop.time()
            assert loop.time() - stopped_at < 1.0

    async def test_takes_less_than_a_second_with_an_incomplete_request(self) -> None:
        loop = asyncio.get_running_loop()
        async with running_app() as running:
            host, _, port = running.urls[0].removeprefix("http://").partition(":")
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write(b"GET /metrics HTTP/1.1\r\nHost: x\r\n")
            await writer.drain()
            await get(f"{running.urls[0]}/-/healthy")
            stopped_at = loop.time()
        assert loop.time() - stopped_at < 1.0
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    async def test_sends_quit_to_the_daemon(self) -> None:
        async with fake_daemon() as daemon:
            async with running_app(config_of(office=daemon.endpoint)):
                session = await daemon.accept_and_greet()
                await session.reply_to_polls()
            await session.wait_closed()
        assert session.received[-1] == b"quit"


class TestProbing:
    async def test_polls_one_daemon_and_exports_it_alone(self) -> None:
        async with fake_daemon() as daemon, fake_daemon() as other:
            endpoints = {"office": daemon.endpoint, "other": other.endpoint}
            config = structs.replace(config_of(**endpoints), poll_interval=3600.0)
            async with running_app(config) as running:
                session = await daemon.accept_and_greet()
                await session.reply_to_polls()
                url = running.urls[0]
                await page_when(url, lambda page: by_daemon(page, "openvpn_up")["office"] == 1)
                probe = asyncio.create_task(get(f"{url}/probe?target=office"))
                with pytest.MonkeyPatch.context() as patch:
                    patch.setattr(refresh, "MAX_AGE", 0.0)
                    await session.reply_to_polls()
                page = parse(*await probe)
        assert by_daemon(page, "openvpn_up") == {"office": 1}
        assert {dict(series.labels)["daemon"] for series in all_series(page)} == {"office"}

    async def test_debug_shows_the_commands_and_the_replies(self) -> None:
        async with (
            fake_daemon() as daemon,
            running_app(config_of(office=daemon.endpoint)) as running,
        ):
            session = await daemon.accept_and_greet()
            await session.reply_to_polls()
            await page_when(
                running.urls[0], lambda page: by_daemon(page, "openvpn_up")["office"] == 1
            )
            body, kind = await get(f"{running.urls[0]}/probe?target=office&debug=true")
        assert kind.startswith("text/plain")
        assert b"> status 3" in body
        assert b"CLIENT_LIST" in body

    async def test_config_endpoint_shows_the_current_configuration(self) -> None:
        async with running_app() as running:
            body, kind = await get(f"{running.urls[0]}/config")
        assert kind == "text/plain; charset=utf-8"  # a browser shows it
        assert b"management: 127.0.0.1:1" in body


class TestReloading:
    async def test_removes_a_daemon_with_all_its_series(self) -> None:
        read = [config_of(office=parse_endpoint("127.0.0.1:1"))]
        async with (
            fake_daemon() as daemon,
            run_app(
                config_of(office=parse_endpoint("127.0.0.1:1"), branch=daemon.endpoint),
                listen=[ANY_PORT],
                telemetry_path="/metrics",
                load_config=lambda: read[0],
            ) as running,
        ):
            session = await daemon.accept_and_greet()
            await session.reply_to_polls()
            await page_when(running.urls[0], lambda page: "branch" in by_daemon(page, "openvpn_up"))
            before, _ = await get(f"{running.urls[0]}/metrics")
            await running.reload()
            body, _ = await get(f"{running.urls[0]}/metrics")
            assert b"office" in body
            assert b"branch" not in body
            assert b"openvpn_exporter_config_last_reload_successful 1.0" in body
        assert b"openvpn_exporter_daemons 2.0\n" in before
        assert b"openvpn_exporter_daemons 1.0\n" in body

    async def test_finding_is_logged_once_and_stays_counted(self) -> None:
        finding = Finding(
            kind=Kind.SYNTAX_ERROR, location="a.conf:1", text="no", daemon="a", blocks=True
        )
        read = structs.replace(UNREACHABLE, findings=(finding,))
        with LogCapture.open() as log:
            async with run_app(
                read, listen=[ANY_PORT], telemetry_path="/metrics", load_config=lambda: read
            ) as running:
                await running.reload()
                body, _ = await get(f"{running.urls[0]}/metrics")
        assert log.messages.count("daemon skipped") == 1
        assert b"openvpn_exporter_discovered_daemons_skipped 1.0" in body

    async def test_new_daemon_of_the_same_name_starts_at_0(self) -> None:
        async with fake_daemon() as old, fake_daemon() as new:
            read = [config_of(office=new.endpoint)]
            async with run_app(
                config_of(office=old.endpoint),
                listen=[ANY_PORT],
                telemetry_path="/metrics",
                load_config=lambda: read[0],
            ) as running:
                await (await old.accept_and_greet()).reply_to_polls()
                url = running.urls[0]
                await page_when(url, lambda page: by_daemon(page, "openvpn_up")["office"] == 1)
                await running.reload()
                page = await page_when(url, lambda _: True)
        assert by_daemon(page, "openvpn_up") == {"office": 0}
        assert by_daemon(page, "openvpn_exporter_polls_total") == {"office": 0}

    async def test_keeps_when_an_expected_client_was_last_seen(self) -> None:
        """Also if the server that has seen it is removed, and no scrape came before."""
        expected = {"expected_clients": ("alice",)}
        async with fake_daemon() as daemon:
            read = structs.replace(config_of(branch=parse_endpoint("127.0.0.1:1")), **expected)
            async with run_app(
                structs.replace(config_of(office=daemon.endpoint), **expected),
                listen=[ANY_PORT],
                telemetry_path="/metrics",
                load_config=lambda: read,
            ) as running:
                await (await daemon.accept_and_greet()).reply_to_polls()
                url = running.urls[0]
                async with asyncio.timeout(TEST_TIMEOUT):
                    while not re.search(rb'"up": ?true', (await get(f"{url}/api/v1/daemons"))[0]):
                        pass
                await running.reload()
                body, _ = await get(f"{url}/metrics")
        assert b"openvpn_expected_client_connected{" not in body
        seen = rb'openvpn_expected_client_last_seen_timestamp_seconds\{common_name="alice"\} (\S+)'
        assert len(re.findall(seen, body)) == 1

    async def test_changes_the_exported_metrics(self) -> None:
        async with fake_daemon() as daemon:
            before = config_of(office=daemon.endpoint)
            hidden = ClientsConfig(series=False, info=False)
            read = [structs.replace(before, clients=hidden)]
            async with run_app(
                before, listen=[ANY_PORT], telemetry_path="/metrics", load_config=lambda: read[0]
            ) as running:
                session = await daemon.accept_and_greet()
                await session.reply_to_polls()
                url = running.urls[0]
                await page_when(url, lambda page: by_daemon(page, "openvpn_up")["office"] == 1)
                assert b"alice" in (await get(f"{url}/metrics"))[0]
                await running.reload()
                assert b"alice" not in (await get(f"{url}/metrics"))[0]
                await session.reply_to_polls(2)
                assert daemon.all_accepted


async def test_silent_daemon_delays_no_other() -> None:
    async with fake_daemon() as silent, fake_daemon() as talking:
        endpoints = {"silent": silent.endpoint, "talking": talking.endpoint}
        async with running_app(config_of(**endpoints)) as running:
            session = await talking.accept_and_greet()
            await session.reply_to_polls()
            page = await page_when(
                running.urls[0], lambda page: by_daemon(page, "openvpn_up")["talking"] == 1
            )
    assert by_daemon(page, "openvpn_up") == {"silent": 0, "talking": 1}


async def test_poll_interval_of_a_daemon_overrides_the_global_one() -> None:
    async with fake_daemon() as daemon:
        office = DaemonConfig(name="office", management=daemon.endpoint, poll_interval=1.0)
        async with running_app(Config(daemons=(office,), poll_interval=3600.0)):
            session = await daemon.accept_and_greet()
            await session.reply_to_polls(2)


@pytest.mark.parametrize("enabled", [True, False])
async def test_scrape_waits_for_a_poll_if_configured(
    monkeypatch: pytest.MonkeyPatch, *, enabled: bool
) -> None:
    monkeypatch.setattr(refresh, "MAX_AGE", 0.0)
    async with fake_daemon() as daemon:
        office = DaemonConfig(name="office", management=daemon.endpoint)
        config = Config(daemons=(office,), poll_interval=3600.0, refresh_on_scrape=enabled)
        async with running_app(config) as running:
            session = await daemon.accept_and_greet()
            await session.reply_to_polls(1)
            polls = asyncio.create_task(session.reply_to_polls(1))
            page = await page_when(
                running.urls[0],
                lambda page: by_daemon(page, "openvpn_exporter_polls_total")["office"] > enabled,
            )
            polls.cancel()
    assert by_daemon(page, "openvpn_exporter_polls_total") == {"office": 1 + enabled}
