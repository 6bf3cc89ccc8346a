"""Sessions of a server that may share a certificate, or a password, with others: only counts."""

from collections.abc import Generator, Iterable, Sequence
from collections.abc import Set as AbstractSet

import msgspec

from exporter.management.batches import row_batches
from exporter.management.values import UNDEFINED, parse_real_address
from exporter.state.client_session import ClientSession

INTERVAL = 60.0
"""Least seconds between two counts. The same sessions may float to other addresses."""


class SessionCounts(msgspec.Struct, eq=False):
    """Counts the sessions of one daemon once a minute."""

    names_at_several_addresses: int | None = None
    """Identities with sessions from more than one real address; None before the first count."""
    other_usernames: int | None = None
    """Sessions whose user name is not their common name."""
    _next_count: float = 0.0

    def update(self, sessions: Sequence[ClientSession], now: float) -> Generator[None, None, None]:
        """Count the sessions of the last status if it is time, yielding after each batch.

        `now` is in seconds since the epoch.
        """
        if not self._is_due(now):
            return
        names: set[str] = set()
        repeated: set[str] = set()
        others = 0
        for batch in row_batches(sessions):
            for session in batch:
                row = session.last_row
                if row.username and row.common_name and row.username != row.common_name:
                    others += 1
                (repeated if session.name in names else names).add(session.name)
            yield
        repeated.discard(UNDEFINED)
        self.names_at_several_addresses = yield from _names_at_several_addresses(sessions, repeated)
        self.other_usernames = others
        self._next_count = now + INTERVAL

    def _is_due(self, now: float) -> bool:
        """Return whether the last count is old enough; a clock that went back makes it so, too."""
        return not self._next_count - INTERVAL <= now < self._next_count


def _names_at_several_addresses(
    sessions: Iterable[ClientSession], names: AbstractSet[str]
) -> Generator[None, None, int]:
    """Return how many of these names have sessions from more than one real address."""
    hosts: dict[str, str] = {}
    found: set[str] = set()
    for batch in row_batches(sessions if names else ()):
        for session in batch:
            if session.name in names:
                host = parse_real_address(session.last_row.real_address).host
                if hosts.setdefault(session.name, host) != host:
                    found.add(session.name)
        yield
    return len(found)
