"""Sharing in the whole application: from the configuration to the end."""

import asyncio
import contextlib
from pathlib import Path

import aiohttp
import msgspec

from exporter.app import run_app
from exporter.config import Config, DaemonConfig
from exporter.management.endpoint import UnixEndpoint, parse_endpoint
from exporter.simulator import Fleet
from exporter.web.listener import parse_listen_address
from tests.fake_daemon import TEST_TIMEOUT
from tests.sharing.harness import connected, share_config

ANY_PORT = (parse_listen_address("127.0.0.1:0"),)


async def greeted(address: UnixEndpoint) -> None:
    """Wait until a tool is greeted: until then it is disconnected, or nothing listens."""
    async with asyncio.timeout(TEST_TIMEOUT):
        while True:
            try:
                async with connected(address) as tool:
                    if (await tool.reader.read(1)) == b">":
                        return
            except OSError:
                pass
            await asyncio.sleep(0)


async def get(url: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return await response.text()


def sockets(directory: Path) -> list[Path]:
    return list(directory.iterdir())


def config(daemon: DaemonConfig, *addresses: UnixEndpoint) -> Config:
    shared = msgspec.structs.replace(daemon, share=share_config(*addresses))
    return Config(daemons=(shared,), poll_interval=1.0)


async def test_a_share_from_the_configuration_to_the_end(tmp_path: Path) -> None:
    address, added = (UnixEndpoint(str(tmp_path / name)) for name in ("a.sock", "b.sock"))
    async with Fleet.demo() as fleet, contextlib.AsyncExitStack() as tools:
        simulated = next(each for each in fleet.daemons if each.name == "office")
        office = DaemonConfig(name="office", management=parse_endpoint(simulated.address))
        current = [config(office, address)]
        async with run_app(
            current[0], listen=ANY_PORT, telemetry_path="/metrics", load_config=lambda: current[0]
        ) as running:
            await greeted(address)
            idle = await tools.enter_async_context(connected(address))
            silent = await tools.enter_async_context(connected(address))
            silent.send(b"status 3\n" * 50)
            await idle.read_line()
            page = await get(f"{running.urls[0]}/metrics")
            assert 'openvpn_exporter_shared_tools{daemon="office"} 2' in page
            assert "a.sock: 2 tools" in await get(running.urls[0])
            current[0] = config(office, address, added)
            await running.reload()
            await greeted(added)
            refusal = b"ERROR: read-only: 'kill' is not allowed here\r\n"
            assert await idle.ask(b"kill x") == refusal
            page = await get(f"{running.urls[0]}/metrics")
            assert 'command="other",outcome="refused"} 1' in page
        assert await idle.rest() == b""
        await silent.rest()
    assert sockets(tmp_path) == []
