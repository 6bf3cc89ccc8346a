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

from exporter.config.schema import ClientsConfig, Identity
from exporter.management.batches import release, row_batches, run_batches
from exporter.management.peer import parse_peer_info
from exporter.management.status import ClientRow, ServerStatus
from exporter.management.values import UNDEFINED, parse_time
from exporter.state.client_session import ClientSession
from exporter.state.client_totals import ClientTotals
from exporter.state.idle_clients import IdleClients
from exporter.state.session_counts import SessionCounts
from exporter.state.session_keys import id_key
from exporter.state.sessions import SessionChanges, SessionTracker

_IDENTITY_FUNCS: Mapping[Identity, Callable[[ClientRow], str]] = {
    Identity.AUTO: lambda row: row.common_name or row.username or UNDEFINED,
    Identity.COMMON_NAME: lambda row: row.common_name or UNDEFINED,
    Identity.USERNAME: lambda row: row.username or UNDEFINED,
}

_NO_NAMES: frozenset[str] = frozenset()


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
        self._expected = frozenset(expected) or _NO_NAMES
        self._totals = {name: ClientTotals() for name in sorted(self._expected)}
        self.sessions = SessionTracker(_IDENTITY_FUNCS[config.identity], absolute=absolute)
        self.idle = IdleClients()
        self.counts = SessionCounts()
        self.not_exported = 0
        self.received_bytes = 0
        self.sent_bytes = 0
        self._updated_at = 0.0
        """The time of the last poll, which found all clients that have a session."""
        self._counts = 0
        """How often all sessions were counted."""
        self._drops = 0
        """How often identities were dropped that may have sessions."""
        self._linked_at = -1
        """The drops before the last poll after which sessions had the totals of their identity."""
        self._next_expiry = math.inf
        """The time until which no client is to be forgotten."""
        self._listings = 0
        """Grows whenever other identities are in the table."""

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
        self._expected = frozenset(expected) or _NO_NAMES
        for name in sorted(self._expected):
            self._totals.setdefault(name, ClientTotals())
        surplus = len(self._totals) - self._limit
        if surplus > 0:
            evictable = run_batches(self._evictable(math.inf))
            for name in list(itertools.islice(evictable, surplus)):
                del self._totals[name]
        self._listings += 1
        self._drops += 1
        self._next_expiry = -math.inf

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
        drops, were_linked = self._drops, self._linked_at == self._drops
        self._linked_at = -1  # in case of an early end
        changes = yield from self.sessions.update(
            status.clients,
            status.updated,
            unreadable=status.unparsed,
            monitored_for=monitored_for,
            from_file=from_file,
        )
        self._listings += not were_linked
        counted, new_clients = yield from self._count_sessions(
            changes if were_linked else None, now
        )
        if now > self._next_expiry:
            yield from self.forget(now)
        yield from self._add_new(new_clients, now)
        if self.not_exported:
            yield from self._unlink_others(counted)
        yield from release(new_clients)
        self._updated_at = now
        self._linked_at = drops  # none is linked any more if some were dropped meanwhile
        self._listings += self._drops > drops  # and a page since then has had old sessions

    def _count_sessions(
        self, changes: SessionChanges | None, now: float
    ) -> Generator[None, None, tuple[Iterable[ClientSession], dict[str, ClientTotals]]]:
        """Count what has changed, all sessions if that is unknown, and add the growth of all.

        Return the sessions that were counted, and the identities that are new.
        """
        sessions = self.sessions.current
        if changes is None:
            self._counts += 1
            new_clients = yield from self._add_sessions(sessions, now)
            yield from self._disconnect_absent()
            return sessions, new_clients
        yield from self._add_growth(sessions, now)
        unlinked = changes.opened
        if self.not_exported:
            unlinked = yield from self._find_unlinked(sessions)
        new_clients = yield from self._add_sessions(unlinked, now)
        yield from self._remove_sessions(changes.ended.values())
        yield from release(changes.ended)
        return unlinked, new_clients

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
                if totals.sessions:
                    self._disconnect(totals)
            yield

    def forget(self, now: float, *, all_gone: bool = False) -> Generator[None, None, bool]:
        """Drop clients that disconnected long ago; return whether there were any.

        Clients of a daemon that is down are kept while they may still be connected; with `all_gone`
        (the daemon does not run) they expire, too.
        """
        count = len(self._totals)
        next_expiry = math.inf
        for names in row_batches(list(self._totals)):
            for name in names:
                totals = self._totals.get(name)
                if totals is None or name in self._expected or (totals.sessions and not all_gone):
                    continue
                last_seen = self._updated_at if totals.sessions else totals.last_seen or 0
                if now - last_seen > self._forget_after:
                    del self._totals[name]
                    self._drops += totals.sessions > 0
                elif not totals.sessions:
                    next_expiry = min(next_expiry, last_seen + self._forget_after)
            yield
        self._next_expiry = next_expiry
        if len(self._totals) == count:
            return False
        self._listings += 1
        return True

    def _add_growth(
        self, sessions: Sequence[ClientSession], now: float
    ) -> Generator[None, None, None]:
        """Add the growth of the sessions that have the totals of their identity."""
        for batch in row_batches(sessions):
            self._add_bytes(batch, now)
            yield

    @staticmethod
    def _find_unlinked(
        sessions: Iterable[ClientSession],
    ) -> Generator[None, None, Sequence[ClientSession]]:
        """Return the sessions without totals: new ones, and those of identities over the limit."""
        unlinked: list[ClientSession] = []
        for batch in row_batches(sessions):
            unlinked += [session for session in batch if session.totals is None]
            yield
        return unlinked

    def _add_sessions(
        self, sessions: Iterable[ClientSession], now: float
    ) -> Generator[None, None, dict[str, ClientTotals]]:
        """Count sessions for their identities, and add their growth; return new identities."""
        new_clients: dict[str, ClientTotals] = {}
        known, count = self._totals, self._counts
        for batch in row_batches(sessions):
            for session in batch:
                name = session.name
                totals = known.get(name) or new_clients.setdefault(name, ClientTotals())
                totals.add_session(session.last_row.connected_since, count=count)
                session.totals = totals
            self._add_bytes(batch, now)
            yield
        return new_clients

    def _add_bytes(self, sessions: Iterable[ClientSession], now: float) -> None:
        """Add the growth of sessions to their totals, if they have any, and to those of all."""
        received = sent = 0
        for session in sessions:
            totals = session.totals
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
                if totals.sessions and totals.last_count != self._counts:
                    self._disconnect(totals)
            yield

    def _remove_sessions(self, ended: Iterable[ClientSession]) -> Generator[None, None, None]:
        """Count sessions no more for their identities; others may have more of them."""
        without_oldest: dict[str, ClientTotals] = {}
        for batch in row_batches(ended):
            for session in batch:
                totals = session.totals
                if totals is None:
                    continue
                if totals.sessions == 1:
                    self._disconnect(totals)
                    continue
                totals.sessions -= 1
                if totals.connected_since == session.last_row.connected_since:
                    without_oldest[session.name] = totals
            yield
        yield from self._find_starts(without_oldest)

    def _find_starts(self, without_oldest: dict[str, ClientTotals]) -> Generator[None, None, None]:
        """Find the oldest sessions of identities whose oldest one ended; empty `without_oldest`."""
        starts: dict[str, int] = {}
        for batch in row_batches(self.sessions.current if without_oldest else ()):
            for session in batch:
                if session.name in without_oldest:
                    since = session.last_row.connected_since
                    starts[session.name] = min(since, starts.get(session.name, since))
            yield
        for items in row_batches(starts.items()):
            for name, since in items:
                without_oldest[name].connected_since = since
            yield
        yield from release(starts)
        yield from release(without_oldest)

    def _disconnect(self, totals: ClientTotals) -> None:
        totals.disconnect(self._updated_at)
        self._next_expiry = min(self._next_expiry, self._updated_at + self._forget_after)

    def _unlink_others(self, sessions: Iterable[ClientSession]) -> Generator[None, None, None]:
        """Take their totals from sessions of identities that are not in the table."""
        for batch in row_batches(sessions):
            for session in batch:
                if self._totals.get(session.name) is not session.totals:
                    session.totals = None
            yield

    def _add_new(
        self, new_clients: Mapping[str, ClientTotals], now: float
    ) -> Generator[None, None, None]:
        """Add new identities; over the limit, those with the newest traffic are kept.

        An identity that was over the limit before starts with the growth since the last poll: its
        series may have shown the bytes before.
        """
        evictable: Iterator[str] = iter(())
        if len(self._totals) + len(new_clients) > self._limit:
            evictable = yield from self._evictable(now)
        not_exported = 0
        for batch in row_batches(new_clients.items()):
            for name, totals in batch:
                if len(self._totals) >= self._limit and totals.last_traffic:
                    not_exported += self._evict(evictable)
                if len(self._totals) >= self._limit:
                    not_exported += 1
                else:
                    self._totals[name] = totals
            yield
        self.not_exported = not_exported
        if new_clients:
            self._listings += 1

    def _evict(self, names: Iterable[str]) -> bool:
        """Drop the first of these identities that is there; return whether it has sessions."""
        for name in names:
            totals = self._totals.pop(name, None)
            if totals is not None:
                self._drops += 1
                return totals.sessions > 0
        return False

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
