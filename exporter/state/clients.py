"""The table of a server's clients, which makes their counters monotonic.

An *identity* is what an operator looks for: a common name or a user name. Totals belong to
identities and never fall: the sessions of one identity are summed, and the bytes of a session stay
counted after it has ended. Times are arguments, in seconds since the epoch.
"""

import contextlib
import itertools
import math
from collections.abc import Callable, Generator, Iterable, Mapping
from types import MappingProxyType

import msgspec

from exporter.config.schema import ClientsConfig, Identity
from exporter.management.batches import MAX_ROWS, run_batches
from exporter.management.peer import parse_peer_info
from exporter.management.status import ClientRow, ServerStatus
from exporter.management.values import UNDEFINED, parse_time
from exporter.state.client_session import ClientSession
from exporter.state.sessions import SessionTracker

_IDENTITY_FUNCS: Mapping[Identity, Callable[[ClientRow], str]] = {
    Identity.AUTO: lambda row: row.common_name or row.username or UNDEFINED,
    Identity.COMMON_NAME: lambda row: row.common_name or UNDEFINED,
    Identity.USERNAME: lambda row: row.username or UNDEFINED,
}


class ClientTotals(msgspec.Struct, gc=False):
    """The totals of one identity.

    `sessions` counts the current ones, `connected_since` is the start of the oldest; None without
    one. `last_seen` is None for an expected client that has never connected.
    """

    received_bytes: int = 0
    sent_bytes: int = 0
    sessions: int = 0
    connected_since: int | None = None
    last_seen: float | None = None
    last_traffic: float = 0.0

    def apply(self, poll: "_PollTotals", now: float) -> None:
        """Add what one poll shows of the identity."""
        self.received_bytes += poll.received_growth
        self.sent_bytes += poll.sent_growth
        self.sessions = poll.sessions
        self.connected_since = poll.connected_since
        self.last_seen = now
        if poll.received_growth or poll.sent_growth:
            self.last_traffic = now

    def disconnect(self) -> None:
        """Record that the identity has no session."""
        self.sessions = 0
        self.connected_since = None


class _PollTotals(msgspec.Struct, gc=False):
    """What one poll shows of one identity: sums over its sessions, the start of the oldest."""

    connected_since: int
    sessions: int
    received_growth: int
    sent_growth: int

    def add(self, session: ClientSession) -> None:
        """Add one more session."""
        self.connected_since = min(self.connected_since, session.last_row.connected_since)
        self.sessions += 1
        self.received_growth += session.received_growth
        self.sent_growth += session.sent_growth


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
        self.not_exported = 0
        self.received_bytes = 0
        self.sent_bytes = 0

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
        for name in self._evictable(math.inf)[-surplus:] if surplus > 0 else ():
            del self._totals[name]

    def update(self, status: ServerStatus, now: float) -> None:
        """Update without a pause, as `update_in_batches` does."""
        run_batches(self.update_in_batches(status, now))

    def update_in_batches(
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
        sessions = yield from self.sessions.update_in_batches(
            status.clients,
            status.updated,
            unreadable=status.unparsed,
            monitored_for=monitored_for,
            from_file=from_file,
        )
        yield
        polls = yield from self._aggregate(sessions)
        for name in self._totals.keys() - polls.keys():
            self._totals[name].disconnect()
        yield
        new_clients: dict[str, _PollTotals] = {}
        for number, (name, poll) in enumerate(polls.items()):
            if number % MAX_ROWS == MAX_ROWS - 1:
                yield
            totals = self._totals.get(name)
            if totals is None:
                new_clients[name] = poll
            else:
                totals.apply(poll, now)
        self.forget(now)
        yield
        self._add_new(new_clients, now)

    def add_established(self, client_id: int, env: Mapping[str, str]) -> None:
        """Record the variables of `>CLIENT:ESTABLISHED`, with which a client logs in."""
        with contextlib.suppress(ValueError):  # without a time the session is unknown
            since = parse_time(env.get("time_unix", ""))
            self.sessions.add_peer_info(client_id, since, parse_peer_info(env))
            if "time_duration" not in env:  # marks a client that was just rejected
                self.sessions.logins.add((client_id, since))

    def restart(self) -> None:
        """Record that the daemon restarted: its sessions are over."""
        self.sessions.restart()
        for totals in self._totals.values():
            totals.disconnect()

    def forget(self, now: float, *, all_gone: bool = False) -> bool:
        """Drop clients that disconnected long ago; return whether there were any.

        Clients of a daemon that is down are kept while they may still be connected; with `all_gone`
        (the daemon does not run) they expire, too.
        """
        expired = [
            name
            for name, totals in self._totals.items()
            if (all_gone or not totals.sessions)
            and name not in self._expected
            and now - (totals.last_seen or 0) > self._forget_after
        ]
        for name in expired:
            del self._totals[name]
        return bool(expired)

    def _aggregate(
        self, sessions: Iterable[ClientSession]
    ) -> Generator[None, None, dict[str, _PollTotals]]:
        """Sum the sessions by identity, and their growth into the table's own totals."""
        polls: dict[str, _PollTotals] = {}
        for number, session in enumerate(sessions):
            if number % MAX_ROWS == MAX_ROWS - 1:
                yield
            poll = polls.get(session.name)
            if poll is None:
                polls[session.name] = _PollTotals(
                    session.last_row.connected_since,
                    1,
                    session.received_growth,
                    session.sent_growth,
                )
            else:
                poll.add(session)
        self.received_bytes += sum(poll.received_growth for poll in polls.values())
        self.sent_bytes += sum(poll.sent_growth for poll in polls.values())
        return polls

    def _add_new(self, new_clients: Mapping[str, _PollTotals], now: float) -> None:
        """Add new identities; over the limit, those with the newest traffic are kept."""
        capacity = self._limit - len(self._totals)
        evictable = self._evictable(now) if len(new_clients) > capacity else []
        self.not_exported = 0
        for name, poll in new_clients.items():
            if capacity <= 0 and evictable and (poll.received_growth or poll.sent_growth):
                del self._totals[evictable.pop()]
                capacity += 1
            if capacity <= 0:
                self.not_exported += 1
                continue
            capacity -= 1
            # An identity that was over the limit before starts with the growth since the last poll:
            # its series may have shown the bytes before.
            self._totals[name] = totals = ClientTotals()
            totals.apply(poll, now)

    def _evictable(self, now: float) -> list[str]:
        """Return the identities that may be dropped, the first to drop at the end."""
        idle = [
            (totals.last_traffic, name)
            for name, totals in self._totals.items()
            if totals.last_traffic != now and name not in self._expected
        ]
        return [name for _, name in sorted(idle, reverse=True)]
