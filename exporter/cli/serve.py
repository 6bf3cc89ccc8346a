"""`serve`: watch the daemons of the configuration and answer scrapes, until told to stop."""

import argparse
import asyncio
import contextlib
import gc
import signal
from collections.abc import AsyncIterator

from exporter import app
from exporter.cli import flags
from exporter.cli.command import Command, CommandFailed, Exit
from exporter.cli.source import add_source, check_source, configuration
from exporter.config import Config
from exporter.web.listening import parse_listen_address


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
        CommandFailed: an address can't be listened on.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    listen = parsed.listen or [parse_listen_address(flags.DEFAULT_ADDRESS)]
    serving = app.serving(config, listen=listen, telemetry_path=parsed.telemetry_path)
    async with contextlib.AsyncExitStack() as stack:
        try:
            served = await stack.enter_async_context(serving)
        except OSError as error:
            raise CommandFailed(f"cannot serve: {error}") from error
        # What was imported stays: the collector needn't go over it again at every full run.
        gc.freeze()
        yield served
        await stop.wait()


COMMAND = Command(
    name="serve",
    summary="serve the metrics of the configured daemons",
    add_flags=_add_flags,
    run=_run,
)
