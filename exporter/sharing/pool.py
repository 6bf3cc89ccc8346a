"""The shares of all daemons: opened, reconfigured and closed as the configuration says."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from exporter.aio import cancel_and_wait
from exporter.config.share import ShareConfig
from exporter.management.batches import row_batches
from exporter.monitor.monitor import Monitor

if TYPE_CHECKING:
    from exporter.sharing.share import Share, SharedAddress

_AT_ONCE = 200
"""Shares that are configured between two passes of the event loop: some milliseconds.

Not in turns with other tasks: a thousand monitors have begun, and the web server waits for this.
"""

_THREADS_AT_ONCE = 50
"""Threads that are started between two passes of the event loop: some milliseconds."""


class SharePool:
    """Shares the daemons that were applied last, until it is closed."""

    def __init__(self) -> None:
        self._shares: dict[str, Share] = {}
        self._opening: set[asyncio.Task[None]] = set()
        self._is_closed = False

    async def apply(self, monitors: Iterable[Monitor]) -> None:
        """Share these daemons from now on, as their targets say; tools of the others stay.

        What is removed is closed first, so that its addresses are free.
        """
        wanted = {
            monitor.target.name: (monitor, config)
            for monitor in monitors
            if (config := monitor.target.daemon.share) is not None
        }
        for name, share in list(self._shares.items()):
            if self._is_closed:  # meanwhile
                return
            if name not in wanted or wanted[name][0].shared is not share.shared:
                await self._shares.pop(name).close()
            else:
                removed = set(share.addresses) - set(wanted[name][1].listen)
                await share.release(tuple(removed))
        if wanted:
            await self._open(await self._configure(wanted))

    async def _configure(
        self, wanted: Mapping[str, tuple[Monitor, ShareConfig]]
    ) -> Sequence[tuple["Share", "SharedAddress"]]:
        """Configure shares, new ones included; return what is to be opened."""
        # A quarter of a MiB, with the daemon's side of the protocol: only if a daemon is shared.
        from exporter.sharing.share import Share  # noqa: PLC0415

        added: list[tuple[Share, SharedAddress]] = []
        for batch in row_batches(wanted.items(), _AT_ONCE):
            if self._is_closed:  # meanwhile
                return ()
            for name, (monitor, config) in batch:
                if name not in self._shares:
                    self._shares[name] = Share(monitor.daemon, monitor.shared, config)
                share = self._shares[name]
                added += [(share, address) for address in await share.configure(config)]
            await asyncio.sleep(0)
        return added

    async def _open(self, sockets: Sequence[tuple["Share", "SharedAddress"]]) -> None:
        """Start to open sockets."""
        from exporter.sharing.opening import by_directory, open_sockets  # noqa: PLC0415

        for groups in row_batches(by_directory(sockets), _THREADS_AT_ONCE):
            if self._is_closed:
                return
            for group in groups:
                task = asyncio.create_task(open_sockets(group), name="open sockets for tools")
                self._opening.add(task)
                task.add_done_callback(self._opening.discard)
            await asyncio.sleep(0)

    async def close(self) -> None:
        """End all shares."""
        self._is_closed = True
        await cancel_and_wait(self._opening)
        while self._shares:
            await self._shares.popitem()[1].close()
