"""`demo`: serve over a simulated fleet; needs neither OpenVPN nor a configuration."""

import argparse
import asyncio

from exporter.cli import flags
from exporter.cli.command import Command, Exit
from exporter.cli.serve import serve_until_signal
from exporter.config import Config, DaemonConfig
from exporter.management.endpoint import parse_endpoint

POLL_INTERVAL = 5.0


def _run(parsed: argparse.Namespace) -> Exit:
    asyncio.run(_demonstrate(parsed))
    return Exit.DONE


async def _demonstrate(parsed: argparse.Namespace) -> None:
    # Nobody who serves real daemons pays for the simulator.
    from exporter.simulator.fleet import Fleet  # noqa: PLC0415

    async with Fleet.demo() as fleet:
        daemons = tuple(
            DaemonConfig(
                name=daemon.name,
                management=parse_endpoint(daemon.address),
                max_clients=daemon.max_clients,
                expected_clients=daemon.expected_clients,
            )
            for daemon in fleet.daemons
        )
        config = Config(daemons=daemons, poll_interval=POLL_INTERVAL)
        async with serve_until_signal(config, parsed) as serving:
            _invite(serving.urls[0], parsed.telemetry_path)


def _invite(url: str, telemetry_path: str) -> None:
    print(
        f"\nA simulated fleet is being watched. Look at\n\n"
        f"    {url}/            the daemons\n"
        f"    {url}{telemetry_path}     their metrics\n\n"
        "Ctrl-C ends it.\n",
        flush=True,
    )


COMMAND = Command(
    name="demo",
    summary="serve a simulated fleet, to look around without OpenVPN",
    add_flags=flags.add_web,
    run=_run,
)
