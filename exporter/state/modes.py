"""The modes that a daemon may have, as far as known."""

from collections.abc import Mapping

from exporter.management.state import ANY_MODE, NO_MODE, SERVER, TUNNEL, Mode, Modes
from exporter.management.status import ServerStatus, Status


class DaemonModes:
    """The modes of one daemon: its configured one, and those that its statuses have shown.

    A daemon can get another mode at the same address, so a mode that was known stays.
    """

    def __init__(self, configured: Mode | None) -> None:
        """`configured` is the mode in the daemon's own configuration, None if that is unknown."""
        self.is_tunnel = False
        self.revision = 0
        self._known = NO_MODE
        self.reconfigure(configured)

    @property
    def may_be_server(self) -> bool:
        """Whether the daemon is a server, or its mode is unknown."""
        return not self.is_tunnel and not (self._known or SERVER).isdisjoint(SERVER)

    def reconfigure(self, configured: Mode | None) -> None:
        """Record that the daemon's own configuration was read again."""
        self._configured = frozenset({configured}) if configured else NO_MODE
        self._add(self._configured)

    def update(self, status: Status) -> None:
        """Record a status: that of a tunnel does not show which kind of tunnel it is."""
        self.is_tunnel = not isinstance(status, ServerStatus)
        self._add((self._configured & TUNNEL or TUNNEL) if self.is_tunnel else SERVER)

    def _add(self, modes: Modes) -> None:
        if not modes <= self._known:
            self._known = self._known | modes if self._known else modes
            self.revision += 1

    def select(
        self, samples: Mapping[str, float], modes: Mapping[str, Modes]
    ) -> Mapping[str, float]:
        """Return the samples whose label value the daemon can have, and all that are not 0.

        `modes` has the modes of those label values that not all modes have. While no mode is known
        the daemon can have all: better a series of 0 that vanishes than one that begins with the
        first event, which `increase()` does not see.
        """
        possible = self._known or ANY_MODE
        return {
            label: value
            for label, value in samples.items()
            if value or not modes.get(label, ANY_MODE).isdisjoint(possible)
        }
