"""The clients that the daemon has let in, which no row of a status may prove."""

from exporter.state.session_keys import SessionKey

_LIMIT = 10_000
"""Logins that are kept until a status shows them; the oldest are dropped."""


class Logins:
    """The logins that came before the last status was received, and those that came after it.

    A message may arrive while a status is parsed. It is news to that status: the row of its client
    may not have a name yet.
    """

    def __init__(self) -> None:
        self._known: dict[SessionKey, None] = {}
        self._later: dict[SessionKey, None] = {}

    def add(self, key: SessionKey) -> None:
        """Record a login."""
        self._later[key] = None
        _drop_oldest(self._later)

    def on_status_received(self) -> None:
        """Record that a status was received: it shows all logins so far."""
        self._known |= self._later
        self._later.clear()
        _drop_oldest(self._known)

    def __contains__(self, key: SessionKey) -> bool:
        """Return whether a client had logged in when the last status was received."""
        return key in self._known

    def remove(self, key: SessionKey) -> None:
        """Forget a login that a status has shown."""
        self._known.pop(key, None)


def _drop_oldest(logins: dict[SessionKey, None]) -> None:
    while len(logins) > _LIMIT:
        del logins[next(iter(logins))]
