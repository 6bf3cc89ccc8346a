"""The sessions of a server's clients: which row of one status goes on with which of the last.

A session is known by client id and start; by name, real address and start where the daemon gives
no id (before 2.4, and in format 1). Peer id and common name identify nothing; the real address
changes when a client floats. Pure; times are the daemon's, in seconds since the epoch.
"""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from exporter.management.log_lines import ConnectLine
from exporter.management.peer import PeerInfo
from exporter.management.status import ClientRow
from exporter.state.histogram import Histogram
from exporter.state.logged_connects import LoggedConnects
from exporter.state.session_matching import match_rows

DURATION_BOUNDS = (60, 300, 900, 1800, 3600, 7200, 14400, 28800, 43200, 86400, 604800)
"""Seconds: from a look at mail to a week of home office; sites stay longer."""

_INTRODUCTION_LIMIT = 10_000
"""Clients that introduced themselves and that no status has shown; the oldest give way."""

_UNKNOWN_PEER = PeerInfo()

IdentityFunc = Callable[[ClientRow], str]
"""Gives the identity of a row."""


class ClientSession(msgspec.Struct, gc=False, eq=False):
    """One session: whose it is, and how far its counters were in its last row.

    It begins with nothing counted; `seen` is when a status last had it. There are ten thousand of
    these for as long as the process lives, so the garbage collector doesn't go over them: they
    refer to nothing that could refer back.
    """

    name: str
    last_row: ClientRow
    peer_info: PeerInfo
    connected_since: int
    last_seen: int
    received_bytes: int = 0
    sent_bytes: int = 0
    missing_once: bool = False

    def update(self, row: ClientRow, now: int) -> tuple[int, int]:
        """Take the session's row; return by how many bytes received and sent it grew.

        A value that fell began again at 0, so all of it is growth.
        """
        received = row.received_bytes - self.received_bytes
        sent = row.sent_bytes - self.sent_bytes
        self.last_row = row
        self.received_bytes = row.received_bytes
        self.sent_bytes = row.sent_bytes
        self.last_seen = now
        self.missing_once = False
        return (
            received if received >= 0 else row.received_bytes,
            sent if sent >= 0 else row.sent_bytes,
        )


def _begin(name: str, row: ClientRow, peer: PeerInfo) -> ClientSession:
    return ClientSession(
        name, row, peer, connected_since=row.connected_since, last_seen=row.connected_since
    )


SessionSample = tuple[ClientSession, ClientRow, int, int]
"""A row, its session, and the growth of bytes received and sent."""

_IdKey = tuple[int, int]
"""Client id and start."""
_RowKey = tuple[str, str, int]
"""Common name, real address and start, where the daemon gives no id."""
_Key = _IdKey | _RowKey


class SessionTracker:
    """All sessions of one daemon, and how they come and go."""

    def __init__(self, namer: IdentityFunc) -> None:
        """Begin without a session; those of the first status began before us."""
        self.connects = 0
        self.disconnects = 0
        self.durations = Histogram(DURATION_BOUNDS)
        self.current: Sequence[SessionSample] = ()
        self._identity = namer
        self._sessions: dict[_Key, ClientSession] = {}
        self._initialised = False
        self._logged_connects = LoggedConnects()
        self._peers: dict[_Key, PeerInfo] = {}

    def add_logged_connect(self, client: ConnectLine) -> None:
        """Take a client that the log says was let in; a status may never show it.

        It counts as a connect at once, and its row doesn't count again.
        """
        if self._initialised:
            self.connects += self._logged_connects.record(client)
        else:
            self._logged_connects.add_matched(client)

    def add_peer_info(self, client_id: int, since: int, peer: PeerInfo) -> None:
        """Take what a client said of itself before it was let in, or turned away."""
        if len(self._peers) >= _INTRODUCTION_LIMIT:
            del self._peers[next(iter(self._peers))]
        self._peers[client_id, since] = peer

    def update(
        self, rows: Sequence[ClientRow], now: int, *, unreadable: int = 0
    ) -> Sequence[SessionSample]:
        """Take the connected rows of one complete status, printed at `now`.

        Where lines of it were unreadable, a session that is missing may be in one of them and is
        kept once: ended and opened anew, all its bytes would count a second time.
        """
        by_key, doubles = _by_key(rows)
        present: dict[_Key, ClientSession] = {}
        attendance: list[SessionSample] = []
        strangers: list[ClientRow] = []
        for key, row in by_key.items():
            session = self._sessions.get(key)
            if session is None:
                strangers.append(row)
            else:
                present[key] = session
                attendance.append((session, row, *session.update(row, now)))
        if strangers:
            attendance += self._match_new_rows(strangers, present, now)
        for row in doubles:  # of them nothing is counted but that they are there
            self._logged_connects.consume(row.common_name, row.real_address)
            attendance.append((_begin(self._identity(row), row, _UNKNOWN_PEER), row, 0, 0))
        if unreadable:
            self._keep_once(present)
        self._close_absent(
            present, without_ids=any(row.client_id is None for row in by_key.values())
        )
        self._initialised = True
        self.current = attendance
        return attendance

    def restart(self) -> None:
        """Note that the daemon began again: its sessions are over and its ids start at 0."""
        self._close(self._sessions.values())
        self._sessions = {}
        self.current = ()

    def _match_new_rows(
        self, rows: Sequence[ClientRow], present: dict[_Key, ClientSession], now: int
    ) -> list[SessionSample]:
        """Find or open the sessions of rows whose key is new, and note them as present.

        Where both polls have ids, a new key is a new session. Else it may be an old one.
        """
        with_ids = rows[0].client_id is not None
        absent = [
            ((key, session), session.last_row)
            for key, session in self._sessions.items()
            if key not in present and not (with_ids and session.last_row.client_id is not None)
        ]
        met: list[SessionSample] = []
        newcomers: list[ClientSession] = []
        for row, known, sure in match_rows(rows, absent):
            key = _key(row)
            if known is None:
                session = self._open_session(key, row)
                newcomers.append(session)
            else:
                key, session = self._continue_session(known, row)
            present[key] = session
            growth = session.update(row, now)
            met.append((session, row, *(growth if sure else (0, 0))))
        self._count_connects(newcomers)
        return met

    def _open_session(self, key: _Key, row: ClientRow) -> ClientSession:
        return _begin(self._identity(row), row, self._peers.pop(key, _UNKNOWN_PEER))

    def _continue_session(
        self, known: tuple[_Key, ClientSession], row: ClientRow
    ) -> tuple[_Key, ClientSession]:
        """Let a session go on in a row of another key; return the key that it has from now on."""
        key, session = known
        if row.client_id is None and _has_id(key):
            return key, session  # the id is worth keeping over polls without ids
        del self._sessions[key]
        if row.client_id is not None:
            session.name = self._identity(row)  # format 1 has no user names
            session.peer_info = self._peers.pop(_key(row), session.peer_info)
        return _key(row), session

    def _count_connects(self, newcomers: Iterable[ClientSession]) -> None:
        """Count new sessions as connects, but those that the log announced."""
        if not self._initialised:
            return
        unmet = [
            session.last_row.common_name
            for session in newcomers
            if not self._logged_connects.consume(
                session.last_row.common_name, session.last_row.real_address
            )
        ]
        self.connects += sum(not self._logged_connects.consume_any_address(name) for name in unmet)

    def _keep_once(self, present: dict[_Key, ClientSession]) -> None:
        """Keep the sessions that are missing for the first time."""
        for key, session in self._sessions.items():
            if key not in present and not session.missing_once:
                session.missing_once = True
                present[key] = session

    def _close_absent(self, present: dict[_Key, ClientSession], *, without_ids: bool) -> None:
        """End the sessions that are not present, and give up those that were only announced."""
        absent = {key: value for key, value in self._sessions.items() if key not in present}
        if without_ids:  # such a poll can't tell whether a session with an id has gone
            kept = {key: session for key, session in absent.items() if _has_id(key)}
            absent = {key: value for key, value in absent.items() if key not in kept}
            present |= kept
        self._close(absent.values())
        self._sessions = present
        self.disconnects += self._logged_connects.rotate()

    def _close(self, sessions: Iterable[ClientSession]) -> None:
        for session in sessions:
            self.disconnects += 1
            self.durations.observe(max(session.last_seen - session.connected_since, 0))


def _by_key(rows: Sequence[ClientRow]) -> tuple[dict[_Key, ClientRow], list[ClientRow]]:
    """Return rows by key, and those that look like another one, which only happens without ids."""
    by_key: dict[_Key, ClientRow] = {
        (row.client_id, row.connected_since): row for row in rows if row.client_id is not None
    }
    if len(by_key) == len(rows):  # as from nearly every daemon
        return by_key, []
    return _by_any_key(rows)


def _by_any_key(rows: Iterable[ClientRow]) -> tuple[dict[_Key, ClientRow], list[ClientRow]]:
    """Do it where rows have no ids.

    Of rows that look alike one stands for all, with the largest values: these only fall when a
    session ends, so that less is counted than moved, but never more.
    """
    by_key: dict[_Key, ClientRow] = {}
    doubles: list[ClientRow] = []
    for row in rows:
        key = _key(row)
        if key in by_key:
            doubles.append(row)
            by_key[key] = msgspec.structs.replace(
                by_key[key],
                received_bytes=max(by_key[key].received_bytes, row.received_bytes),
                sent_bytes=max(by_key[key].sent_bytes, row.sent_bytes),
            )
        else:
            by_key[key] = row
    return by_key, doubles


def _key(row: ClientRow) -> _Key:
    if row.client_id is None:
        return (row.common_name, row.real_address, row.connected_since)
    return (row.client_id, row.connected_since)


def _has_id(key: _Key) -> bool:
    return isinstance(key[0], int)
