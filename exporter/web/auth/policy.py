"""The policy in force. It follows its file: what was read last and was right holds."""

import asyncio
import logging
from pathlib import Path

from exporter.aio import SingleFlight
from exporter.config.errors import ConfigError, Problem
from exporter.log import Level, event
from exporter.web.web_config import ALLOW_ALL, Policy, load

CHECK_INTERVAL = 1.0
"""Seconds between two looks at the files, as long as somebody asks."""

PATIENCE = 3.0
"""Seconds that requests wait for the files; a file system that hangs leaves the policy as it is."""

_log = logging.getLogger(__name__)


class PolicyFile:
    """Gives the policy; `refresh` reads it anew where a file has changed."""

    def __init__(self, path: Path | None = None, *, check_interval: float = CHECK_INTERVAL) -> None:
        """Read the file at `path`; without one everybody is let in. Blocks.

        Raises ConfigError with every problem.
        """
        self.policy: Policy = ALLOW_ALL if path is None else load(path)
        self._path = path
        self._change = SingleFlight(lambda: _changed(path, self.policy) if path else None)
        self._check_interval = check_interval
        self._next_check = 0.0
        self._turn = asyncio.Lock()
        self._failure = ""

    async def refresh(self) -> None:
        """Follow the files; a broken one leaves the policy as it is, and is logged once."""
        if self._path is None:
            return
        async with self._turn:
            clock = asyncio.get_running_loop().time
            if clock() >= self._next_check:
                await self._follow(self._path)
                # From the end on: who waited for a look that took long needn't wait for another.
                self._next_check = clock() + self._check_interval

    async def _follow(self, path: Path) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                policy = await self._change()
        except ConfigError as error:
            self._complain(error)
            return
        except TimeoutError:
            text = "the file system does not answer: look at its mount"
            self._complain(ConfigError((Problem(source=str(path), text=text),)))
            return
        self._failure = ""
        if policy is not None:
            self.policy = policy
            event(_log, Level.INFO, "web configuration has changed", file=path)

    def _complain(self, error: ConfigError) -> None:
        if str(error) == self._failure:
            return
        self._failure = str(error)
        for problem in error.problems:
            event(_log, Level.ERROR, "web configuration stays as it was", problem=problem)


def _changed(path: Path, policy: Policy) -> Policy | None:
    """Return another policy where a file of this one has changed; blocks."""
    if all(stamp.is_current() for stamp in policy.files):
        return None
    return load(path)
