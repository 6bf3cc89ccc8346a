"""`python -m bench.daemon [--clients N]`: cost of each command in a real OpenVPN server.

Runs a server and its clients in network namespaces, sends each command some hundred times over one
session, and prints per command the CPU time of the daemon and the time until the reply is complete.
The daemon has one thread and forwards no packets meanwhile. Needs `openvpn` and root.
"""

import argparse
import asyncio
import contextlib
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import msgspec

from bench.process import cpu_seconds
from bench.report import progress
from bench.result import MILLI
from exporter.management.commands import Command
from exporter.management.endpoint import parse_endpoint
from exporter.transport import stream
from exporter.transport.connection import Connection
from exporter.transport.connector import connector_for
from tests.real import namespace
from tests.real.client import client
from tests.real.lab import Lab
from tests.real.management import TcpAddress
from tests.real.server import Server, server

_COMMANDS = (Command.LOAD_STATS, Command.STATUS_1, Command.STATUS_3)
_BATCH = 8
_TIMEOUT = 10.0
_MICRO = 1e6
QUIET = ("--keepalive", "60", "600", "--max-clients", "1000")
"""Rare keepalives, so that the commands are nearly all that the server works on."""


class Cost(msgspec.Struct, frozen=True):
    """Seconds per command: mean CPU time of the daemon, and median time until the reply."""

    cpu: float
    wall: float


def main() -> None:
    """Measure, and print a table in Markdown."""
    parser = argparse.ArgumentParser(prog="python -m bench.daemon")
    parser.add_argument(
        "--clients", type=int, default=200, help="largest number of clients (default: 200)"
    )
    parser.add_argument(
        "--calls", type=int, default=300, help="repetitions of each command (default: 300)"
    )
    arguments = parser.parse_args()
    namespace.enter()
    with TemporaryDirectory() as directory:
        asyncio.run(_measure(Path(directory), arguments.clients, arguments.calls))


async def _measure(directory: Path, clients: int, calls: int) -> None:
    lab = Lab.create(directory)
    print("| clients | interface | command | CPU time | per client | duration |")
    print("|---|---|---|---|---|---|")
    for management in (lab.tcp(), lab.unix()):
        async with contextlib.AsyncExitStack() as stack:
            office = await stack.enter_async_context(server(lab, *QUIET, management=management))
            connected = 0
            for step in sorted({1, clients // 4, clients // 2, clients}):
                progress(f"{step} clients")
                await connect_clients(stack, office, range(connected, step))
                connected = step
                await _rows(office, step, calls)


async def connect_clients(stack: contextlib.AsyncExitStack, office: Server, numbers: range) -> None:
    """Connect more clients in batches, since each needs a TLS handshake."""
    for start in range(numbers.start, numbers.stop, _BATCH):
        batch = range(start, min(start + _BATCH, numbers.stop))
        clients = (client(office, f"client-{number}") for number in batch)
        await asyncio.gather(*map(stack.enter_async_context, clients))


async def _rows(office: Server, clients: int, calls: int) -> None:
    """Print the cost of each command, on TCP also with delayed acknowledgements."""
    tcp = isinstance(office.management.address, TcpAddress)
    for command in _COMMANDS:
        cost = await _measure_command(office, command, calls, quick_ack=True)
        _print(clients, cost, interface="TCP" if tcp else "Unix", command=command)
    if tcp:
        cost = await _measure_command(
            office, Command.STATUS_3, max(1, calls // 10), quick_ack=False
        )
        _print(clients, cost, interface="TCP, delayed ACK", command=Command.STATUS_3)


def _print(clients: int, cost: Cost, *, interface: str, command: Command) -> None:
    print(
        f"| {clients} | {interface} | `{command.text}` | {cost.cpu * _MICRO:.0f} µs "
        f"| {cost.cpu / clients * _MICRO:.1f} µs | {cost.wall * MILLI:.2f} ms |",
        flush=True,
    )


async def _measure_command(
    office: Server, command: Command, calls: int, *, quick_ack: bool
) -> Cost:
    endpoint = parse_endpoint(str(office.management.address))
    connection = Connection(
        await connector_for(endpoint, timeout=_TIMEOUT).connect(), timeout=_TIMEOUT
    )
    with contextlib.ExitStack() as stack:
        if not quick_ack:  # the kernel's default: delayed acknowledgements
            stack.enter_context(mock.patch.object(stream, "_TCP_QUICKACK", None))
        await connection.log_in(None)
        try:
            return await _cost(connection, office.daemon.pid, (command, calls))
        finally:
            await connection.close()


async def _cost(connection: Connection, pid: int, repeated: tuple[Command, int]) -> Cost:
    command, calls = repeated
    spent, walls = cpu_seconds(pid), []
    for _ in range(calls):
        started_at = time.perf_counter()
        await connection.request(command)
        walls.append(time.perf_counter() - started_at)
    return Cost((cpu_seconds(pid) - spent) / calls, statistics.median(walls))


if __name__ == "__main__":
    main()
