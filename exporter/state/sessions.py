"""The sessions of a server's clients: which row of a status continues which session of the last.

A session is known by client id and start; where the daemon gives no client id (before 2.4, and in
format 1) by common name, real address and start. Peer id and common name alone identify nothing;
the real address changes when a client floats. Times are the daemon's, in seconds since the epoch.
"""

import operator
from collections.abc import (
    Callable,
    Container,
    Generator,
    Iterable,
    Iterator,
    Sequence,
)
from typing import NamedTuple

from exporter.management.batches import MAX_ROWS, release, row_batches
from exporter.management.log_lines import ConnectLine
from exporter.management.peer import PeerInfo
from exporter.management.status import ClientRow, ServerStatus
from exporter.state.client_session import ClientSession, update_counters
from exporter.state.counters import Histogram
from exporter.state.first_status import FirstStatus
from exporter.state.known_rows import FoundSessions, LastRows, update_known
from exporter.state.logged_connects import (
    LoggedConnects,
    ShownConnect,
    shown_connect,
    shown_connects,
)
from exporter.state.logins import Logins
from exporter.state.oldest import drop_oldest
from exporter.state.session_keys import SessionKey, has_id, id_key, rows_by_key, session_key
from exporter.state.session_matching import match_rows

DURATION_BOUNDS = (60, 300, 900, 1800, 3600, 7200, 14400, 28800, 43200, 86400, 604800)
"""Seconds, from a minute to a week."""

_MAX_DURATION = 366 * 86400
"""Seconds; a session that seems to be longer began before the daemon's clock was right."""

_UNSEEN_LIMIT = 10_000
"""Clients whose peer info is kept until a status shows them; the oldest are dropped."""

_CLOSED_LIMIT = 1000
"""Ended sessions that a log history may still show; it has 250 lines by default."""

_UNKNOWN_PEER = PeerInfo()

IdentityFunc = Callable[[ClientRow], str]
"""Returns the identity of a row."""


class SessionChanges(NamedTuple):
    """The sessions of which the last status has a row for the first time, or no row any more."""

    opened: Sequence[ClientSession]
    ended: dict[SessionKey, ClientSession]


class SessionTracker:
    """The current sessions of one daemon, and the counts of those that began and ended."""

    def __init__(self, identity: IdentityFunc, *, absolute: bool = False) -> None:
        """With `absolute` the bytes of the first status count, too: for a single poll."""
        self.connects = 0
        self.disconnects = 0
        self.durations = Histogram(DURATION_BOUNDS)
        self.current: Sequence[ClientSession] = ()
        """The sessions of the last status, one for each of its rows."""
        self.changes = 0
        """Grows whenever a session may have begun or ended."""
        self.row_changes = 0
        """Grows whenever more of a session than the counters of its row may have changed."""
        self._identity = identity
        self._sessions: dict[SessionKey, ClientSession] = {}
        self._absolute = absolute
        self._all_have_ids = False
        self._duplicates = 0
        """The rows of the last status that had the key of another one."""
        self._last_rows: LastRows | None = None
        """Those of `current`, if each session has a row and a client id."""
        self._updated = 0
        """The time of the last status."""
        self._first_status = FirstStatus()
        self._logged_connects = LoggedConnects()
        self._closed_unlogged: list[ShownConnect] = []
        self._peer_info: dict[SessionKey, PeerInfo] = {}
        self.logins = Logins()

    def __contains__(self, key: object) -> bool:
        """Return whether a session goes on, even if the last status did not show it."""
        return key in self._sessions

    def add_logged_connect(self, line: ConnectLine) -> None:
        """Count a client whose connect is in the log; its row does not count again."""
        if self._first_status.is_over:
            self.connects += self._logged_connects.record(line)
        else:
            self._logged_connects.add_matched(line)

    def add_logged_connects(self, lines: Sequence[ConnectLine]) -> Generator[None, None, None]:
        """Count the clients whose connect is in a log history, yielding after each batch.

        A session that a status has shown before its line was read is counted already.
        """
        shown = yield from shown_connects(self._sessions.values(), {line.name for line in lines})
        for closed in self._closed_unlogged:
            shown.add(closed)
        self._closed_unlogged.clear()
        unmatched: list[ConnectLine] = []
        for batch in row_batches(lines):
            for line in batch:
                if not self._first_status.is_over:
                    self._logged_connects.add_matched(line)
                elif self._logged_connects.record(line):
                    if shown.consume(line):
                        self._logged_connects.consume(line.name, line.real_address)
                    else:
                        unmatched.append(line)
            yield
        for batch in row_batches(unmatched):
            for line in batch:
                if shown.consume_any_address(line):
                    self._logged_connects.consume(line.name, line.real_address)
                else:
                    self.connects += 1
            yield

    def add_peer_info(self, client_id: int, since: int, peer_info: PeerInfo) -> None:
        """Keep the peer info of a client that no status has shown yet; it may be rejected."""
        drop_oldest(self._peer_info, _UNSEEN_LIMIT - 1)
        self._peer_info[id_key(client_id, since)] = peer_info

    def with_logins(self, status: ServerStatus) -> Generator[None, None, ServerStatus]:
        """Return the status with the rows of all clients that were let in as connected."""
        return self.logins.apply(status, self._sessions, all_have_ids=self._all_have_ids)

    def update(
        self,
        rows: Sequence[ClientRow],
        now: int,
        *,
        unreadable: int = 0,
        monitored_for: float = 0.0,
        from_file: bool = False,
    ) -> Generator[None, None, SessionChanges | None]:
        """Update from the connected rows of a status, printed at `now`.

        It yields after each batch of rows. Return what has changed, None if that is unknown.

        Sessions of the first status did not connect, and their bytes do not count, except for those
        that began within `monitored_for` seconds: the time since the exporter began to monitor. If
        lines of the status were unreadable, a missing session may be in one of them and is kept
        once: closed and opened again, all of its bytes would count a second time.
        """
        self._first_status.begin(now, monitored_for)
        before, keep_once = self._sessions, unreadable > 0
        last, self._last_rows = self._last_rows, None  # in case of an early end
        found = None if last is None else (yield from last.find(rows, self._sessions))
        changes: SessionChanges | None = None
        if found is not None:
            current, changes = yield from self._update_found(
                found, rows, now, keep_once=keep_once, from_file=from_file
            )
        else:
            current = yield from self._update_by_key(
                rows, now, keep_once=keep_once, from_file=from_file
            )
        if current is self.current:  # rows and sessions are the same
            self._last_rows = last
        else:
            last = None
            yield
            self._set_current(current, rows)
            yield
            if before is not self._sessions:  # it takes long to free many sessions at once
                yield from release(before)
        self._updated = now
        if not (unreadable or from_file):
            self.logins.logged.on_status_counted()
        self.disconnects += self._logged_connects.rotate()
        self._first_status.end(now, unreadable)
        return changes

    def _set_current(self, current: Sequence[ClientSession], rows: Sequence[ClientRow]) -> None:
        if len(current) != len(self.current) or not all(map(operator.is_, current, self.current)):
            self.changes += 1
        self.current = tuple(current)  # the garbage collector looks at each item of a list
        if self._all_have_ids and not self._duplicates and len(current) == len(self._sessions):
            self._last_rows = LastRows(rows, self.current)

    def _update_found(
        self,
        found: FoundSessions,
        rows: Sequence[ClientRow],
        now: int,
        *,
        keep_once: bool,
        from_file: bool,
    ) -> Generator[None, None, tuple[Sequence[ClientSession], SessionChanges]]:
        """Update the sessions that were found, open and close others; return the current ones."""
        sessions, seconds = found.sessions, now - self._updated
        for start in range(0, len(rows), MAX_ROWS):
            part = slice(start, start + MAX_ROWS)
            update_counters(sessions[part], rows[part], now, seconds=seconds)
            yield
        for places in row_batches(found.changed):
            for place in places:
                session = sessions[place]
                self.row_changes += session is not None and session.replace_row(rows[place])
            yield
        opened: dict[int, ClientSession] = {}
        if found.new:
            new_rows = [rows[place] for place in found.new]
            opened = yield from self._match_new_rows(
                new_rows, self._sessions, now, candidates=(), from_file=from_file
            )
        for ended in row_batches(found.ended.values()):
            for session in ended:
                if not self._is_kept(session, keep_once=keep_once, keep_ids=False):
                    self._close(session)
                    del self._sessions[session.key]
            yield
        is_same = sessions is self.current
        current = self.current if is_same else found.current(opened.values())
        return current, SessionChanges(tuple(opened.values()), found.ended)

    def _update_by_key(
        self, rows: Sequence[ClientRow], now: int, *, keep_once: bool, from_file: bool
    ) -> Generator[None, None, Sequence[ClientSession]]:
        """Update the sessions of all rows by their keys; return them."""
        keyed = yield from rows_by_key(rows)
        active: dict[SessionKey, ClientSession] = {}
        unmatched: list[ClientRow] = []
        self.row_changes += yield from update_known(
            keyed.rows, self._sessions, active=active, now=now, unmatched=unmatched
        )
        all_known = len(active) == len(self._sessions)
        matched: dict[int, ClientSession] = {}
        if unmatched:
            candidates = self._inactive(active, with_ids=unmatched[0].client_id is not None)
            matched = yield from self._match_new_rows(
                unmatched, active, now, candidates=candidates, from_file=from_file
            )
        current: list[ClientSession] = []
        for items in row_batches(keyed.rows.items()):
            current += [active.get(key) or matched[id(row)] for key, row in items]
            yield
        yield from release(matched)
        for batch in row_batches(keyed.duplicates):
            for row in batch:  # they count as present; their bytes are ignored
                self._logged_connects.consume(row.common_name, row.real_address)
                current.append(_new_session(self._identity(row), row, _UNKNOWN_PEER))
            yield
        if not all_known:
            yield from self._close_absent(
                active, keep_once=keep_once, keep_ids=not keyed.all_have_ids
            )
        self._sessions = active
        self._all_have_ids = keyed.all_have_ids
        self._duplicates = len(keyed.duplicates)
        yield from release(keyed.rows)
        return current

    def restart(self) -> Generator[None, None, None]:
        """Record that the daemon restarted: its sessions are over, its client ids start at 0."""
        ended, self._sessions = self._sessions, {}
        self.current, self._last_rows = (), None
        self.changes += 1
        self._first_status.skip()
        for batch in row_batches(ended.values()):
            for session in batch:
                self._close(session)
            yield
        yield from release(ended)

    def _inactive(
        self, active: Container[SessionKey], *, with_ids: bool
    ) -> Iterator[ClientSession]:
        """Return the sessions that are not active and may continue in a row with another key.

        If both polls have client ids, a new key is a new session. Else it may be an old one.
        """
        return (
            session
            for key, session in self._sessions.items()
            if key not in active and not (with_ids and session.last_row.client_id is not None)
        )

    def _match_new_rows(
        self,
        rows: Sequence[ClientRow],
        active: dict[SessionKey, ClientSession],
        now: int,
        *,
        candidates: Iterable[ClientSession],
        from_file: bool,
    ) -> Generator[None, None, dict[int, ClientSession]]:
        """Find or open the sessions of rows with a new key, and mark them as active.

        The `candidates` are the sessions that may have got another key. Return the session of each
        row by the id of the row.
        """
        matched: dict[int, ClientSession] = {}
        opened: list[ClientSession] = []
        for matches in match_rows(rows, candidates):
            for row, known, unambiguous in matches:
                if known is None:
                    session = self._open_session(row)
                    session.from_file = from_file
                    if self._first_status.is_new(row.connected_since):
                        opened.append(session)
                    elif not self._absolute:
                        session.start(row, now)
                else:
                    session = known
                    self._continue_session(session, row)
                active[session.key] = session
                self.row_changes += session.update(row, now)
                if not unambiguous:
                    session.drop_growth()
                matched[id(row)] = session
            yield
        yield from self._count_connects(opened)
        return matched

    def _open_session(self, row: ClientRow) -> ClientSession:
        key = session_key(row)
        peer_info = self._peer_info.pop(key, _UNKNOWN_PEER)
        self.logins.established.remove(key)
        return _new_session(self._identity(row), row, peer_info)

    def _continue_session(self, session: ClientSession, row: ClientRow) -> None:
        """Continue a session in a row with another key."""
        if row.client_id is None and has_id(session.key):
            return  # keep the client id over polls without client ids
        del self._sessions[session.key]
        session.key = session_key(row)
        if row.client_id is not None:
            session.name = self._identity(row)  # format 1 has no user names
            session.peer_info = self._peer_info.pop(session.key, session.peer_info)

    def _count_connects(self, opened: Iterable[ClientSession]) -> Generator[None, None, None]:
        """Count new sessions as connects, except those that the log has shown."""
        unmatched: list[ClientSession] = []
        for batch in row_batches(opened):
            for session in batch:
                row = session.last_row
                session.logged = self._logged_connects.consume(row.common_name, row.real_address)
                if not session.logged:
                    unmatched.append(session)
            yield
        for batch in row_batches(unmatched):
            for session in batch:
                name = session.last_row.common_name
                session.logged = self._logged_connects.consume_any_address(name)
                self.connects += not session.logged
            yield

    def _close_absent(
        self, active: dict[SessionKey, ClientSession], *, keep_once: bool, keep_ids: bool
    ) -> Generator[None, None, None]:
        """Close the sessions that are not active, but for those that are kept as active.

        With `keep_once` these are the sessions that are missing for the first time, with `keep_ids`
        those with a client id: a poll without client ids doesn't show whether they have ended.
        """
        for batch in row_batches(self._sessions.items()):
            for key, session in batch:
                if key in active:
                    continue
                if self._is_kept(session, keep_once=keep_once, keep_ids=keep_ids):
                    active[key] = session
                else:
                    self._close(session)
            yield

    @staticmethod
    def _is_kept(session: ClientSession, *, keep_once: bool, keep_ids: bool) -> bool:
        """Return whether a session goes on that is missing in a status."""
        if keep_once and not session.missing_once:
            session.missing_once = True
            return True
        return keep_ids and has_id(session.key)

    def _close(self, session: ClientSession) -> None:
        self.disconnects += 1
        if not session.logged:
            self._closed_unlogged.append(shown_connect(session))
            del self._closed_unlogged[:-_CLOSED_LIMIT]
        if 0 <= session.duration <= _MAX_DURATION:
            self.durations.observe(session.duration)


def _new_session(name: str, row: ClientRow, peer_info: PeerInfo) -> ClientSession:
    return ClientSession(session_key(row), name, row, peer_info, last_seen=row.connected_since)
