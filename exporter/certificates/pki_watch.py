"""Reads a list of issued certificates again and again, in a thread."""

import asyncio
import time
from collections.abc import Callable

from exporter.aio import SingleFlight
from exporter.certificates.pki import PkiSource, PkiState
from exporter.certificates.pki_reader import PkiReader
from exporter.certificates.source import FileProblem

INTERVAL = 60.0
"""Seconds between two checks of a list."""

TIMEOUT = 30.0
"""Seconds after which a list counts as unreadable: a file system that hangs gives no error."""


class PkiWatch:
    """Keeps what is known of one list.

    While a check hangs no other one is started, and what was read last stays.
    """

    def __init__(
        self,
        source: PkiSource,
        *,
        timeout: float = TIMEOUT,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.state = PkiState(source, clock())
        self._read = SingleFlight(PkiReader(source).read)
        self._timeout = timeout
        self._clock = clock

    async def check(self) -> PkiState:
        """Read the list if it has changed; return what is known of it now."""
        try:
            async with asyncio.timeout(self._timeout):
                issued, problem = await self._read()
        except (TimeoutError, OSError):  # OSError: no thread can be started
            issued, problem = self.state.issued, FileProblem.UNREADABLE
        self.state = PkiState(self.state.source, self._clock(), issued, problem)
        return self.state

    async def run(self, on_checked: Callable[[PkiState], None]) -> None:
        """Check the list now and at each interval, forever."""
        while True:
            on_checked(await self.check())
            await asyncio.sleep(INTERVAL)
