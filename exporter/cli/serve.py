"""`serve`: serve the metrics of the configured daemons until a signal stops the program."""

import argparse
import asyncio
import contextlib
import errno
import functools
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from exporter import app
from exporter.aio import join_daemon_threads, run_in_daemon_thread
from exporter.cli.options import (
    DEFAULT_ADDRESS,
    add_daemon_flags,
    add_web_flags,
    check_daemon_flags,
    load_config,
)
from exporter.cli.subcommand import CommandFailed, Exit
from exporter.config import Config, ConfigError, check_not_empty
from exporter.garbage import collecting
from exporter.log import Level, event
from exporter.web.auth import PolicyFile
from exporter.web.listener import BoundAddress, ListenAddress, listen_fds, parse_listen_address

PIPE_TIMEOUT = 2.0
"""Seconds for a pipe in the place of the configuration to end, at a reload."""

THREADS_TIMEOUT = 0.3
"""Seconds for threads after the end of the event loop: SIGTERM takes a second at most."""

_REMEDIES = {
    errno.EADDRINUSE: "stop the program that listens there, or set another --web.listen-address",
    errno.EACCES: "a port below 1024 needs a privilege: set another --web.listen-address",
}

_log = logging.getLogger(__name__)


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Define the flags of the command."""
    add_daemon_flags(parser)
    add_web_flags(parser)


def run(parsed: argparse.Namespace) -> Exit:
    """Serve until a signal stops the program."""
    check_daemon_flags(parsed)
    config = load_config(parsed)
    check_not_empty(config)
    asyncio.run(
        _serve(config, functools.partial(load_config, parsed, pipe_timeout=PIPE_TIMEOUT), parsed)
    )
    end_threads()
    return Exit.DONE


def end_threads() -> None:
    """Wait for blocking work; end the process here if that takes too long.

    It can be a password check, or a file system that hangs. The interpreter must not end before.
    """
    if join_daemon_threads(THREADS_TIMEOUT):
        return
    logging.shutdown()
    with contextlib.suppress(OSError, ValueError):  # closed
        sys.stdout.flush()
    os._exit(Exit.DONE)


async def _serve(config: Config, load: Callable[[], Config], parsed: argparse.Namespace) -> None:
    async with serve_until_signal(config, parsed, load=load):
        pass


@contextlib.asynccontextmanager
async def serve_until_signal(
    config: Config, parsed: argparse.Namespace, *, load: Callable[[], Config] | None = None
) -> AsyncIterator[app.RunningApp]:
    """Serve by the flags of `add_web_flags`; leaving the block waits for SIGINT or SIGTERM.

    SIGHUP reloads the configuration with `load`.

    Raises:
        CommandFailed: an address can't be listened on, or systemd passed no socket.
        ConfigError: the web configuration is invalid.
        SystemExit: a signal came before the web configuration was read.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    sighup = asyncio.Event()
    loop.add_signal_handler(signal.SIGHUP, sighup.set)
    web_policy = PolicyFile()
    if parsed.web_config is not None:
        web_policy = await _load_unless_stopped(stop, lambda: PolicyFile(parsed.web_config))
    running_app = app.run_app(
        config,
        listen=_addresses(parsed),
        systemd_sockets=_systemd_sockets(parsed),
        telemetry_path=parsed.telemetry_path,
        web_policy=web_policy,
        load_config=load,
        external_url=parsed.external_url,
    )
    async with contextlib.AsyncExitStack() as stack:
        exempt = await stack.enter_async_context(collecting())
        try:
            running = await stack.enter_async_context(running_app)
        except OSError as error:
            raise CommandFailed(_bind_error(error)) from error
        reloading = asyncio.create_task(_reload_on_sighup(sighup, running.reload))
        stack.callback(reloading.cancel)
        exempt()
        yield running
        await stop.wait()
        event(_log, Level.INFO, "stopping")


async def _load_unless_stopped(stop: asyncio.Event, load: Callable[[], PolicyFile]) -> PolicyFile:
    """Return the result of `load`, which may wait for a pipe or a file system."""
    loading = asyncio.create_task(run_in_daemon_thread(load))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([loading, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not loading.done():
        raise SystemExit(Exit.DONE)
    return loading.result()


def _addresses(parsed: argparse.Namespace) -> Sequence[ListenAddress]:
    if parsed.systemd_socket:
        return ()
    return parsed.listen or [parse_listen_address(DEFAULT_ADDRESS)]


def _bind_error(error: OSError) -> str:
    """Return what failed, in the system's words, and what to do."""
    remedy = _REMEDIES.get(error.errno or 0, "set another --web.listen-address")
    return f"cannot serve: {error.strerror or error}; {remedy}"


def _systemd_sockets(parsed: argparse.Namespace) -> Sequence[BoundAddress]:
    if not parsed.systemd_socket:
        return ()
    try:
        return listen_fds(os.environ)
    except ValueError as error:
        raise CommandFailed(f"cannot serve: {error}") from error


async def _reload_on_sighup(sighup: asyncio.Event, reload: Callable[[], Awaitable[object]]) -> None:
    """Reload at each signal; signals during one reload are combined."""
    while await sighup.wait():
        sighup.clear()
        try:
            await reload()
        except ConfigError:
            pass  # every problem is logged already
        except Exception as error:  # noqa: BLE001 -- a bug must not end later reloads
            event(_log, Level.ERROR, "unhandled exception in reload", cause=error)
