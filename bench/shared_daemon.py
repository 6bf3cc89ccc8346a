"""`python -m bench.shared_daemon [--clients N]`: what tools cost a real OpenVPN server.

Tools open a page each second, as openvpn-monitor does: one directly, then one and ten through an
exporter that shares the daemon. Prints the CPU time of the daemon and the commands in its log, for
a minute each. Needs `openvpn` and root.
"""

import argparse
import asyncio
import contextlib
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from bench.daemon import QUIET, connect_clients
from bench.management_tool import poll_each_second
from bench.process import cpu_seconds
from bench.report import progress
from bench.result import format_ms
from exporter.config.share import ShareConfig
from exporter.management.endpoint import TcpEndpoint
from tests.real import namespace
from tests.real.lab import Lab
from tests.real.log_reader import commands
from tests.real.management import LOOPBACK
from tests.real.scraping import daemon_config, scraping
from tests.real.server import Server, server

_MINUTE = 60.0
_POLL_INTERVAL = 15.0


def main() -> None:
    """Measure, and print a table in Markdown."""
    parser = argparse.ArgumentParser(prog="python -m bench.shared_daemon")
    parser.add_argument("--clients", type=int, default=50, help="connected VPN clients (50)")
    parser.add_argument("--seconds", type=float, default=_MINUTE, help="for each row (60)")
    arguments = parser.parse_args()
    namespace.enter()
    with TemporaryDirectory() as directory:
        asyncio.run(_measure(Path(directory), arguments.clients, arguments.seconds))


async def _measure(directory: Path, clients: int, seconds: float) -> None:
    lab = Lab.create(directory)
    port = lab.port()
    async with contextlib.AsyncExitStack() as stack:
        office = await stack.enter_async_context(server(lab, *QUIET))
        await connect_clients(stack, office, range(clients))
        print("| tools | exporter | CPU time of the daemon in a minute | commands in its log |")
        print("|---|---|---|---|")
        for count in (0, 1):
            await _row(office, count, seconds, address=str(office.management.address))
        share = ShareConfig(listen=(TcpEndpoint(LOOPBACK, port),))
        config = msgspec.structs.replace(daemon_config(office.management), share=share)
        async with scraping(config, poll_interval=_POLL_INTERVAL) as scraper:
            await scraper.wait_up()
            for count in (0, 1, 10):
                address = f"{LOOPBACK}:{port}"
                await _row(office, count, seconds, address=address, exporter="shares")


async def _row(
    office: Server, tools: int, seconds: float, *, address: str, exporter: str = "none"
) -> None:
    progress(f"{tools} tools, exporter: {exporter}")
    cpu, logged = cpu_seconds(office.daemon.pid), len(commands(office.daemon))
    await asyncio.to_thread(poll_each_second, address, tools, seconds)
    cpu = (cpu_seconds(office.daemon.pid) - cpu) * _MINUTE / seconds
    logged = len(commands(office.daemon)) - logged
    per_minute = logged * _MINUTE / seconds
    print(f"| {tools} | {exporter} | {format_ms(cpu)} | {per_minute:.0f} |", flush=True)


if __name__ == "__main__":
    main()
