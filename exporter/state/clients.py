"""The table of a server's clients, which makes their counters monotonic.

An *identity* is what an operator looks for: a common name or a user name. Totals belong to
identities and never fall: the sessions of one identity are summed, and the bytes of a session stay
counted after it has ended. Times are arguments, in seconds since the epoch.
"""

import contextlib
import heapq
import itertools
import math
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

import msgspec

from exporter.config.schema import ClientsConfig, Identity
from exporter.management.batches import MAX_ROWS, row_batches, run_batches
from exporter.management.peer import parse_peer_info
from exporter.management.status import ClientRow, ServerStatus
from exporter.management.values import UNDEFINED, parse_time
from exporter.state.client_session import ClientSession
from exporter.state.idle_clients import IdleClients
from exporter.state.session_counts import SessionCounts
from exporter.state.session_keys import id_key
from exporter.state.sessions import SessionTracker

_IDENTITY_FUNCS: Mapping[Identity, Callable[[ClientRow], str]] = {
    Identity.AUTO: lambda row: row.common_name or row.username or UNDEFINED,
    Identity.COMMON_NAME: lambda row: row.common_name or UNDEFINED,
    Identity.USERNAME: lambda row: row.username or UNDEFINED,
}


class ClientTotals(msgspec.Struct, gc=False):
    """The totals of one identity.

    `sessions` counts the current ones, `connected_since` is the start of the oldest; None without
    one. `last_seen` is the time of the last poll that found a session, for an identity that has
    none now; None for an expected client that has never connected. `last_poll` is the number of
    the last poll in which sessions were counted and one was found.
    """

    received_bytes: int = 0
    sent_bytes: int = 0
    sessions: int = 0
    connected_since: int | None = None
    last_seen: float | None = None
    last_traffic: float = 0.0
    last_poll: int = 0

    def disconnect(self, last_seen: float) -> None:
        """Record that the identity has no session; if it had one, it was there at `last_seen`."""
        if self.sessions:
            self.last_seen = last_seen
        self.sessions = 0
        self.connected_since = None


class ClientTable:
    """The totals of all identities of one daemon."""

    def __init__(
        self, config: ClientsConfig, expected: Iterable[str] = (), *, absolute: bool = False
    ) -> None:
        """`expected` identities are in the table from the start and never dropped.

        With `absolute` the bytes of the first status count, too: for a single poll.
        """
        self._limit = config.limit
        self._forget_after = config.forget_after
        self._expected = frozenset(expected)
        self._totals = {name: ClientTotals() for name in sorted(self._expected)}
        self.sessions = SessionTracker(_IDENTITY_FUNCS[config.identity], absolute=absolute)
        self.idle = IdleClients()
        self.counts = SessionCounts()
        self.not_exported = 0
        self.received_bytes = 0
        self.sent_bytes = 0
        self._polls = 0
        self._updated_at = 0.0
        """The time of the last poll, which found all clients that have a session."""
        self._connected = 0
        """The identities with a session, while the sessions have had so many changes."""
        self._counted_changes = -1
        self._listings = 0
        """Grows whenever other identities are in the table."""
        self._accounts: Sequence[ClientTotals | None] = ()
        """The totals of the current sessions, as of the changes and listings of `_accounts_at`."""
        self._accounts_at = (-1, -1)

    @property
    def revision(self) -> int:
        """Grows whenever other identities or sessions are in the table, or with other labels."""
        return self._listings + self.sessions.changes + self.sessions.row_changes

    @property
    def totals(self) -> Mapping[str, ClientTotals]:
        """The totals by identity, expected ones included."""
        return MappingProxyType(self._totals)

    @property
    def expected(self) -> frozenset[str]:
        """The identities that are never dropped."""
        return self._expected

    def listed_sessions(self) -> Iterable[ClientSession]:
        """Return the current sessions of the identities in the table, within the limit."""
        sessions = self.sessions.current
        if len(sessions) <= self._limit and not self.not_exported:
            return sessions
        known = (session for session in sessions if session.name in self._totals)
        return itertools.islice(known, self._limit)

    def reconfigure(self, config: ClientsConfig, expected: Iterable[str]) -> None:
        """Apply other settings; `identity` must be the same.

        Clients that are no longer expected expire like any other; those over the limit are dropped.
        """
        self._limit = config.limit
        self._forget_after = config.forget_after
        self._expected = frozenset(expected)
        for name in sorted(self._expected):
            self._totals.setdefault(name, ClientTotals())
        surplus = len(self._totals) - self._limit
        if surplus > 0:
            evictable = run_batches(self._evictable(math.inf))
            for name in list(itertools.islice(evictable, surplus)):
                del self._totals[name]
        self._listings += 1

    def update(
        self,
        status: ServerStatus,
        now: float,
        *,
        monitored_for: float = 0.0,
        from_file: bool = False,
    ) -> Generator[None, None, None]:
        """Update the totals from one complete status, after `monitored_for` seconds of monitoring.

        It yields after each batch of clients; between batches the totals may be forgotten.
        """
        sessions = yield from self.sessions.update(
            status.clients,
            status.updated,
            unreadable=status.unparsed,
            monitored_for=monitored_for,
            from_file=from_file,
        )
        self._polls += 1
        if self._counted_changes == self.sessions.changes:
            sessions = yield from self._add_growth(sessions, now)
        new_clients, found = yield from self._add_sessions(sessions, now)
        if self._counted_changes != self.sessions.changes:
            self._counted_changes, self._connected = self.sessions.changes, found
            yield from self._disconnect_absent()
        if self._connected < len(self._totals) + len(new_clients):
            yield from self.forget(now)
        yield from self._add_new(new_clients, now)
        self._updated_at = now

    def examine(
        self, now: float, *, daemon_now: float, config: ClientsConfig
    ) -> Generator[None, None, None]:
        """Count idle clients and others of the last status, as far as it is time.

        `daemon_now` is printed in it. It yields after each batch of sessions.
        """
        yield from self.counts.update(self.sessions.current, now)
        yield from self.idle.update(
            self.sessions.current, now, daemon_now=daemon_now, config=config
        )

    def add_established(self, client_id: int, env: Mapping[str, str]) -> None:
        """Record the variables of `>CLIENT:ESTABLISHED`, with which a client logs in."""
        with contextlib.suppress(ValueError):  # without a time the session is unknown
            since = parse_time(env.get("time_unix", ""))
            self.sessions.add_peer_info(client_id, since, parse_peer_info(env))
            if "time_duration" not in env:  # marks a client that was just rejected
                self.sessions.logins.established.add(id_key(client_id, since))

    def restart(self) -> Generator[None, None, None]:
        """Record that the daemon restarted: its sessions are over."""
        yield from self.sessions.restart()
        for batch in row_batches(list(self._totals.values())):
            for totals in batch:
                totals.disconnect(self._updated_at)
            yield

    def forget(self, now: float, *, all_gone: bool = False) -> Generator[None, None, bool]:
        """Drop clients that disconnected long ago; return whether there were any.

        Clients of a daemon that is down are kept while they may still be connected; with `all_gone`
        (the daemon does not run) they expire, too.
        """
        count = len(self._totals)
        for names in row_batches(list(self._totals)):
            for name in names:
                totals = self._totals.get(name)
                if totals is None or name in self._expected:
                    continue
                last_seen = self._updated_at if totals.sessions else totals.last_seen or 0
                if (all_gone or not totals.sessions) and now - last_seen > self._forget_after:
                    del self._totals[name]
            yield
        if len(self._totals) == count:
            return False
        self._listings += 1
        return True

    def _add_growth(
        self, sessions: Sequence[ClientSession], now: float
    ) -> Generator[None, None, Sequence[ClientSession]]:
        """Add the growth of sessions to their identities, whose number of sessions is the same.

        Return those of other identities, which are over the limit.
        """
        changes = self.sessions.changes, self._listings
        if self._accounts_at != changes:
            self._accounts = yield from self._find_accounts(sessions)
            self._accounts_at = changes
        accounts = self._accounts
        for start in range(0, len(sessions), MAX_ROWS):
            part = slice(start, start + MAX_ROWS)
            self._add_bytes(sessions[part], accounts[part], now)
            yield
        if all(accounts):
            return ()
        pairs = zip(sessions, accounts, strict=True)
        return [session for session, totals in pairs if totals is None]

    def _find_accounts(
        self, sessions: Sequence[ClientSession]
    ) -> Generator[None, None, Sequence[ClientTotals | None]]:
        """Return the totals of the identity of each session, None if it is over the limit."""
        accounts: list[ClientTotals | None] = []
        for batch in row_batches(sessions):
            accounts += [self._totals.get(session.name) for session in batch]
            yield
        return tuple(accounts)

    def _add_sessions(
        self, sessions: Iterable[ClientSession], now: float
    ) -> Generator[None, None, tuple[dict[str, ClientTotals], int]]:
        """Add the sessions of a poll to their identities.

        Return the identities that are new, and the number of all that have a session.
        """
        new_clients: dict[str, ClientTotals] = {}
        found, known = 0, self._totals
        for batch in row_batches(sessions):
            accounts = [
                known.get(session.name) or new_clients.setdefault(session.name, ClientTotals())
                for session in batch
            ]
            found += _count_sessions(batch, accounts, poll=self._polls)
            self._add_bytes(batch, accounts, now)
            yield
        return new_clients, found

    def _add_bytes(
        self,
        sessions: Iterable[ClientSession],
        accounts: Iterable[ClientTotals | None],
        now: float,
    ) -> None:
        """Add the growth of sessions to their totals, if they have any, and to those of all."""
        received = sent = 0
        for session, totals in zip(sessions, accounts, strict=True):
            growth, sent_growth = session.received_growth, session.sent_growth
            if totals is not None and (growth or sent_growth):
                received += growth
                sent += sent_growth
                totals.received_bytes += growth
                totals.sent_bytes += sent_growth
                totals.last_traffic = now
        self.received_bytes += received
        self.sent_bytes += sent

    def _disconnect_absent(self) -> Generator[None, None, None]:
        for batch in row_batches(list(self._totals.values())):
            for totals in batch:
                if totals.last_poll != self._polls:
                    totals.disconnect(self._updated_at)
            yield

    def _add_new(
        self, new_clients: Mapping[str, ClientTotals], now: float
    ) -> Generator[None, None, None]:
        """Add new identities; over the limit, those with the newest traffic are kept.

        An identity that was over the limit before starts with the growth since the last poll: its
        series may have shown the bytes before.
        """
        capacity = self._limit - len(self._totals)
        evictable: Iterator[str] = iter(())
        if len(new_clients) > capacity:
            evictable = yield from self._evictable(now)
        not_exported = 0
        for batch in row_batches(new_clients.items()):
            for name, totals in batch:
                if capacity <= 0 and totals.last_traffic:
                    evicted = next(evictable, None)
                    capacity += evicted is not None and bool(self._totals.pop(evicted, None))
                if capacity <= 0:
                    not_exported += 1
                    continue
                capacity -= 1
                self._totals[name] = totals
            yield
        self.not_exported = not_exported
        if new_clients:
            self._listings += 1

    def _evictable(self, now: float) -> Generator[None, None, Iterator[str]]:
        """Return the identities without traffic at `now`, the first to drop first.

        They may become expected ones before they are taken.
        """
        idle: list[list[tuple[float, str]]] = []
        for names in row_batches(list(self._totals)):
            idle.append(
                sorted(
                    (totals.last_traffic, name)
                    for name in names
                    if (totals := self._totals.get(name)) is not None
                    and totals.last_traffic != now
                    and name not in self._expected
                )
            )
            yield
        return (name for _, name in heapq.merge(*idle) if name not in self._expected)


def _count_sessions(
    sessions: Iterable[ClientSession], accounts: Iterable[ClientTotals], *, poll: int
) -> int:
    """Count sessions of a poll for their identities; return for how many they are the first."""
    found = 0
    for session, totals in zip(sessions, accounts, strict=True):
        since = session.last_row.connected_since
        if totals.last_poll != poll:
            found += 1
            totals.last_poll = poll
            totals.sessions = 1
            totals.connected_since = since
        else:
            totals.sessions += 1
            totals.connected_since = min(since, totals.connected_since or since)
    return found
