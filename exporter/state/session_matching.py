"""Matching rows and sessions where the session's key has changed.

A poll that is answered in format 1 has no client ids, and its times are printed in the daemon's
zone of that moment: a change to or from summer time moves the starts. Where the same session has
another key, it is matched by its name, by its start modulo a time zone, and by its real address,
which may change.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

from exporter.management.status import ClientRow
from exporter.management.values import ZONE_STEP

_S = TypeVar("_S")
_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V")


class RowMatch(NamedTuple, Generic[_S]):
    """A row and the session that it continues, None for a new session.

    A match is `unambiguous` unless the row may continue another session: then its growth is
    unknown.
    """

    row: ClientRow
    session: _S | None
    unambiguous: bool


def match_rows(
    rows: Iterable[ClientRow], sessions: Iterable[tuple[_S, ClientRow]]
) -> Iterator[RowMatch[_S]]:
    """Match each row with at most one of the sessions, which come with their last rows."""
    candidates = _group((_match_key(last), (session, last)) for session, last in sessions)
    if not candidates:  # the first status of a daemon may have ten thousand rows
        yield from (RowMatch(row, None, True) for row in rows)  # noqa: FBT003 -- no keyword: fast
        return
    for key, group in _group((_match_key(row), row) for row in rows).items():
        yield from _match_group(group, candidates.get(key, ()))


def _match_key(row: ClientRow) -> tuple[str, int]:
    return row.common_name, row.connected_since % ZONE_STEP


def _group(pairs: Iterable[tuple[_K, _V]]) -> dict[_K, list[_V]]:
    groups: defaultdict[_K, list[_V]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return groups


def _match_group(
    rows: Sequence[ClientRow], sessions: Sequence[tuple[_S, ClientRow]]
) -> Iterator[RowMatch[_S]]:
    """Match rows and sessions of one name and start: by address first, then in order."""
    by_address = _group((last.real_address, session) for session, last in sessions)
    moved_rows: list[ClientRow] = []
    for address, group in _group((row.real_address, row) for row in rows).items():
        if len(group) == len(by_address.get(address, ())) == 1:
            yield RowMatch(group[0], by_address.pop(address)[0], unambiguous=True)
        else:
            moved_rows += group
    remaining = [session for group in by_address.values() for session in group]
    unambiguous = not remaining or len(remaining) == len(moved_rows) == 1
    for index, row in enumerate(moved_rows):
        session = remaining[index] if index < len(remaining) else None
        yield RowMatch(row, session, unambiguous)
