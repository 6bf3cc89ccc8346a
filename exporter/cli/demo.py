"""`demo`: serve the metrics of a simulated fleet, without OpenVPN and configuration."""

import argparse
import asyncio

from exporter.cli.options import add_web_flags
from exporter.cli.serve import end_threads, serve_until_signal
from exporter.cli.subcommand import Exit
from exporter.config import Config, DaemonConfig
from exporter.config.pki import PkiConfig
from exporter.management.endpoint import parse_endpoint

POLL_INTERVAL = 5.0

add_flags = add_web_flags


def run(parsed: argparse.Namespace) -> Exit:
    """Serve a simulated fleet until a signal stops the program."""
    asyncio.run(_serve_fleet(parsed))
    end_threads()
    return Exit.DONE


async def _serve_fleet(parsed: argparse.Namespace) -> None:
    # The import takes time that the other commands should not spend.
    from exporter.simulator.fleet import Fleet  # noqa: PLC0415

    async with Fleet.demo() as fleet:
        daemons = tuple(
            DaemonConfig(
                name=daemon.name,
                management=parse_endpoint(daemon.address),
                max_clients=daemon.max_clients,
                expected_clients=daemon.expected_clients,
                cert=daemon.files.cert,
                ca=daemon.files.ca,
                crl_verify=daemon.files.crl_verify,
            )
            for daemon in fleet.daemons
        )
        config = Config(
            daemons=daemons,
            expected_clients=fleet.expected_clients,
            poll_interval=POLL_INTERVAL,
            pki=PkiConfig(index=fleet.index, series=True),
        )
        async with serve_until_signal(config, parsed) as running:
            _print_urls(running.urls[0], parsed.telemetry_path)


def _print_urls(url: str, telemetry_path: str) -> None:
    print(
        f"\nServing the metrics of a simulated fleet:\n\n"
        f"    {url}/            the daemons\n"
        f"    {url}{telemetry_path}     their metrics\n\n"
        "Press Ctrl-C to stop.\n",
        flush=True,
    )
