"""The sessions of the rows of the last status, found by the row objects themselves.

The reader of statuses keeps the object of a row of which only the counters have changed, so nearly
all rows of a status were in the last one, and most often in the same order.
"""

import itertools
import operator
import sys
from collections.abc import Container, Generator, Iterable, Mapping, Sequence
from typing import NamedTuple

from exporter.management.batches import MAX_ROWS, leading, row_batches
from exporter.management.status import ClientRow
from exporter.state.client_session import ClientSession
from exporter.state.session_keys import SessionKey, has_id, session_key

_INDEXED_AT_ONCE = 5000

_FIRST_RUN = 8
"""Rows that are compared at once where the order has changed."""

_NOWHERE = sys.maxsize

_NEAR = 256
"""Rows in which rows that were replaced, inserted or removed are looked for."""


class FoundSessions(NamedTuple):
    """The session of each row, None for those of new sessions.

    `changed` and `new` are the places of the rows of which more than the counters has changed, and
    of those of new sessions. `ended` are the sessions whose row is missing, by their keys.
    """

    sessions: Sequence[ClientSession | None]
    changed: Sequence[int]
    new: Sequence[int]
    ended: dict[SessionKey, ClientSession]

    def current(self, opened: Iterable[ClientSession]) -> Sequence[ClientSession]:
        """Return the sessions of all rows, of which those that are new were opened."""
        sessions = list(self.sessions)
        for place, session in zip(self.new, opened, strict=True):
            sessions[place] = session
        return tuple([session for session in sessions if session is not None])


class LastRows:
    """The rows of the last status, all with client ids, and their sessions."""

    def __init__(self, rows: Sequence[ClientRow], sessions: Sequence[ClientSession]) -> None:
        # As long as these objects live, no other one has their id.
        self._rows = rows
        self._sessions = sessions

    def find(
        self, rows: Sequence[ClientRow], known: Container[SessionKey]
    ) -> Generator[None, None, FoundSessions | None]:
        """Find the sessions of rows, yielding after each batch; `known` are all keys.

        Rows that are not found as objects are found by their client id. Return None if that is not
        enough: a row without one, or two rows with the same.
        """
        if len(rows) == len(self._rows) and all(map(operator.is_, rows, self._rows)):
            return FoundSessions(self._sessions, (), (), {})
        sessions: list[ClientSession | None] = []
        others: list[int] = []
        taken = yield from self._find_objects(rows, sessions, others)
        if taken.count(1) != len(rows) - len(others):  # an object twice
            return None
        missing = itertools.compress(self._sessions, taken.translate(_NOT))
        ended = {session.key: session for session in missing}
        new: dict[SessionKey, int] = {}
        changed: list[int] = []
        for places in row_batches(others):
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
        return FoundSessions(sessions, changed, tuple(new.values()), ended)

    def _find_objects(
        self, rows: Sequence[ClientRow], sessions: list[ClientSession | None], others: list[int]
    ) -> Generator[None, None, bytearray]:
        """Find rows as objects: add the session of each, or None and its place to `others`.

        Return for each row of the last status whether it was found.
        """
        last, taken = self._rows, bytearray(len(self._rows))
        places: dict[int, int] = {}
        place, size, paused_at = 0, MAX_ROWS, 0
        while (start := len(sessions)) < len(rows):
            run = rows[start : start + size]
            count = leading(map(operator.is_, run, last[place : place + size]))
            sessions += self._sessions[place : place + count]
            taken[place : place + count] = b"\1" * count
            start, place, size = start + count, place + count, min(2 * size, MAX_ROWS)
            if count < len(run):
                near = rows[start : start + _NEAR], last[place : place + _NEAR]
                new, missing = (0, 0) if places else _skipped(*near)
                if not new and not missing:  # rows have another order
                    places = places or (yield from _places(last))
                    ids = list(map(id, rows[start : start + MAX_ROWS]))
                    new = min(len(ids), _first(map(places.__contains__, ids)))
                    place, size = places.get(ids[0], place), _FIRST_RUN
                others += range(start, start + new)
                sessions += [None] * new
                place += missing
            if start - paused_at >= MAX_ROWS:
                paused_at = start
                yield
        return taken


_NOT = bytes.maketrans(b"\0\1", b"\1\0")


def _places(rows: Sequence[ClientRow]) -> Generator[None, None, dict[int, int]]:
    """Return the place of each row by its id, yielding after each batch."""
    places: dict[int, int] = {}
    for start in range(0, len(rows), _INDEXED_AT_ONCE):
        part = rows[start : start + _INDEXED_AT_ONCE]
        places.update(zip(map(id, part), range(start, start + len(part)), strict=True))
        yield
    return places


def _skipped(rows: Sequence[ClientRow], last: Sequence[ClientRow]) -> tuple[int, int]:
    """Return how many of `rows` are new, and how many of `last` are missing, until both go on.

    Rows were replaced, inserted or removed. If there is more, and both go on behind it, return
    (0, 0).
    """
    if not last:
        return len(rows), 0
    replaced = _first(map(operator.is_, rows, last))
    new = _first(map(operator.is_, rows, itertools.repeat(last[0])))
    missing = _first(map(operator.is_, last, itertools.repeat(rows[0])))
    fewest = min((replaced, replaced), (new, 0), (0, missing), key=max)
    return fewest if max(fewest) < _NOWHERE else (0, 0)


def _first(matches: Iterable[bool]) -> int:
    """Return the place of the first that is true; `_NOWHERE` without one."""
    return next(itertools.compress(itertools.count(), matches), _NOWHERE)


def update_known(
    rows: Mapping[SessionKey, ClientRow],
    known: Mapping[SessionKey, ClientSession],
    *,
    active: dict[SessionKey, ClientSession],
    now: int,
    unmatched: list[ClientRow],
) -> Generator[None, None, int]:
    """Update the sessions whose key is known, and mark them as active; collect other rows.

    Return of how many rows more than the counters has changed.
    """
    changed = 0
    for batch in row_batches(rows.items()):
        for key, row in batch:
            session = known.get(key)
            if session is None:
                unmatched.append(row)
            else:
                changed += session.update(row, now)
                active[key] = session
        yield
    return changed
