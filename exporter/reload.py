"""Reloading the configuration while everything runs; an invalid one changes nothing."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from exporter.aio import run_in_daemon_thread
from exporter.config import Config, ConfigError
from exporter.config.target import ReloadDiff
from exporter.log import Level, event
from exporter.metrics.self_metrics import SelfMetrics

ApplyConfig = Callable[[Config], Awaitable[ReloadDiff]]
"""Applies a configuration."""

_log = logging.getLogger(__name__)


class ConfigReloader:
    """Reloads the configuration at each call; concurrent calls run one after the other."""

    def __init__(
        self, load: Callable[[], Config], apply: ApplyConfig, self_metrics: SelfMetrics
    ) -> None:
        """`load` reads the configuration and may block."""
        self._load = load
        self._apply = apply
        self._self_metrics = self_metrics
        self._lock = asyncio.Lock()

    async def __call__(self) -> ReloadDiff:
        """Load and apply the configuration; return what changes.

        Raises:
            ConfigError: it is invalid. Nothing has changed; every problem is in the log.
        """
        async with self._lock:
            try:
                config = await run_in_daemon_thread(self._load)
            except ConfigError as error:
                self._log_failure(error)
                raise
            changes = await self._apply(config)
            self._self_metrics.reload_succeeded(time.time())
        event(_log, Level.INFO, "configuration reloaded", changes=str(changes))
        return changes

    def _log_failure(self, error: ConfigError) -> None:
        self._self_metrics.reload_failed()
        message = "reload failed, keeping the previous configuration"
        for problem in error.problems:
            event(_log, Level.ERROR, message, problem=str(problem))
