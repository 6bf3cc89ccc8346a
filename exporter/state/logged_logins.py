"""Clients whose login is in the log, until a status shows them; clients that were rejected.

A login belongs to the row with its name and real address, if that row's client began before: the
row of an earlier client at the same address has gone, a later one began after the login. The same
holds for a rejection. Times are the daemon's, in seconds since the epoch.
"""

from collections import Counter
from collections.abc import Generator, Sequence
from itertools import chain

import msgspec

from exporter.management.batches import row_batches
from exporter.management.login_lines import LoginLine
from exporter.management.status import ClientRow, ServerStatus
from exporter.management.values import parse_real_address
from exporter.state.oldest import drop_oldest

_LIMIT = 10_000
"""Addresses of which a login is kept; the oldest is dropped."""

_REJECTED_LIMIT = 1000
"""Addresses of which a rejection is kept: a client's row goes five seconds after it."""

_NAMES = 100
"""Names kept of one address; up to 2.6 an IPv6 address has no port, and may have several."""

_Times = dict[str, dict[str, int]]
"""The time of the last login, by real address and name."""


class LoggedLogins(msgspec.Struct, eq=False):
    """The logins in the log before the last status was received, and those after it.

    A line may arrive while a status is parsed: it is news to that status, see `Logins`.
    """

    _known: _Times = {}
    _later: _Times = {}
    _rejected: dict[str, int] = {}

    def add(self, login: LoginLine) -> None:
        """Record the line of a login."""
        self._rejected.pop(login.real_address, None)
        names = self._later.setdefault(login.real_address, {})
        names[login.name] = login.time
        drop_oldest(names, _NAMES)
        drop_oldest(self._later, _LIMIT)

    def reject(self, real_address: str, time: int) -> None:
        """Record that the client at an address was rejected.

        It counts if it follows the line of a login: since 2.6, that no cipher suits the client, or
        that it is too old. An ESTABLISHED like that of a login comes after it. Other rejections
        come before anything that is taken for a login.
        """
        is_late = any(
            real_address in by_address for by_address in (self._later, self._known, self._rejected)
        )
        self.remove(real_address)
        if is_late:
            self._rejected[real_address] = time
            drop_oldest(self._rejected, _REJECTED_LIMIT)

    def remove(self, real_address: str) -> None:
        """Record that the client at an address has gone."""
        for by_address in (self._known, self._later, self._rejected):
            by_address.pop(real_address, None)

    def on_status_received(self) -> None:
        """Record that a status was received: it shows all logins so far."""
        for address, names in self._later.items():
            self._known.setdefault(address, {}).update(names)
        self._later.clear()
        drop_oldest(self._known, _LIMIT)

    def on_status_counted(self) -> None:
        """Forget the logins that the last status has shown."""
        self._known.clear()

    def proves(self, row: ClientRow) -> bool:
        """Return whether the client of a row had logged in when the last status was received."""
        time = self._known.get(row.real_address, {}).get(row.common_name)
        return time is not None and row.connected_since <= time

    @property
    def has_rejected(self) -> bool:
        """Whether a client was rejected whose row may still be there."""
        return bool(self._rejected)

    def rejects(self, row: ClientRow) -> bool:
        """Return whether the client of a row was rejected, and no other one at its address."""
        time = self._rejected.get(row.real_address)
        return time is not None and row.connected_since <= time and has_port(row)


def has_port(row: ClientRow) -> bool:
    """Return whether the real address of a row is that of one client only."""
    return parse_real_address(row.real_address).port is not None


def unique_rows(
    rows: Sequence[ClientRow], status: ServerStatus
) -> Generator[None, None, tuple[Sequence[ClientRow], Sequence[ClientRow]]]:
    """Return the rows whose name and real address no other row of the status has, and the others.

    It yields after each batch of rows.
    """
    counts = Counter(dict.fromkeys(map(_name_and_address, rows), 0))
    for batch in row_batches(chain(status.clients, status.pending)):
        counts.update(key for key in map(_name_and_address, batch) if key in counts)
        yield
    unique = [row for row in rows if counts[_name_and_address(row)] == 1]
    return unique, [row for row in rows if counts[_name_and_address(row)] > 1]


def _name_and_address(row: ClientRow) -> tuple[str, str]:
    return row.common_name, row.real_address
