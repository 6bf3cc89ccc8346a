"""`python -m exporter.simulator`: simulated daemons in a process of their own.

Prints one address per line and then a blank line. Serves until SIGTERM, SIGINT or, if standard
input is a pipe, its end.
"""

import argparse
import asyncio
import contextlib
import dataclasses
import os
import signal
import stat
import sys
from argparse import Namespace

from exporter.simulator.fleet import Fleet
from exporter.simulator.population.profile import BUSY, STATIC
from exporter.simulator.simulated_daemon import (
    ManagementOptions,
    simulated_server,
    simulated_tunnel,
)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m exporter.simulator", description="Simulated OpenVPN daemons."
    )
    parser.add_argument("--servers", type=int, default=1, help="daemons in server mode (1)")
    parser.add_argument("--tunnels", type=int, default=0, help="daemons in client mode (0)")
    parser.add_argument("--clients", type=int, default=10, help="clients of each server (10)")
    parser.add_argument(
        "--seed", type=int, default=1, help="the same seed gives the same clients and events"
    )
    parser.add_argument("--password", help="the management password (none)")
    parser.add_argument("--churn", action="store_true", help="let clients connect and disconnect")
    parser.add_argument(
        "--session",
        type=float,
        metavar="SECONDS",
        default=BUSY.session_seconds,
        help=f"mean length of a session with --churn ({BUSY.session_seconds:g}); pauses have half",
    )
    parser.add_argument(
        "--hostile-names", action="store_true", help="give some clients hostile names"
    )
    parser.add_argument("--demo", action="store_true", help="serve the fleet of the demo instead")
    return parser


async def _start(stack: contextlib.AsyncExitStack, arguments: Namespace) -> list[str]:
    """Serve the daemons until the stack closes; return their addresses."""
    if arguments.demo:
        fleet = await stack.enter_async_context(Fleet.demo(seed=arguments.seed))
        return [daemon.address for daemon in fleet.daemons]
    access = ManagementOptions(password=arguments.password)
    churn = dataclasses.replace(
        BUSY, session_seconds=arguments.session, absence_seconds=arguments.session / 2
    )
    servers = [
        simulated_server(
            clients=arguments.clients,
            seed=arguments.seed + index,
            profile=churn if arguments.churn else STATIC,
            hostile_names=arguments.hostile_names,
            management=access,
        )
        for index in range(arguments.servers)
    ]
    tunnels = [
        simulated_tunnel(seed=arguments.seed + index, management=access)
        for index in range(arguments.tunnels)
    ]
    daemons = [await stack.enter_async_context(daemon) for daemon in (*servers, *tunnels)]
    return [daemon.address for daemon in daemons]


def _stop_event() -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def _wait_for_stop(stop: asyncio.Event) -> None:
    """Wait for the event or for the end of a piped standard input, whichever comes first."""
    if not stat.S_ISFIFO(os.fstat(sys.stdin.fileno()).st_mode):
        await stop.wait()
        return
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    ends = [asyncio.create_task(stop.wait()), asyncio.create_task(reader.read())]
    _, pending = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    transport.close()


async def _run(arguments: Namespace) -> None:
    stop = _stop_event()
    async with contextlib.AsyncExitStack() as stack:
        addresses = await _start(stack, arguments)
        sys.stdout.write("".join(f"{address}\n" for address in addresses) + "\n")
        sys.stdout.flush()
        await _wait_for_stop(stop)


if __name__ == "__main__":
    asyncio.run(_run(_parser().parse_args()))
