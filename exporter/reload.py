"""Reloading the configuration while everything runs; an invalid one changes nothing."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from exporter.aio import begin_in_turn, run_in_daemon_thread
from exporter.config import Config, ConfigError, Problem
from exporter.config.target import ReloadDiff
from exporter.log import Level, event
from exporter.metrics.self_metrics import SelfMetrics

LOAD_TIMEOUT = 30.0
"""Seconds to read the files; a configuration of ten thousand daemons takes some seconds."""

MAX_HANGING = 4
"""Most threads that may still wait for a file system after their reload has timed out."""

ApplyConfig = Callable[[Config], Awaitable[ReloadDiff]]
"""Applies a configuration."""

_log = logging.getLogger(__name__)


class ConfigReloader:
    """Reloads the configuration, once at a time.

    Calls that come while a reload waits for its turn share that reload. A call that comes after
    the files were opened waits for the next one: a file may have changed since.
    """

    def __init__(
        self, load: Callable[[], Config], apply: ApplyConfig, self_metrics: SelfMetrics
    ) -> None:
        """`load` reads the configuration and may block."""
        self._load = load
        self._apply = apply
        self._self_metrics = self_metrics
        self._lock = asyncio.Lock()
        self._next: asyncio.Task[ReloadDiff] | None = None
        self._hanging = 0

    async def __call__(self) -> ReloadDiff:
        """Load and apply the configuration; return what changes.

        Raises:
            ConfigError: it is invalid, or could not be read in time. Nothing has changed; every
                problem is in the log.
        """
        if self._next is None:
            self._next = asyncio.create_task(self._reload())
        # The reload goes on if one of those that wait for it is cancelled.
        return await asyncio.shield(self._next)

    async def _reload(self) -> ReloadDiff:
        async with self._lock:
            self._next = None
            try:
                config = await self._load_in_time()
            except ConfigError as error:
                await self._log_failure(error)
                raise
            changes = await self._apply(config)
            self._self_metrics.reload_succeeded(time.time())
        event(_log, Level.INFO, "configuration reloaded", changes=str(changes))
        return changes

    async def _load_in_time(self) -> Config:
        if self._hanging >= MAX_HANGING:
            raise _load_error(
                f"{self._hanging} earlier reloads still wait for a file: check mounts"
            )
        loading = asyncio.create_task(run_in_daemon_thread(self._load))
        await asyncio.wait([loading], timeout=LOAD_TIMEOUT)
        if not loading.done():
            self._hanging += 1
            loading.add_done_callback(self._on_late_end)
            raise _load_error(
                f"timeout after {LOAD_TIMEOUT:g} s: a file can't be read; check mounts"
            )
        try:
            return loading.result()
        except OSError as error:  # no thread can be started
            raise _load_error(error.strerror or str(error)) from error

    def _on_late_end(self, loading: asyncio.Task[Config]) -> None:
        self._hanging -= 1
        if not loading.cancelled():
            loading.exception()  # the result is too old to be applied

    async def _log_failure(self, error: ConfigError) -> None:
        self._self_metrics.reload_failed()
        message = "reload failed, keeping the previous configuration"
        for problem in error.problems:
            await begin_in_turn()  # each daemon may have one
            event(_log, Level.ERROR, message, problem=str(problem))


def _load_error(text: str) -> ConfigError:
    return ConfigError((Problem(text=text),))
