"""The sessions of a server's clients: which row of a status continues which session of the last.

A session is known by client id and start; where the daemon gives no client id (before 2.4, and in
format 1) by common name, real address and start. Peer id and common name alone identify nothing;
the real address changes when a client floats. Times are the daemon's, in seconds since the epoch.
"""

import math
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

import msgspec

from exporter.management.batches import MAX_ROWS, run_batches
from exporter.management.log_lines import ConnectLine
from exporter.management.peer import PeerInfo
from exporter.management.status import ClientRow, ServerStatus
from exporter.state.client_session import ClientSession
from exporter.state.counters import Histogram
from exporter.state.logged_connects import LoggedConnects, ShownConnects
from exporter.state.logins import Logins
from exporter.state.session_keys import SessionKey, has_id, rows_by_key, session_key
from exporter.state.session_matching import match_rows

DURATION_BOUNDS = (60, 300, 900, 1800, 3600, 7200, 14400, 28800, 43200, 86400, 604800)
"""Seconds, from a minute to a week."""

_MAX_DURATION = 366 * 86400
"""Seconds; a session that seems to be longer began before the daemon's clock was right."""

_TIME_RESOLUTION = 1
"""Seconds; a session that began in the same second may have begun before."""

_UNSEEN_LIMIT = 10_000
"""Clients whose peer info is kept until a status shows them; the oldest are dropped."""

_LINE_BATCH = 1000
"""Lines of a log history that are counted at once; one takes up to 5 µs."""

_CLOSED_LIMIT = 1000
"""Ended sessions that a log history may still show; it has 250 lines by default."""

_UNKNOWN_PEER = PeerInfo()

IdentityFunc = Callable[[ClientRow], str]
"""Returns the identity of a row."""


class _StartRange(msgspec.Struct, frozen=True):
    """The starts, in the daemon's time, of the sessions that are not older than the exporter."""

    after: float = -math.inf
    until: float = math.inf

    def contains(self, start: int) -> bool:
        return self.after < start <= self.until


class SessionTracker:
    """The current sessions of one daemon, and the counts of those that began and ended."""

    def __init__(self, identity: IdentityFunc, *, absolute: bool = False) -> None:
        """With `absolute` the bytes of the first status count, too: for a single poll."""
        self.connects = 0
        self.disconnects = 0
        self.durations = Histogram(DURATION_BOUNDS)
        self.current: Sequence[ClientSession] = ()
        """The sessions of the last status, one for each of its rows."""
        self._identity = identity
        self._sessions: dict[SessionKey, ClientSession] = {}
        self._absolute = absolute
        self._initialised = False
        self._new_starts = _StartRange()
        self._logged_connects = LoggedConnects()
        self._closed_unlogged: deque[tuple[ClientRow, bool]] = deque(maxlen=_CLOSED_LIMIT)
        self._peer_info: dict[SessionKey, PeerInfo] = {}
        self.logins = Logins()

    def add_logged_connect(self, line: ConnectLine) -> None:
        """Count a client whose connect is in the log; its row does not count again."""
        if self._initialised:
            self.connects += self._logged_connects.record(line)
        else:
            self._logged_connects.add_matched(line)

    def add_logged_connects(self, lines: Sequence[ConnectLine]) -> Generator[None, None, None]:
        """Count the clients whose connect is in a log history, yielding after each batch.

        A session that a status has shown before its line was read is counted already.
        """
        shown = self._shown_connects({line.name for line in lines})
        unmatched: list[ConnectLine] = []
        for start in range(0, len(lines), _LINE_BATCH):
            for line in lines[start : start + _LINE_BATCH]:
                if not self._initialised:
                    self._logged_connects.add_matched(line)
                elif self._logged_connects.record(line):
                    if shown.consume(line):
                        self._logged_connects.consume(line.name, line.real_address)
                    else:
                        unmatched.append(line)
            yield
        for line in unmatched:
            if shown.consume_any_address(line):
                self._logged_connects.consume(line.name, line.real_address)
            else:
                self.connects += 1

    def _shown_connects(self, names: AbstractSet[str]) -> ShownConnects:
        """Return the sessions that may have a line in this log history; no later one has it."""
        shown = ShownConnects()
        for session in self._sessions.values():
            if not session.logged:
                session.logged = True
                if session.last_row.common_name in names:
                    shown.add(session.last_row, from_file=session.from_file)
        for row, from_file in self._closed_unlogged:
            shown.add(row, from_file=from_file)
        self._closed_unlogged.clear()
        return shown

    def add_peer_info(self, client_id: int, since: int, peer_info: PeerInfo) -> None:
        """Keep the peer info of a client that no status has shown yet; it may be rejected."""
        if len(self._peer_info) >= _UNSEEN_LIMIT:
            del self._peer_info[next(iter(self._peer_info))]
        self._peer_info[client_id, since] = peer_info

    def with_logins(self, status: ServerStatus) -> ServerStatus:
        """Return the status with the pending rows of clients that have logged in as connected.

        A client on a bridge has a route only while it sends; one without an address never has. It
        is connected once the daemon has let it in, and stays so while its row is there.
        """
        connected: list[ClientRow] = []
        pending: list[ClientRow] = []
        for row in status.pending:
            key = session_key(row)
            has_login = key in self.logins or key in self._sessions
            (connected if has_login else pending).append(row)
        if not connected:
            return status
        return msgspec.structs.replace(
            status, clients=(*status.clients, *connected), pending=tuple(pending)
        )

    def update(
        self,
        rows: Sequence[ClientRow],
        now: int,
        *,
        unreadable: int = 0,
        monitored_for: float = 0.0,
        from_file: bool = False,
    ) -> Sequence[ClientSession]:
        """Update without a pause, as `update_in_batches` does."""
        return run_batches(
            self.update_in_batches(
                rows,
                now,
                unreadable=unreadable,
                monitored_for=monitored_for,
                from_file=from_file,
            )
        )

    def update_in_batches(
        self,
        rows: Sequence[ClientRow],
        now: int,
        *,
        unreadable: int = 0,
        monitored_for: float = 0.0,
        from_file: bool = False,
    ) -> Generator[None, None, Sequence[ClientSession]]:
        """Update from the connected rows of a status, printed at `now`; return their sessions.

        It yields after each batch of rows.

        Sessions of the first status did not connect, and their bytes do not count, except for those
        that began within `monitored_for` seconds: the time since the exporter began to monitor. If
        lines of the status were unreadable, a missing session may be in one of them and is kept
        once: closed and opened again, all of its bytes would count a second time.
        """
        if not self._initialised:
            self._new_starts = _StartRange(now - monitored_for + _TIME_RESOLUTION, now)
        by_key, duplicates = rows_by_key(rows)
        yield
        active: dict[SessionKey, ClientSession] = {}
        unmatched = yield from self._update_known(by_key, active, now)
        current = list(active.values())
        if unmatched:
            current += yield from self._match_new_rows(unmatched, active, now, from_file=from_file)
        for row in duplicates:  # they count as present; their bytes are ignored
            self._logged_connects.consume(row.common_name, row.real_address)
            current.append(_new_session(self._identity(row), row, _UNKNOWN_PEER))
        if unreadable:
            self._keep_once(active)
        yield
        self._close_absent(
            active, without_ids=any(row.client_id is None for row in by_key.values())
        )
        self._end_first_status(now, unreadable)
        self.current = current
        return current

    def _update_known(
        self,
        by_key: Mapping[SessionKey, ClientRow],
        active: dict[SessionKey, ClientSession],
        now: int,
    ) -> Generator[None, None, list[ClientRow]]:
        """Update the sessions whose key is known, and mark them as active; return other rows."""
        unmatched: list[ClientRow] = []
        for number, (key, row) in enumerate(by_key.items()):
            if number % MAX_ROWS == MAX_ROWS - 1:
                yield
            session = self._sessions.get(key)
            if session is None:
                unmatched.append(row)
            else:
                session.update(row, now)
                active[key] = session
        return unmatched

    def _end_first_status(self, now: int, unreadable: int) -> None:
        if not unreadable:
            self._new_starts = _StartRange()
        elif not self._initialised:  # a session that appears later may be in one of the lines
            self._new_starts = _StartRange(after=now)
        self._initialised = True

    def restart(self) -> None:
        """Record that the daemon restarted: its sessions are over, its client ids start at 0."""
        self._close(self._sessions.values())
        self._sessions = {}
        self.current = ()
        self._initialised = True
        self._new_starts = _StartRange()

    def _match_new_rows(
        self,
        rows: Sequence[ClientRow],
        active: dict[SessionKey, ClientSession],
        now: int,
        *,
        from_file: bool,
    ) -> Generator[None, None, list[ClientSession]]:
        """Find or open the sessions of rows with a new key, and mark them as active.

        If both polls have client ids, a new key is a new session. Else it may be an old one.
        """
        with_ids = rows[0].client_id is not None
        inactive = [
            ((key, session), session.last_row)
            for key, session in self._sessions.items()
            if key not in active and not (with_ids and session.last_row.client_id is not None)
        ]
        matched: list[ClientSession] = []
        opened: list[ClientSession] = []
        for number, (row, known, unambiguous) in enumerate(match_rows(rows, inactive)):
            if number % MAX_ROWS == MAX_ROWS - 1:
                yield
            key = session_key(row)
            if known is None:
                session = self._open_session(key, row)
                session.from_file = from_file
                if self._new_starts.contains(row.connected_since):
                    opened.append(session)
                elif not self._absolute:
                    session.start(row, now)
            else:
                key, session = self._continue_session(known, row)
            active[key] = session
            session.update(row, now)
            if not unambiguous:
                session.drop_growth()
            matched.append(session)
        yield
        self._count_connects(opened)
        return matched

    def _open_session(self, key: SessionKey, row: ClientRow) -> ClientSession:
        peer_info = self._peer_info.pop(key, _UNKNOWN_PEER)
        self.logins.remove(key)
        return _new_session(self._identity(row), row, peer_info)

    def _continue_session(
        self, known: tuple[SessionKey, ClientSession], row: ClientRow
    ) -> tuple[SessionKey, ClientSession]:
        """Continue a session in a row with another key; return its key from now on."""
        key, session = known
        if row.client_id is None and has_id(key):
            return key, session  # keep the client id over polls without client ids
        del self._sessions[key]
        if row.client_id is not None:
            session.name = self._identity(row)  # format 1 has no user names
            session.peer_info = self._peer_info.pop(session_key(row), session.peer_info)
        return session_key(row), session

    def _count_connects(self, opened: Iterable[ClientSession]) -> None:
        """Count new sessions as connects, except those that the log has shown."""
        unmatched: list[ClientSession] = []
        for session in opened:
            row = session.last_row
            session.logged = self._logged_connects.consume(row.common_name, row.real_address)
            if not session.logged:
                unmatched.append(session)
        for session in unmatched:
            name = session.last_row.common_name
            session.logged = self._logged_connects.consume_any_address(name)
            self.connects += not session.logged

    def _keep_once(self, active: dict[SessionKey, ClientSession]) -> None:
        """Keep the sessions that are missing for the first time."""
        for key, session in self._sessions.items():
            if key not in active and not session.missing_once:
                session.missing_once = True
                active[key] = session

    def _close_absent(self, active: dict[SessionKey, ClientSession], *, without_ids: bool) -> None:
        """Close the sessions that are not active, and expire logged connects."""
        absent = {key: session for key, session in self._sessions.items() if key not in active}
        if without_ids:  # a poll without client ids doesn't show whether a session with one ended
            active |= {key: session for key, session in absent.items() if has_id(key)}
            absent = {key: session for key, session in absent.items() if not has_id(key)}
        self._close(absent.values())
        self._sessions = active
        self.disconnects += self._logged_connects.rotate()

    def _close(self, sessions: Iterable[ClientSession]) -> None:
        for session in sessions:
            self.disconnects += 1
            if not session.logged:
                self._closed_unlogged.append((session.last_row, session.from_file))
            if 0 <= session.duration <= _MAX_DURATION:
                self.durations.observe(session.duration)


def _new_session(name: str, row: ClientRow, peer_info: PeerInfo) -> ClientSession:
    return ClientSession(name, row, peer_info, last_seen=row.connected_since)
