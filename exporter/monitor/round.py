"""One round: every daemon is asked once, all at the same time, and left."""

import asyncio
from collections.abc import Sequence

from exporter.config.schema import ClientsConfig, Config, DaemonConfig
from exporter.monitor.oneshot import OneShotResult, poll_once

CONCURRENCY = 100
"""Daemons that are visited at the same time; each takes a file descriptor."""


async def poll_all(config: Config) -> Sequence[OneShotResult]:
    """Return the answers, in the order of the configuration."""
    places = asyncio.Semaphore(CONCURRENCY)

    async def ask(daemon: DaemonConfig, clients: ClientsConfig) -> OneShotResult:
        async with places:
            return await poll_once(daemon, clients)

    return await asyncio.gather(*(ask(daemon, config.clients) for daemon in config.daemons))
