"""The ledger of clients: what makes their counters true.

An *identity* is what the user wants to see: a common name, or a user name. Totals belong to
identities and never fall: sessions of one name are summed, and what a session moved stays counted
after it has gone. Pure and synchronous; time is an argument, in seconds since the epoch.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

import msgspec

from exporter.config.schema import ClientsConfig, Identity
from exporter.management.status import ClientRow, ServerStatus
from exporter.management.values import UNDEFINED
from exporter.state.sessions import SessionSample, SessionTracker

_NAMERS: Mapping[Identity, Callable[[ClientRow], str]] = {
    Identity.AUTO: lambda client: client.common_name or client.username or UNDEFINED,
    Identity.COMMON_NAME: lambda client: client.common_name or UNDEFINED,
    Identity.USERNAME: lambda client: client.username or UNDEFINED,
}


class ClientTotals(msgspec.Struct, gc=False):
    """The totals of one identity.

    `sessions` are the current ones and `connected_since` the start of the oldest; None while
    there is none. `last_seen` is None for an expected client that never came.
    """

    received_bytes: int = 0
    sent_bytes: int = 0
    sessions: int = 0
    connected_since: int | None = None
    last_seen: float | None = None
    last_traffic: float = 0.0


class _Presence(msgspec.Struct, gc=False):
    """What one poll says of one identity: the start of its oldest session, sums over all."""

    since: int
    sessions: int
    received: int
    sent: int
    received_growth: int
    sent_growth: int

    def add(self, other: "_Presence") -> None:
        self.since = min(self.since, other.since)
        self.sessions += other.sessions
        self.received += other.received
        self.sent += other.sent
        self.received_growth += other.received_growth
        self.sent_growth += other.sent_growth


class ClientTable:
    """The accounts of all identities of one daemon."""

    def __init__(self, config: ClientsConfig, expected: Iterable[str] = ()) -> None:
        """Open an empty ledger; `expected` identities have an account from the start."""
        self._limit = config.limit
        self._forget_after = config.forget_after
        self._expected = frozenset(expected)
        self._totals = {name: ClientTotals() for name in sorted(self._expected)}
        self.sessions = SessionTracker(_NAMERS[config.identity])
        self.not_exported = 0
        self.received_bytes = 0
        self.sent_bytes = 0

    @property
    def totals(self) -> Mapping[str, ClientTotals]:
        """The accounts by identity, expected ones included."""
        return MappingProxyType(self._totals)

    @property
    def expected(self) -> frozenset[str]:
        """The identities that are never forgotten."""
        return self._expected

    def update(self, status: ServerStatus, now: float) -> None:
        """Take one complete status."""
        attendance = self.sessions.update(
            status.clients, status.updated, unreadable=status.unparsed
        )
        presences = self._aggregate(attendance)
        for name in self._totals.keys() - presences.keys():
            self._totals[name].sessions = 0
            self._totals[name].connected_since = None
        newcomers: dict[str, _Presence] = {}
        for name, presence in presences.items():
            account = self._totals.get(name)
            if account is None:
                newcomers[name] = presence
            else:
                _enter(account, presence, now)
        self.forget(now)
        self._add_new(newcomers, now)

    def restart(self) -> None:
        """Note that the daemon began again: its sessions are over."""
        self.sessions.restart()
        for account in self._totals.values():
            account.sessions = 0
            account.connected_since = None

    def _aggregate(self, attendance: Iterable[SessionSample]) -> dict[str, _Presence]:
        presences: dict[str, _Presence] = {}
        for session, row, received, sent in attendance:
            presence = _Presence(
                row.connected_since, 1, session.received_bytes, session.sent_bytes, received, sent
            )
            if presences.setdefault(session.name, presence) is not presence:
                presences[session.name].add(presence)
        self.received_bytes += sum(presence.received_growth for presence in presences.values())
        self.sent_bytes += sum(presence.sent_growth for presence in presences.values())
        return presences

    def forget(self, now: float, *, all_gone: bool = False) -> bool:
        """Drop who has not been there for long; return whether there was anybody.

        Who had a session when it was last looked at may still have it, unless `all_gone`: nobody
        is connected to a daemon that does not run.
        """
        gone = [
            name
            for name, account in self._totals.items()
            if (all_gone or not account.sessions)
            and name not in self._expected
            and now - (account.last_seen or 0) > self._forget_after
        ]
        for name in gone:
            del self._totals[name]
        return bool(gone)

    def reconfigure(self, config: ClientsConfig, expected: Iterable[str]) -> None:
        """Go on by other settings; what identifies a client must be the same.

        Who is expected no more stays as long as any other; who is too many goes.
        """
        self._limit = config.limit
        self._forget_after = config.forget_after
        self._expected = frozenset(expected)
        for name in sorted(self._expected):
            self._totals.setdefault(name, ClientTotals())
        surplus = len(self._totals) - self._limit
        for name in self._evictable(math.inf)[-surplus:] if surplus > 0 else ():
            del self._totals[name]

    def _add_new(self, newcomers: Mapping[str, _Presence], now: float) -> None:
        """Open accounts for new identities; beyond the limit newest traffic wins."""
        room = self._limit - len(self._totals)
        idle = self._evictable(now) if len(newcomers) > room else []
        self.not_exported = 0
        for name, presence in newcomers.items():
            if room <= 0 and idle and (presence.received_growth or presence.sent_growth):
                del self._totals[idle.pop()]
                room += 1
            if room <= 0:
                self.not_exported += 1
                continue
            room -= 1
            self._totals[name] = account = ClientTotals()
            # An account that was left out before begins with all that its sessions moved.
            presence.received_growth = presence.received
            presence.sent_growth = presence.sent
            _enter(account, presence, now)

    def _evictable(self, now: float) -> list[str]:
        """Return the accounts that may give way, the one to go first at the end."""
        idle = [
            (account.last_traffic, name)
            for name, account in self._totals.items()
            if account.last_traffic < now and name not in self._expected
        ]
        return [name for _, name in sorted(idle, reverse=True)]


def _enter(account: ClientTotals, presence: _Presence, now: float) -> None:
    account.received_bytes += presence.received_growth
    account.sent_bytes += presence.sent_growth
    account.sessions = presence.sessions
    account.connected_since = presence.since
    account.last_seen = now
    if presence.received_growth or presence.sent_growth:
        account.last_traffic = now
