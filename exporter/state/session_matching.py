"""Which session a row goes on with when its key doesn't tell.

A poll that is answered in format 1 has no client ids, and writes times in the daemon's own zone.
Before and after it the same session has another key: there it is known by its name, its start as
far as a time zone leaves it, and its address, which may change.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import TypeVar

from exporter.management.status import ClientRow

_ZONE_STEP = 900
"""Seconds: time zones are whole quarters of an hour apart."""

_S = TypeVar("_S")
_K = TypeVar("_K", bound=Hashable)


RowMatch = tuple[ClientRow, _S | None, bool]
"""A row, the session that it goes on with, None for a new one, and whether that is sure.

Where it is not, the row may go on with another session: nothing is known of its growth.
"""


def match_rows(
    rows: Iterable[ClientRow], sessions: Iterable[tuple[_S, ClientRow]]
) -> Iterator[RowMatch[_S]]:
    """Match each row with one of the sessions, which come with their last rows."""
    waiting = _group((_tag(last), (session, last)) for session, last in sessions)
    if not waiting:  # ten thousand rows of a daemon that nobody has asked before
        yield from ((row, None, True) for row in rows)
        return
    for tag, alike in _group((_tag(row), row) for row in rows).items():
        if tag in waiting:
            yield from _match(alike, waiting[tag])
        else:
            yield from ((row, None, True) for row in alike)


_Tag = tuple[str, int]
_V = TypeVar("_V")


def _tag(row: ClientRow) -> _Tag:
    return row.common_name, row.connected_since % _ZONE_STEP


def _group(pairs: Iterable[tuple[_K, _V]]) -> dict[_K, list[_V]]:
    groups: defaultdict[_K, list[_V]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return groups


def _match(
    rows: Sequence[ClientRow], sessions: Sequence[tuple[_S, ClientRow]]
) -> Iterator[RowMatch[_S]]:
    """Match rows and sessions of one name and start: first at their addresses, then the rest."""
    by_address = _group((last.real_address, session) for session, last in sessions)
    rows_there = _group((row.real_address, row) for row in rows)
    movers: list[ClientRow] = []
    for address, there in rows_there.items():
        if len(there) == len(by_address.get(address, ())) == 1:
            yield there[0], by_address.pop(address)[0], True
        else:
            movers += there
    left = [session for there in by_address.values() for session in there]
    sure = not left or len(left) == len(movers) == 1
    for place, row in enumerate(movers):
        yield row, (left[place] if place < len(left) else None), sure
