"""The command line: flags to options, failures to exit codes.

0: ended as asked; 1: could not serve; 2: the configuration or a flag is wrong.
"""

import argparse
import asyncio
import contextlib
import gc
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import msgspec

from exporter import __version__, app, log
from exporter.config import Config, ConfigError, DaemonConfig, from_addresses, load
from exporter.management.endpoint import parse_endpoint
from exporter.web.listening import ListenAddress, parse_listen_address
from exporter.web.server import check_telemetry_path

DEFAULT_ADDRESS = ":9176"

DEMO_POLL_INTERVAL = 5.0

_EXIT_FAILED = 1
_EXIT_USAGE = 2


class Options(msgspec.Struct, frozen=True):
    """What the command line says."""

    command: str
    config_file: Path | None
    management: tuple[str, ...]
    listen: tuple[ListenAddress, ...]
    telemetry_path: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program with these arguments, the process's own by default; return its exit code."""
    parser = _parser()
    parsed = parser.parse_args(arguments)
    _check_source(parser, parsed)
    log.configure(log.Level(parsed.log_level), log.Layout(parsed.log_format))
    options = _options(parsed)
    try:
        asyncio.run(_run(options))
    except ConfigError as error:
        print(error, file=sys.stderr)
        return _EXIT_USAGE
    except OSError as error:
        print(f"openvpn-exporter: cannot serve: {error}", file=sys.stderr)
        return _EXIT_FAILED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="openvpn-exporter",
        description="Prometheus exporter for OpenVPN, by its management interface.",
        epilog="Example: openvpn-exporter --openvpn.management 127.0.0.1:7505",
    )
    parser.add_argument(
        "command",
        nargs="?",
        choices=("serve", "demo"),
        default="serve",
        help="serve the daemons of the configuration (default), or a simulated fleet",
    )
    parser.add_argument("--version", action="version", version=f"openvpn-exporter {__version__}")
    _add_source(parser)
    _add_web(parser)
    _add_log(parser)
    return parser


def _add_source(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--config.file", dest="config_file", type=Path, metavar="FILE", help="configuration (YAML)"
    )
    source.add_argument(
        "--openvpn.management",
        dest="management",
        action="append",
        metavar="ADDRESS",
        help="watch the daemon at this address, without a configuration file; repeatable: "
        "127.0.0.1:7505, unix:/run/openvpn/office.sock, listen:127.0.0.1:7600",
    )


def _add_web(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--web.listen-address",
        dest="listen",
        action="append",
        type=_listen_address,
        metavar="ADDRESS",
        help=f"where to serve (default {DEFAULT_ADDRESS}); repeatable",
    )
    parser.add_argument(
        "--web.telemetry-path",
        dest="telemetry_path",
        type=_path,
        default="/metrics",
        metavar="PATH",
        help="path of the metrics (default %(default)s)",
    )


def _add_log(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--log.level",
        dest="log_level",
        choices=[level.value for level in log.Level],
        default=log.Level.INFO.value,
        help="least level to log (default %(default)s)",
    )
    parser.add_argument(
        "--log.format",
        dest="log_format",
        choices=[layout.value for layout in log.Layout],
        default=log.Layout.LOGFMT.value,
        help="how to log (default %(default)s)",
    )


def _check_source(parser: argparse.ArgumentParser, parsed: argparse.Namespace) -> None:
    """Exit unless the daemons come from one place: a file, addresses, or the demo."""
    named = parsed.config_file is not None or parsed.management is not None
    if parsed.command == "demo" and named:
        parser.error("'demo' watches its own fleet: leave out --config.file, --openvpn.management")
    if parsed.command == "serve" and not named:
        parser.error(
            "no daemon to watch: name a configuration with --config.file, or an address with "
            "--openvpn.management; 'openvpn-exporter demo' needs neither"
        )


def _listen_address(text: str) -> ListenAddress:
    try:
        return parse_listen_address(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _path(text: str) -> str:
    try:
        return check_telemetry_path(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _options(parsed: argparse.Namespace) -> Options:
    return Options(
        command=parsed.command,
        config_file=parsed.config_file,
        management=tuple(parsed.management or ()),
        listen=tuple(parsed.listen or (parse_listen_address(DEFAULT_ADDRESS),)),
        telemetry_path=parsed.telemetry_path,
    )


async def _run(options: Options) -> None:
    """Serve until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with (
        _config(options) as config,
        app.serving(
            config, listen=options.listen, telemetry_path=options.telemetry_path
        ) as serving,
    ):
        # What was imported stays: the collector needn't go over it again at every full run.
        gc.freeze()
        if options.command == "demo":
            _invite(serving.urls[0], options.telemetry_path)
        await stop.wait()


@contextlib.asynccontextmanager
async def _config(options: Options) -> AsyncIterator[Config]:
    """Give the configuration, and what stands behind it while the block runs."""
    if options.command == "demo":
        # Nobody who serves real daemons pays for the simulator.
        from exporter.simulator.fleet import Fleet  # noqa: PLC0415

        async with Fleet.demo() as fleet:
            daemons = tuple(
                DaemonConfig(name=daemon.name, management=parse_endpoint(daemon.address))
                for daemon in fleet.daemons
            )
            yield Config(daemons=daemons, poll_interval=DEMO_POLL_INTERVAL)
    elif options.config_file is not None:
        yield load(options.config_file)
    else:
        yield from_addresses(options.management)


def _invite(url: str, telemetry_path: str) -> None:
    print(
        f"\nA simulated fleet is being watched. Look at\n\n"
        f"    {url}/            the daemons\n"
        f"    {url}{telemetry_path}     their metrics\n\n"
        "Ctrl-C ends it.\n",
        flush=True,
    )
