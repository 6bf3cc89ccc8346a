"""`serve`: watch the daemons of the configuration and answer scrapes, until told to stop."""

import argparse
import asyncio
import contextlib
import gc
import os
import signal
from collections.abc import AsyncIterator, Sequence

from exporter import app
from exporter.cli import flags
from exporter.cli.command import Command, CommandFailed, Exit
from exporter.cli.source import add_source, check_source, configuration
from exporter.config import Config
from exporter.web.access import Rules
from exporter.web.listening import ListenAddress, Place, inherited, parse_listen_address


def _add_flags(parser: argparse.ArgumentParser) -> None:
    add_source(parser)
    flags.add_web(parser)


def _run(parsed: argparse.Namespace) -> Exit:
    check_source(parsed)
    asyncio.run(_serve(configuration(parsed), parsed))
    return Exit.DONE


async def _serve(config: Config, parsed: argparse.Namespace) -> None:
    async with until_told(config, parsed):
        pass


@contextlib.asynccontextmanager
async def until_told(config: Config, parsed: argparse.Namespace) -> AsyncIterator[app.Serving]:
    """Serve by the flags of `add_web`; leaving the block waits for SIGINT or SIGTERM.

    Raises:
        CommandFailed: an address can't be listened on, or systemd handed over no socket.
        ConfigError: the web configuration is wrong.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    rules = await asyncio.to_thread(Rules, parsed.web_config)
    serving = app.serving(
        config,
        listen=_addresses(parsed),
        inherited=_inherited(parsed),
        telemetry_path=parsed.telemetry_path,
        rules=rules,
    )
    async with contextlib.AsyncExitStack() as stack:
        try:
            served = await stack.enter_async_context(serving)
        except OSError as error:
            raise CommandFailed(f"cannot serve: {error}") from error
        # What was imported stays: the collector needn't go over it again at every full run.
        gc.freeze()
        yield served
        await stop.wait()


def _addresses(parsed: argparse.Namespace) -> Sequence[ListenAddress]:
    if parsed.systemd_socket:
        return ()
    return parsed.listen or [parse_listen_address(flags.DEFAULT_ADDRESS)]


def _inherited(parsed: argparse.Namespace) -> Sequence[Place]:
    if not parsed.systemd_socket:
        return ()
    try:
        return inherited(os.environ)
    except ValueError as error:
        raise CommandFailed(f"cannot serve: {error}") from error


COMMAND = Command(
    name="serve",
    summary="serve the metrics of the configured daemons",
    add_flags=_add_flags,
    run=_run,
)
