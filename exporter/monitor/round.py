"""One round: every daemon is asked once, all at the same time, and left."""

import asyncio
from collections.abc import Sequence

from exporter.config.schema import ClientsConfig, Config, DaemonConfig
from exporter.monitor.oneshot import Answer, ask_once

AT_ONCE = 100
"""Daemons that are visited at the same time; each takes a file descriptor."""


async def ask_all(config: Config) -> Sequence[Answer]:
    """Return the answers, in the order of the configuration."""
    places = asyncio.Semaphore(AT_ONCE)

    async def ask(daemon: DaemonConfig, clients: ClientsConfig) -> Answer:
        async with places:
            return await ask_once(daemon, clients)

    return await asyncio.gather(*(ask(daemon, config.clients) for daemon in config.daemons))
