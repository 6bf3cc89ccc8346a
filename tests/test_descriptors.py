"""More daemons than file descriptors: the page is served all the same."""

import asyncio
import errno
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from exporter import descriptors
from exporter.config import DaemonConfig
from exporter.config.target import Target
from exporter.management.endpoint import TcpEndpoint, UnixEndpoint
from exporter.management.errors import EndpointUnreachable
from exporter.monitor import oneshot
from exporter.monitor.oneshot import poll_all
from exporter.transport.connector import connector_for
from tests.fake_daemon import GREETING, TEST_TIMEOUT, fake_daemon, free_port

DAEMONS = 100
LIMIT = 64
PROGRAM = f"""
import resource, sys
from exporter.cli import main
resource.setrlimit(resource.RLIMIT_NOFILE, ({LIMIT}, {LIMIT}))
sys.exit(main())
"""


@pytest.fixture
def limit() -> Iterator[None]:
    """Restore the limit of open files."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.usefixtures("limit")
def test_the_soft_limit_is_raised_to_the_hard_one() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard - 1, hard))
    descriptors.raise_limit()
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)


@pytest.mark.parametrize(("soft", "for_daemons"), [(64, 48), (1024, 960), (None, None)])
def test_some_descriptors_are_reserved(
    soft: int | None, for_daemons: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(descriptors, "limit", lambda: soft)
    assert descriptors.daemon_limit() == for_daemons


async def test_no_connection_takes_a_reserved_descriptor(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(descriptors, "daemon_limit", lambda: 0)
    async with fake_daemon() as daemon, fake_daemon(tmp_path / "office.sock") as by_path:
        for endpoint in (daemon.endpoint, by_path.endpoint):
            with pytest.raises(EndpointUnreachable, match="too many open files"):
                await connector_for(endpoint, timeout=TEST_TIMEOUT).connect()
        assert daemon.all_accepted
        assert by_path.all_accepted


async def test_a_lack_of_descriptors_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(descriptors, "check_available", fail)
    for endpoint in (TcpEndpoint("127.0.0.1", 1), UnixEndpoint("/nowhere")):
        with pytest.raises(EndpointUnreachable, match="LimitNOFILE"):
            await connector_for(endpoint, timeout=TEST_TIMEOUT).connect()


async def test_no_more_daemons_are_polled_at_once_than_there_are_descriptors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(descriptors, "daemon_limit", lambda: 6)
    running, most = 0, 0

    async def poll_once(*_: object) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1

    monkeypatch.setattr(oneshot, "poll_once", poll_once)
    await poll_all([Target(DaemonConfig(name="office"))] * 20)
    assert most == 3


async def test_the_page_is_served_with_more_daemons_than_descriptors() -> None:
    connected, crowded = 0, asyncio.Event()

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connected
        connected += 1
        if connected > LIMIT // 2:
            crowded.set()
        writer.write(GREETING + b"\r\n")  # and no reply: the session stays
        await reader.read()
        writer.close()

    # All of 127.0.0.0/8 is this host.
    server = await asyncio.start_server(greet, "0.0.0.0", 0)  # noqa: S104
    port, web_port = server.sockets[0].getsockname()[1], free_port()
    daemons = (f"--openvpn.management=127.0.0.{number}:{port}" for number in range(1, DAEMONS + 1))
    flags = ("--web.listen-address", f"127.0.0.1:{web_port}", "--log.level", "error", *daemons)
    async with server:
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, *flags)
        try:
            async with asyncio.timeout(TEST_TIMEOUT):
                await crowded.wait()
            await asyncio.sleep(1)  # for those that found no descriptor
            page = await scrape(web_port)
            assert page.count("\nopenvpn_up{") == DAEMONS
        finally:
            process.terminate()
            await process.wait()


async def scrape(port: int) -> str:
    """Return the page."""
    async with asyncio.timeout(TEST_TIMEOUT):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /metrics HTTP/1.0\r\n\r\n")
        page = await reader.read()
        writer.close()
        return page.decode()
