"""The ledger of clients: what makes their counters true.

A *session* is one connected row of the status, told from others by client id and start time;
where the daemon gives no id (before 2.4, and in format 1) by name and real address. An *identity*
is what the user wants to see: a common name, or a user name. Peer id and common name alone
identify no session.

Totals belong to identities and never fall: sessions of one name are summed, and what a session
moved stays counted after it has gone. Pure and synchronous; time is an argument, in seconds
since the epoch.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

import msgspec

from exporter.config.schema import ClientsConfig, Identity
from exporter.daemon.growth import Growth
from exporter.management.status import Client
from exporter.management.status.reading import UNDEFINED

_NAMERS: Mapping[Identity, Callable[[Client], str]] = {
    Identity.AUTO: lambda client: client.common_name or client.username or UNDEFINED,
    Identity.COMMON_NAME: lambda client: client.common_name or UNDEFINED,
    Identity.USERNAME: lambda client: client.username or UNDEFINED,
}


class Account(msgspec.Struct):
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


class _Session:
    """One session: its name, where it comes from, and how far its counters were."""

    __slots__ = ("address", "name", "received", "sent")

    def __init__(self, name: str) -> None:
        self.name = name
        self.address = ("", "")
        self.received = Growth()
        self.sent = Growth()


_IdKey = tuple[int, int]
"""Client id and start."""
_RowKey = tuple[str, str, int]
"""Common name, real address and start, where the daemon gives no id."""
_SessionKey = _IdKey | _RowKey


class _Attendance(msgspec.Struct):
    """What one poll says of one identity."""

    sessions: int = 0
    connected_since: int | None = None
    received_growth: int = 0
    sent_growth: int = 0
    received_bytes: int = 0
    sent_bytes: int = 0

    def add(self, row: Client, received_growth: int, sent_growth: int) -> None:
        since = row.connected_since
        self.sessions += 1
        if self.connected_since is None or since < self.connected_since:
            self.connected_since = since
        self.received_growth += received_growth
        self.sent_growth += sent_growth
        self.received_bytes += row.received_bytes
        self.sent_bytes += row.sent_bytes


class Ledger:
    """The accounts of all identities of one daemon."""

    def __init__(self, config: ClientsConfig, expected: Iterable[str] = ()) -> None:
        """Open an empty ledger; `expected` identities have an account from the start."""
        self._limit = config.limit
        self._forget_after = config.forget_after
        self._name = _NAMERS[config.identity]
        self._expected = frozenset(expected)
        self._accounts = {name: Account() for name in sorted(self._expected)}
        self._sessions: dict[_SessionKey, _Session] = {}
        self.not_exported = 0
        self.received_bytes = 0
        self.sent_bytes = 0

    @property
    def accounts(self) -> Mapping[str, Account]:
        """The accounts by identity, expected ones included."""
        return MappingProxyType(self._accounts)

    @property
    def expected(self) -> frozenset[str]:
        """The identities that are never forgotten."""
        return self._expected

    def identity(self, client: Client) -> str:
        """Return the name under which a row of the last update is kept."""
        session = self._sessions.get(_key(client))
        return session.name if session else self._name(client)

    def update(self, clients: Iterable[Client], now: float) -> None:
        """Take the connected rows of one complete status."""
        attendance = self._attend(clients)
        for name, account in self._accounts.items():
            if name not in attendance:
                account.sessions = 0
                account.connected_since = None
        self._forget(now)
        newcomers: dict[str, _Attendance] = {}
        for name, present in attendance.items():
            if name in self._accounts:
                _enter(self._accounts[name], present, now)
            else:
                newcomers[name] = present
        self._admit(newcomers, now)

    def restart(self) -> None:
        """Note that the daemon began again: its sessions are gone, its ids may come back."""
        self._sessions.clear()
        for account in self._accounts.values():
            account.sessions = 0
            account.connected_since = None

    def _attend(self, clients: Iterable[Client]) -> dict[str, _Attendance]:
        attendance: dict[str, _Attendance] = {}
        sessions: dict[_SessionKey, _Session] = {}
        strangers: list[Client] = []
        for row in clients:
            key = _key(row)
            session = self._sessions.get(key)
            if session is None:
                strangers.append(row)
            elif key in sessions:  # rows that look alike: no growth rather than a wrong one
                _present(attendance, session).add(row, 0, 0)
            else:
                sessions[key] = session
                self._take(row, session, attendance)
        for key, row, session in self._meet(strangers, sessions):
            sessions[key] = session
            self._take(row, session, attendance)
        self._sessions = sessions
        return attendance

    def _take(self, row: Client, session: _Session, attendance: dict[str, _Attendance]) -> None:
        received = session.received.take(row.received_bytes)
        sent = session.sent.take(row.sent_bytes)
        self.received_bytes += received
        self.sent_bytes += sent
        session.address = (row.common_name, row.real_address)
        _present(attendance, session).add(row, received, sent)

    def _meet(
        self, rows: Iterable[Client], seen: Mapping[_SessionKey, _Session]
    ) -> Iterator[tuple[_SessionKey, Client, _Session]]:
        """Find the sessions of rows whose key is new.

        A poll answered in format 1 has no ids, and its rows have other keys than those before
        and after it: they go on with the session of their name and address. A row with an id
        only goes on with a session that had none, or a reconnect from the same port would
        continue the old session.
        """
        left = {
            (session.address, _has_id(key)): key
            for key, session in self._sessions.items()
            if key not in seen
        }
        for key, row in {_key(row): row for row in rows}.items():
            known = left.pop(((row.common_name, row.real_address), row.client_id is None), None)
            if known is None:
                yield key, row, _Session(self._name(row))
            else:
                yield (known if row.client_id is None else key), row, self._sessions[known]

    def _forget(self, now: float) -> None:
        gone = [
            name
            for name, account in self._accounts.items()
            if not account.sessions
            and name not in self._expected
            and now - (account.last_seen or 0) > self._forget_after
        ]
        for name in gone:
            del self._accounts[name]

    def _admit(self, newcomers: dict[str, _Attendance], now: float) -> None:
        """Open accounts for new identities; beyond the limit newest traffic wins."""
        room = self._limit - len(self._accounts)
        idle = self._idle(now) if len(newcomers) > room else []
        self.not_exported = 0
        for name, present in newcomers.items():
            if room <= 0 and idle:
                del self._accounts[idle.pop()]
                room += 1
            if room <= 0:
                self.not_exported += 1
                continue
            room -= 1
            self._accounts[name] = account = Account()
            present.received_growth = present.received_bytes
            present.sent_growth = present.sent_bytes
            _enter(account, present, now)

    def _idle(self, now: float) -> list[str]:
        """Return the accounts that may give way, the one to go first at the end."""
        idle = [
            (account.last_traffic, name)
            for name, account in self._accounts.items()
            if account.last_traffic < now and name not in self._expected
        ]
        return [name for _, name in sorted(idle, reverse=True)]


def _present(attendance: dict[str, _Attendance], session: _Session) -> _Attendance:
    present = attendance.get(session.name)
    if present is None:
        present = attendance[session.name] = _Attendance()
    return present


def _has_id(key: _SessionKey) -> bool:
    return isinstance(key[0], int)


def _key(row: Client) -> _SessionKey:
    if row.client_id is None:
        return (row.common_name, row.real_address, row.connected_since)
    return (row.client_id, row.connected_since)


def _enter(account: Account, present: _Attendance, now: float) -> None:
    account.received_bytes += present.received_growth
    account.sent_bytes += present.sent_growth
    account.sessions = present.sessions
    account.connected_since = present.connected_since
    account.last_seen = now
    if present.received_growth or present.sent_growth:
        account.last_traffic = now
