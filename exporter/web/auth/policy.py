"""The policy in force: that of the web configuration file when it was last valid."""

import asyncio
import logging
from pathlib import Path

from exporter.aio import SingleFlight
from exporter.config.errors import ConfigError, Problem
from exporter.log import Level, event
from exporter.web.web_config import ALLOW_ALL, Policy

CHECK_INTERVAL = 1.0
"""Seconds between two checks of the files for changes; requests trigger them."""

FILE_TIMEOUT = 3.0
"""Seconds that requests wait for the files; a file system that hangs leaves the policy as it is."""

PIPE_TIMEOUT = 1.0
"""Seconds for a pipe in the place of the file to end: less than `FILE_TIMEOUT`."""

_log = logging.getLogger(__name__)


class PolicyFile:
    """Has the policy in force as `current`; `refresh` reloads it where a file has changed."""

    def __init__(self, path: Path | None = None, *, check_interval: float = CHECK_INTERVAL) -> None:
        """Read the file at `path`; without one, all requests are allowed. Blocks.

        Raises ConfigError with every problem.
        """
        self.current: Policy = ALLOW_ALL if path is None else _load(path)
        self._path = path
        self._load_changed = SingleFlight(
            lambda: _load_changed(path, self.current) if path else None
        )
        self._check_interval = check_interval
        self._next_check = 0.0
        self._lock = asyncio.Lock()
        self._logged_failure = ""

    async def refresh(self) -> None:
        """Reload the policy if a file has changed; an invalid one is logged once and ignored."""
        if self._path is None:
            return
        async with self._lock:
            clock = asyncio.get_running_loop().time
            if clock() >= self._next_check:
                await self._reload(self._path)
                # From the end of a slow check: those that waited for it need no other check.
                self._next_check = clock() + self._check_interval

    async def _reload(self, path: Path) -> None:
        try:
            async with asyncio.timeout(FILE_TIMEOUT):
                changed = await self._load_changed()
        except ConfigError as error:
            self._log_failure(error)
            return
        except TimeoutError:
            text = "file system timeout: check the mount"
            self._log_failure(ConfigError((Problem(source=str(path), text=text),)))
            return
        self._logged_failure = ""
        if changed is not None:
            self.current = changed
            event(_log, Level.INFO, "web configuration reloaded", file=path)

    def _log_failure(self, error: ConfigError) -> None:
        if str(error) == self._logged_failure:
            return
        self._logged_failure = str(error)
        for problem in error.problems:
            event(
                _log,
                Level.ERROR,
                "web configuration reload failed, keeping the previous one",
                problem=problem,
            )


def _load_changed(path: Path, policy: Policy) -> Policy | None:
    """Return the new policy if a file of the current one has changed, else None; blocks."""
    if all(stamp.is_current() for stamp in policy.files):
        return None
    return _load(path, pipe_timeout=PIPE_TIMEOUT)


def _load(path: Path, *, pipe_timeout: float | None = None) -> Policy:
    # A MiB with YAML, which an exporter without configuration files does not need.
    from exporter.web.web_config.loader import load  # noqa: PLC0415

    return load(path, pipe_timeout=pipe_timeout)
