"""`python -m bench.daemon [--clients N]`: what our questions cost a real OpenVPN server.

Runs a server and as many clients in a network of their own, asks each command a few hundred times
over one session, and prints per question the processor time of the daemon, which is one thread
and moves no packet meanwhile, and the time until the reply was whole. Needs `openvpn` and root.
"""

import argparse
import asyncio
import contextlib
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from bench.figures import MILLI
from bench.process import processor_seconds
from bench.progress import say
from exporter.management.commands import Command
from exporter.management.endpoint import parse_endpoint
from exporter.transport.connection import Connection
from exporter.transport.opening import opener
from exporter.transport.stream import READ_SIZE, Stream
from tests.real import namespace
from tests.real.client import client
from tests.real.lab import Lab
from tests.real.management import TcpAddress
from tests.real.server import Server, server

_COMMANDS = (Command.LOAD_STATS, Command.STATUS_1, Command.STATUS_2, Command.STATUS_3)
_BATCH = 8
_TIMEOUT = 10.0
_MICRO = 1e6
_QUIET = ("--keepalive", "60", "600", "--max-clients", "1000")
"""So that next to nothing but our questions keeps the server busy."""


class Patient(Stream, frozen=True):
    """A stream that leaves acknowledging to the kernel."""

    async def read(self) -> bytes:
        """Return what has come."""
        return await self.reader.read(READ_SIZE)


class Cost(msgspec.Struct, frozen=True):
    """What one question costs on average: seconds of the daemon, and of waiting (median)."""

    processor: float
    wall: float


def main() -> None:
    """Measure, and print a table in Markdown."""
    parser = argparse.ArgumentParser(prog="python -m bench.daemon")
    parser.add_argument("--clients", type=int, default=200, help="at the end of the climb (200)")
    parser.add_argument("--calls", type=int, default=300, help="questions of each kind (300)")
    arguments = parser.parse_args()
    namespace.enter()
    with TemporaryDirectory() as directory:
        asyncio.run(_measure(Path(directory), arguments.clients, arguments.calls))


async def _measure(directory: Path, clients: int, calls: int) -> None:
    lab = Lab.furnish(directory)
    print("| clients | interface | command | daemon | a client | answered after |")
    print("|---|---|---|---|---|---|")
    for management in (lab.tcp(), lab.unix()):
        async with contextlib.AsyncExitStack() as stack:
            office = await stack.enter_async_context(server(lab, *_QUIET, management=management))
            connected = 0
            for step in sorted({1, clients // 4, clients // 2, clients}):
                say(f"{step} clients")
                await _connect(stack, office, range(connected, step))
                connected = step
                await _rows(office, step, calls)


async def _connect(stack: contextlib.AsyncExitStack, office: Server, numbers: range) -> None:
    """Let more clients in, a few at a time: each costs a handshake."""
    for start in range(numbers.start, numbers.stop, _BATCH):
        batch = range(start, min(start + _BATCH, numbers.stop))
        coming = (client(office, f"client-{number}") for number in batch)
        await asyncio.gather(*map(stack.enter_async_context, coming))


async def _rows(office: Server, clients: int, calls: int) -> None:
    """Print what each command costs, and what waiting for acknowledgements would add on TCP."""
    tcp = isinstance(office.management.address, TcpAddress)
    for command in _COMMANDS:
        cost = await _ask(office, command, calls, at_once=True)
        _print(clients, cost, interface="TCP" if tcp else "Unix", command=command)
    if tcp:
        cost = await _ask(office, Command.STATUS_3, max(1, calls // 10), at_once=False)
        _print(clients, cost, interface="TCP, acknowledged late", command=Command.STATUS_3)


def _print(clients: int, cost: Cost, *, interface: str, command: Command) -> None:
    print(
        f"| {clients} | {interface} | `{command.text}` | {cost.processor * _MICRO:.0f} µs "
        f"| {cost.processor / clients * _MICRO:.1f} µs | {cost.wall * MILLI:.2f} ms |",
        flush=True,
    )


async def _ask(office: Server, command: Command, calls: int, *, at_once: bool) -> Cost:
    endpoint = parse_endpoint(str(office.management.address))
    stream = await opener(endpoint, timeout=_TIMEOUT).open()
    if not at_once:
        stream = Patient(stream.reader, stream.writer, stream.peer)
    connection = Connection(stream, timeout=_TIMEOUT)
    await connection.log_in(None)
    try:
        return await _cost(connection, office.daemon.pid, (command, calls))
    finally:
        await connection.close()


async def _cost(connection: Connection, pid: int, question: tuple[Command, int]) -> Cost:
    command, calls = question
    spent, walls = processor_seconds(pid), []
    for _ in range(calls):
        asked = time.perf_counter()
        await connection.request(command)
        walls.append(time.perf_counter() - asked)
    return Cost((processor_seconds(pid) - spent) / calls, statistics.median(walls))


if __name__ == "__main__":
    main()
