"""The shares of all daemons: opened, reconfigured and closed as the configuration says."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from exporter.config.share import ShareConfig
from exporter.monitor.monitor import Monitor

if TYPE_CHECKING:
    from exporter.sharing.share import Share


class SharePool:
    """Shares the daemons that were applied last, until it is closed."""

    def __init__(self) -> None:
        self._shares: dict[str, Share] = {}

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
            if name not in wanted or wanted[name][0].shared is not share.shared:
                await self._shares.pop(name).close()
            else:
                removed = set(share.addresses) - set(wanted[name][1].listen)
                await share.release(tuple(removed))
        for name, (monitor, config) in wanted.items():
            if name not in self._shares:
                self._shares[name] = _new_share(monitor, config)
            await self._shares[name].configure(config)

    async def close(self) -> None:
        """End all shares."""
        while self._shares:
            await self._shares.popitem()[1].close()


def _new_share(monitor: Monitor, config: ShareConfig) -> "Share":
    # A quarter of a MiB, with the daemon's side of the protocol: for configurations with `share`.
    from exporter.sharing.share import Share  # noqa: PLC0415

    return Share(monitor.daemon, monitor.shared, config)
