"""`serve`: watch the daemons of the configuration and answer scrapes, until told to stop."""

import argparse
import asyncio
import contextlib
import functools
import gc
import logging
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from exporter import app
from exporter.cli import flags
from exporter.cli.command import Command, CommandFailed, Exit
from exporter.cli.options import add_source, check_source, configuration
from exporter.config import Config, ConfigError
from exporter.log import Level, event
from exporter.web.auth import PolicyFile
from exporter.web.listener import BoundAddress, ListenAddress, listen_fds, parse_listen_address

_log = logging.getLogger(__name__)


def _add_flags(parser: argparse.ArgumentParser) -> None:
    add_source(parser)
    flags.add_web(parser)


def _run(parsed: argparse.Namespace) -> Exit:
    check_source(parsed)
    read = functools.partial(configuration, parsed)
    asyncio.run(_serve(read(), read, parsed))
    return Exit.DONE


async def _serve(config: Config, read: Callable[[], Config], parsed: argparse.Namespace) -> None:
    async with serve_until_signal(config, parsed, read=read):
        pass


@contextlib.asynccontextmanager
async def serve_until_signal(
    config: Config, parsed: argparse.Namespace, *, read: Callable[[], Config] | None = None
) -> AsyncIterator[app.RunningApp]:
    """Serve by the flags of `add_web`; leaving the block waits for SIGINT or SIGTERM.

    SIGHUP reloads the configuration by `read`.

    Raises:
        CommandFailed: an address can't be listened on, or systemd passed no socket.
        ConfigError: the web configuration is wrong.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    hang_up = asyncio.Event()
    loop.add_signal_handler(signal.SIGHUP, hang_up.set)
    rules = await asyncio.to_thread(PolicyFile, parsed.web_config)
    serving = app.run_app(
        config,
        listen=_addresses(parsed),
        inherited=_inherited(parsed),
        telemetry_path=parsed.telemetry_path,
        rules=rules,
        read=read,
        external=parsed.external,
    )
    async with contextlib.AsyncExitStack() as stack:
        try:
            served = await stack.enter_async_context(serving)
        except OSError as error:
            raise CommandFailed(f"cannot serve: {error}") from error
        reloading = asyncio.create_task(_reload_at(hang_up, served.reload))
        stack.callback(reloading.cancel)
        # What was imported stays: the collector needn't go over it again at every full run.
        gc.freeze()
        yield served
        await stop.wait()


def _addresses(parsed: argparse.Namespace) -> Sequence[ListenAddress]:
    if parsed.systemd_socket:
        return ()
    return parsed.listen or [parse_listen_address(flags.DEFAULT_ADDRESS)]


def _inherited(parsed: argparse.Namespace) -> Sequence[BoundAddress]:
    if not parsed.systemd_socket:
        return ()
    try:
        return listen_fds(os.environ)
    except ValueError as error:
        raise CommandFailed(f"cannot serve: {error}") from error


async def _reload_at(hang_up: asyncio.Event, reload: Callable[[], Awaitable[object]]) -> None:
    """Reload at each signal; several that come during one reload are one."""
    while await hang_up.wait():
        hang_up.clear()
        try:
            await reload()
        except ConfigError:
            pass  # every problem was logged
        except Exception as error:  # noqa: BLE001 -- a bug must not end later reloads
            event(_log, Level.ERROR, "bug: the reload failed", cause=error)


COMMAND = Command(
    name="serve",
    summary="serve the metrics of the configured daemons",
    add_flags=_add_flags,
    run=_run,
)
