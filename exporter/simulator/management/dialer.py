"""A daemon with `--management-client`: it connects to its client, and exits on disconnect."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from exporter.simulator.management.connection import ManagementConnection, ManagementSlot


class ManagementDialer:
    """Connects to a management client that listens at `address`, such as `127.0.0.1:43211`."""

    def __init__(self, slot: ManagementSlot, address: str) -> None:
        self.address = address
        self._slot = slot
        self._connection: ManagementConnection | None = None

    def tick(self) -> None:
        """Run what is due: for a manual clock, or after a signal."""
        if self._connection is not None:
            self._connection.tick()

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Connect and serve until the block ends; then close the connection.

        Raises:
            OSError: the connection is refused; a real daemon exits then.
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
