"""Reading the configuration again while everything runs; a bad one changes nothing."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from exporter.aio import run_in_daemon_thread
from exporter.config import Config, ConfigError
from exporter.config.reload_diff import ReloadDiff
from exporter.log import Level, event
from exporter.metrics.self_metrics import SelfMetrics

Apply = Callable[[Config], Awaitable[ReloadDiff]]
"""Puts a configuration into force."""

_log = logging.getLogger(__name__)


class ConfigReloader:
    """Called once for each wish to reload; wishes are granted one after the other."""

    def __init__(self, read: Callable[[], Config], apply: Apply, own: SelfMetrics) -> None:
        """Read by `read`, which may block, and tell `own` how it went."""
        self._read = read
        self._apply = apply
        self._own = own
        self._turn = asyncio.Lock()

    async def __call__(self) -> ReloadDiff:
        """Read and apply the configuration; return what changed.

        Raises:
            ConfigError: it can't be used. Nothing has changed; every problem was logged.
        """
        async with self._turn:
            try:
                config = await run_in_daemon_thread(self._read)
            except ConfigError as error:
                self._refuse(error)
                raise
            plan = await self._apply(config)
            self._own.reload_succeeded(time.time())
        event(_log, Level.INFO, "configuration reloaded", changes=str(plan))
        return plan

    def _refuse(self, error: ConfigError) -> None:
        self._own.reload_failed()
        for problem in error.problems:
            event(
                _log,
                Level.ERROR,
                "the configuration can't be used; the last one stays in force",
                problem=str(problem),
            )
