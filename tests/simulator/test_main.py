import asyncio
import signal
import sys

import pytest

from tests.simulator.raw_client import greeted_client


async def start(
    *arguments: str, stdin: int = asyncio.subprocess.PIPE
) -> tuple[asyncio.subprocess.Process, list[str]]:
    """Start the simulator as a process; return it with the addresses it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "exporter.simulator",
        *arguments,
        stdin=stdin,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    addresses = []
    while address := (await process.stdout.readline()).decode().strip():
        addresses.append(address)
    return process, addresses


async def test_it_prints_addresses_and_serves_until_its_input_ends() -> None:
    process, addresses = await start("--servers", "2", "--tunnels", "1", "--clients", "3")
    assert len(addresses) == 3
    async with greeted_client(addresses[1]) as client:
        assert (await client.ask("load-stats"))[0].startswith("SUCCESS: nclients=3,")
    assert process.stdin is not None
    process.stdin.close()
    assert await process.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_serves_until_a_signal(number: signal.Signals) -> None:
    process, addresses = await start("--demo", stdin=asyncio.subprocess.DEVNULL)
    assert len(addresses) == 4
    async with greeted_client(addresses[0]) as client:
        assert (await client.ask("status 3"))[-1] == "END"
    process.send_signal(number)
    assert await process.wait() == 0
