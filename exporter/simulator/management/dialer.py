"""A daemon with `--management-client`: it dials out, and ends when the other side hangs up."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from exporter.simulator.management.connection import ManagementConnection, ManagementSlot


class ManagementDialer:
    """Dials a management client that listens at `address`, as `127.0.0.1:43211`."""

    def __init__(self, slot: ManagementSlot, address: str) -> None:
        self.address = address
        self._slot = slot
        self._connection: ManagementConnection | None = None

    def tick(self) -> None:
        """Look at the clock: for a clock that doesn't go by itself, or after a signal."""
        if self._connection is not None:
            self._connection.tick()

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Dial and serve whoever answers; on leaving, hang up.

        Raises:
            OSError: nobody listens; a real daemon exits then.
        """
        host, _, port = self.address.rpartition(":")
        transport, self._connection = await asyncio.get_running_loop().create_connection(
            lambda: ManagementConnection(self._slot, on_disconnect=self._on_disconnect),
            host,
            int(port),
        )
        try:
            yield
        finally:
            transport.abort()

    def _on_disconnect(self) -> None:
        self._connection = None
        if not self._slot.daemon.exited:
            self._slot.daemon.log(3, "", "MANAGEMENT: Triggering management exit")
            self._slot.daemon.exit("management-exit")
