"""A daemon with `--management-client`: it dials out, and ends when the other side hangs up."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from exporter.simulator.management.connection import Connection, Slot


class Caller:
    """Dials a management client that listens at `address`, as `127.0.0.1:43211`."""

    def __init__(self, slot: Slot, address: str) -> None:
        self.address = address
        self._slot = slot
        self._connection: Connection | None = None

    def wake(self) -> None:
        """Look at the clock: for a clock that doesn't go by itself, or after a signal."""
        if self._connection is not None:
            self._connection.wake()

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Dial and serve whoever answers; on leaving, hang up.

        Raises:
            OSError: nobody listens; a real daemon exits then.
        """
        host, _, port = self.address.rpartition(":")
        transport, self._connection = await asyncio.get_running_loop().create_connection(
            lambda: Connection(self._slot, hung_up=self._hung_up), host, int(port)
        )
        try:
            yield
        finally:
            transport.abort()

    def _hung_up(self) -> None:
        self._connection = None
        if not self._slot.daemon.exited:
            self._slot.daemon.log(3, "", "MANAGEMENT: Triggering management exit")
            self._slot.daemon.end("management-exit")
