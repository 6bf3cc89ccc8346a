"""Matching rows and sessions where the session's key has changed.

A poll that is answered in format 1 has no client ids, and its times are printed in the daemon's
zone of that moment: a change to or from summer time moves the starts. Where the same session has
another key, it is matched by its name, by its start modulo a time zone, and by its real address,
which may change.
"""

import itertools
from collections.abc import Collection, Generator, Hashable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Generic, NamedTuple, TypeVar

from exporter.management.batches import row_batches
from exporter.management.status import ClientRow
from exporter.management.values import ZONE_STEP
from exporter.state.client_session import ClientSession

_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V")


class RowMatch(NamedTuple):
    """A row and the session that it continues, None for a new session.

    A match is `unambiguous` unless the row may continue another session: then its growth is
    unknown.
    """

    row: ClientRow
    session: ClientSession | None
    unambiguous: bool


def match_rows(
    rows: Iterable[ClientRow], sessions: Iterable[ClientSession]
) -> Iterator[Sequence[RowMatch]]:
    """Match each row with at most one of the sessions.

    The matches come in batches, which are empty while rows are grouped.
    """
    candidates: _Groups[tuple[str, int], ClientSession] = _Groups()
    for known in row_batches(sessions):
        for session in known:
            candidates.add(_match_key(session.last_row), session)
        yield ()
    if not candidates.keys():  # the first status of a daemon may have ten thousand rows
        for batch in row_batches(rows):
            yield [RowMatch(row, None, True) for row in batch]  # noqa: FBT003 -- no keyword: fast
        return
    groups: _Groups[tuple[str, int], ClientRow] = _Groups()
    for batch in row_batches(rows):
        for row in batch:
            groups.add(_match_key(row), row)
        yield ()
    for keys in row_batches(groups.keys()):
        matches: list[RowMatch] = []
        for key in keys:
            group, known = groups.get(key), candidates.get(key)
            if len(group) == 1 >= len(known):  # as nearly always
                matches.append(RowMatch(group[0], known[0] if known else None, unambiguous=True))
            else:
                yield from _match_group(group, known)
        yield matches


def session_starts(
    sessions: Iterable[ClientSession],
) -> Generator[None, None, AbstractSet[tuple[str, str, int]]]:
    """Return `session_start` of the last row of each session, yielding after each batch."""
    starts: set[tuple[str, str, int]] = set()
    for batch in row_batches(sessions):
        starts.update(session_start(session.last_row) for session in batch)
        yield
    return starts


def session_start(row: ClientRow) -> tuple[str, str, int]:
    """Return what stays of a row's session while its key changes, unless its client floats."""
    return row.common_name, row.real_address, row.connected_since % ZONE_STEP


def _match_key(row: ClientRow) -> tuple[str, int]:
    return row.common_name, row.connected_since % ZONE_STEP


class _Groups(Generic[_K, _V]):
    """Values by key.

    There is a list only for a key with several values: the garbage collector looks at each list,
    and a hundred thousand of them would hold the event loop.
    """

    def __init__(self) -> None:
        self._first: dict[_K, _V] = {}
        self._others: dict[_K, list[_V]] = {}

    def add(self, key: _K, value: _V) -> None:
        if key in self._first:
            self._others.setdefault(key, []).append(value)
        else:
            self._first[key] = value

    def keys(self) -> Collection[_K]:
        return self._first.keys()

    def get(self, key: _K) -> Sequence[_V]:
        if key not in self._first:
            return ()
        return (self._first[key], *self._others.get(key, ()))


def _match_group(
    rows: Sequence[ClientRow], sessions: Sequence[ClientSession]
) -> Iterator[Sequence[RowMatch]]:
    """Match rows and sessions of one name and start: by address first, then in order."""
    candidates: _Groups[str, ClientSession] = _Groups()
    for known in row_batches(sessions):
        for session in known:
            candidates.add(session.last_row.real_address, session)
        yield ()
    groups: _Groups[str, ClientRow] = _Groups()
    for batch in row_batches(rows):
        for row in batch:
            groups.add(row.real_address, row)
        yield ()
    matched: set[str] = set()
    moved_rows: list[ClientRow] = []
    for addresses in row_batches(groups.keys()):
        matches: list[RowMatch] = []
        for address in addresses:
            group, known = groups.get(address), candidates.get(address)
            if len(group) == len(known) == 1:
                matched.add(address)
                matches.append(RowMatch(group[0], known[0], unambiguous=True))
            else:
                moved_rows += group
        yield matches
    remaining = [session for session in sessions if session.last_row.real_address not in matched]
    unambiguous = not remaining or len(remaining) == len(moved_rows) == 1
    moved = itertools.zip_longest(moved_rows, remaining[: len(moved_rows)])
    for pairs in row_batches(moved):
        yield [RowMatch(row, session, unambiguous) for row, session in pairs]
