"""The sessions of the rows of the last status, found by the row objects themselves.

The reader of statuses keeps the object of a row of which only the counters have changed, so nearly
all rows of a status were in the last one, and most often in the same order.
"""

import itertools
import operator
from collections.abc import Collection, Container, Generator, Mapping, Sequence
from typing import NamedTuple

from exporter.management.batches import row_batches
from exporter.management.status import ClientRow
from exporter.state.client_session import ClientSession
from exporter.state.session_keys import SessionKey, has_id, session_key

_INDEXED_AT_ONCE = 5000


class FoundSessions(NamedTuple):
    """The session of each row, None for those of new sessions; `known` are those without None.

    `changed` and `new` are the places of the rows of which more than the counters has changed, and
    of those of new sessions. `ended` are the sessions whose row is missing.
    """

    sessions: Sequence[ClientSession | None]
    known: Sequence[ClientSession]
    changed: Sequence[int]
    new: Sequence[int]
    ended: Collection[ClientSession]


class LastRows:
    """The rows of the last status, all with client ids, and their sessions."""

    def __init__(self, sessions: Sequence[ClientSession]) -> None:
        self._sessions = sessions
        # As long as these objects live, no other one has their id.
        self._rows = tuple([session.last_row for session in sessions])

    def find(
        self, rows: Sequence[ClientRow], known: Container[SessionKey]
    ) -> Generator[None, None, FoundSessions | None]:
        """Find the sessions of rows, yielding after each batch; `known` are all keys.

        Rows that are not found as objects are found by their client id. Return None if that is not
        enough: a row without one, or two rows with the same.
        """
        if len(rows) == len(self._rows) and all(map(operator.is_, rows, self._rows)):
            return FoundSessions(self._sessions, self._sessions, (), (), ())
        by_object: dict[int, ClientSession] = {}
        for start in range(0, len(self._rows), _INDEXED_AT_ONCE):
            part = slice(start, start + _INDEXED_AT_ONCE)
            by_object.update(zip(map(id, self._rows[part]), self._sessions[part], strict=True))
            yield
        sessions: list[ClientSession | None] = []
        for batch in row_batches(rows):
            sessions += map(by_object.pop, map(id, batch), itertools.repeat(None))
            yield
        ended = {session.key: session for session in by_object.values()}
        new: dict[SessionKey, int] = {}
        changed: list[int] = []
        for places in row_batches(place for place, found in enumerate(sessions) if found is None):
            for place in places:
                key = session_key(rows[place])
                if key in ended:
                    sessions[place] = ended.pop(key)
                    changed.append(place)
                elif has_id(key) and key not in known and key not in new:
                    new[key] = place
                else:
                    return None
            yield
        all_known = tuple([session for session in sessions if session is not None])
        return FoundSessions(sessions, all_known, changed, tuple(new.values()), ended.values())


def update_known(
    rows: Mapping[SessionKey, ClientRow],
    known: Mapping[SessionKey, ClientSession],
    *,
    active: dict[SessionKey, ClientSession],
    now: int,
) -> Generator[None, None, list[ClientRow]]:
    """Update the sessions whose key is known, and mark them as active; return other rows."""
    unmatched: list[ClientRow] = []
    for batch in row_batches(rows.items()):
        for key, row in batch:
            session = known.get(key)
            if session is None:
                unmatched.append(row)
            else:
                session.update(row, now)
                active[key] = session
        yield
    return unmatched
