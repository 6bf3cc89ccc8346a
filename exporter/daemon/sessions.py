"""The sessions of a server's clients: which row of one status goes on with which of the last.

A session is known by client id and start; by name, real address and start where the daemon gives
no id (before 2.4, and in format 1). Peer id and common name identify nothing; the real address
changes when a client floats. Pure; times are the daemon's, in seconds since the epoch.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeGuard

from exporter.daemon.histogram import Histogram
from exporter.management.log_line import NewClient
from exporter.management.peer import Peer
from exporter.management.status import Client

DURATION_BOUNDS = (60, 300, 900, 1800, 3600, 7200, 14400, 28800, 43200, 86400, 604800)
"""Seconds: from a look at mail to a week of home office; sites stay longer."""

_ANNOUNCEMENT_LIMIT = 10_000
"""Clients that the log or a notification named and no status has shown yet."""

Namer = Callable[[Client], str]
"""Gives the identity of a row."""


class Session:
    """One session: whose it is, where it comes from, and how far its counters were."""

    __slots__ = ("address", "name", "peer", "received_bytes", "seen", "sent_bytes", "since")

    def __init__(self, name: str, since: int, peer: Peer) -> None:
        """Begin with nothing counted."""
        self.name = name
        self.since = since
        self.peer = peer
        self.address = ("", "")
        self.received_bytes = 0
        self.sent_bytes = 0
        self.seen = since

    def grow(self, row: Client) -> tuple[int, int]:
        """Take the session's row; return by how many bytes received and sent it grew.

        A value that fell began again at 0, so all of it is growth.
        """
        received = row.received_bytes - self.received_bytes
        sent = row.sent_bytes - self.sent_bytes
        self.received_bytes = row.received_bytes
        self.sent_bytes = row.sent_bytes
        return (
            received if received >= 0 else row.received_bytes,
            sent if sent >= 0 else row.sent_bytes,
        )


Attendance = tuple[Session, Client, int, int]
"""A row, its session, and the growth of bytes received and sent."""

_IdKey = tuple[int, int]
"""Client id and start."""
_RowKey = tuple[str, str, int]
"""Common name, real address and start, where the daemon gives no id."""
_Key = _IdKey | _RowKey


class _Announcement:
    """How often the log named a client: once a session and address family."""

    __slots__ = ("ipv4", "ipv6", "met")

    def __init__(self) -> None:
        self.ipv4 = 0
        self.ipv6 = 0
        self.met = 0

    @property
    def unmet(self) -> int:
        """The sessions that no status has shown yet."""
        return max(self.ipv4, self.ipv6) - self.met

    def take(self, *, ipv6: bool) -> int:
        """Take one line; return by how many sessions it is more."""
        before = self.unmet
        self.ipv6 += ipv6
        self.ipv4 += not ipv6
        return self.unmet - before

    def expects(self, *, ipv6: bool) -> bool:
        """Tell whether a line of this family belongs to a session that is known by the other."""
        return self.ipv6 < self.ipv4 if ipv6 else self.ipv4 < self.ipv6


_Announcements = dict[tuple[str, str], _Announcement]
"""By common name and real address."""


class Sessions:
    """All sessions of one daemon, and how they come and go."""

    def __init__(self, namer: Namer) -> None:
        """Begin without a session; those of the first status began before us."""
        self.connects = 0
        self.disconnects = 0
        self.durations = Histogram(DURATION_BOUNDS)
        self._namer = namer
        self.current: Sequence[Attendance] = ()
        self._sessions: dict[_Key, Session] = {}
        self._began = False
        # Clients that the log named: in the interval under way, and in the one before.
        self._announced: _Announcements = {}
        self._overdue: _Announcements = {}
        self._peers: dict[_IdKey, Peer] = {}

    def announce(self, client: NewClient) -> None:
        """Take a client that the log says was let in; a status may never show it.

        It counts as a connect at once, and its row doesn't count again.
        """
        key = (client.name, client.real_address)
        known = self._overdue.get(key)
        if known is None or not known.expects(ipv6=client.ipv6):
            if not self._began or len(self._announced) >= _ANNOUNCEMENT_LIMIT:
                return
            known = self._announced.setdefault(key, _Announcement())
        self.connects += known.take(ipv6=client.ipv6)

    def introduce(self, client_id: int, since: int, peer: Peer) -> None:
        """Take what a client said of itself before it was let in, or turned away."""
        if len(self._peers) < _ANNOUNCEMENT_LIMIT:
            self._peers[client_id, since] = peer

    def update(self, rows: Iterable[Client], now: int) -> Sequence[Attendance]:
        """Take the connected rows of one complete status, printed at `now`."""
        present: dict[_Key, Session] = {}
        attendance: list[Attendance] = []
        strangers: list[Client] = []
        for row in rows:
            key = _key(row)
            session = self._sessions.get(key)
            if session is None:
                strangers.append(row)
            elif key in present:  # rows that look alike: no growth rather than a wrong one
                attendance.append((session, row, 0, 0))
            else:
                present[key] = session
                attendance.append((session, row, *session.grow(row)))
        for key, row, session in self._meet(strangers, present):
            present[key] = session
            attendance.append((session, row, *session.grow(row)))
        for session, row, _, _ in attendance:
            session.address = (row.common_name, row.real_address)
            session.seen = now
        self._end(session for key, session in self._sessions.items() if key not in present)
        self._sessions = present
        self._end_announced()
        self._began = True
        self.current = attendance
        return attendance

    def restart(self) -> None:
        """Note that the daemon began again: its sessions are over and its ids start at 0."""
        self._end(self._sessions.values())
        self._sessions = {}
        self.current = ()
        self._peers.clear()

    def _meet(
        self, rows: Iterable[Client], present: Mapping[_Key, Session]
    ) -> Iterator[tuple[_Key, Client, Session]]:
        """Find or open the sessions of rows whose key is new.

        A poll answered in format 1 has no ids, and its rows have other keys than those before
        and after it: they go on with the session of their name and address. A row with an id
        only goes on with a session that had none, or a reconnect from the same port would
        continue the old session.
        """
        left = {
            (session.address, _has_id(key)): key
            for key, session in self._sessions.items()
            if key not in present
        }
        for key, row in {_key(row): row for row in rows}.items():
            address = (row.common_name, row.real_address)
            known = left.pop((address, not _has_id(key)), None)
            if known is None:
                yield key, row, self._open(key, row)
            else:
                session = self._sessions.pop(known)
                # The id is worth keeping over a poll without ids.
                yield (known if _has_id(known) else key), row, session

    def _open(self, key: _Key, row: Client) -> Session:
        if self._began and not self._was_announced((row.common_name, row.real_address)):
            self.connects += 1
        peer = self._peers.pop(key, Peer()) if _has_id(key) else Peer()
        return Session(self._namer(row), row.connected_since, peer)

    def _was_announced(self, address: tuple[str, str]) -> bool:
        for announcements in (self._overdue, self._announced):
            announcement = announcements.get(address)
            if announcement is not None and announcement.unmet > 0:
                announcement.met += 1
                return True
        return False

    def _end(self, sessions: Iterable[Session]) -> None:
        for session in sessions:
            self.disconnects += 1
            self.durations.observe(max(session.seen - session.since, 0))

    def _end_announced(self) -> None:
        """Give up announced clients that two statuses did not show: they came and went.

        One is not enough: the line may have come right behind the status.
        """
        self.disconnects += sum(announcement.unmet for announcement in self._overdue.values())
        self._overdue, self._announced = self._announced, {}


def _key(row: Client) -> _Key:
    if row.client_id is None:
        return (row.common_name, row.real_address, row.connected_since)
    return (row.client_id, row.connected_since)


def _has_id(key: _Key) -> TypeGuard[_IdKey]:
    return isinstance(key[0], int)
