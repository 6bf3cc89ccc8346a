"""The sessions of the rows of the last status: found by the row objects, whatever has changed."""

from collections.abc import Sequence
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.management.batches import run_batches
from exporter.management.peer import PeerInfo
from exporter.management.status import ClientRow
from exporter.state import known_rows
from exporter.state.client_session import ClientSession
from exporter.state.known_rows import FoundSessions, LastRows
from exporter.state.session_keys import session_key


def row(client_id: int | None) -> ClientRow:
    return ClientRow("alice", "192.0.2.7:1", "10.8.0.2", "", 1, 2, 1795404614, client_id=client_id)


def session(of: ClientRow) -> ClientSession:
    return ClientSession(session_key(of), "alice", of, PeerInfo(), last_seen=1795404614)


class Last:
    """The last status: its rows and their sessions."""

    def __init__(self, size: int) -> None:
        self.rows = tuple(row(number) for number in range(size))
        self.sessions = tuple(map(session, self.rows))
        self._last = LastRows(self.rows, self.sessions)

    def find(self, rows: Sequence[ClientRow]) -> FoundSessions | None:
        known = {session.key for session in self.sessions}
        return run_batches(self._last.find(tuple(rows), known))

    def steps(self, rows: Sequence[ClientRow]) -> int:
        known = {session.key for session in self.sessions}
        return sum(1 for _ in self._last.find(tuple(rows), known))

    def expected(self, rows: Sequence[ClientRow]) -> list[ClientSession | None]:
        by_key = {session.key: session for session in self.sessions}
        return [by_key.get(session_key(row)) for row in rows]


class Change(NamedTuple):
    """So many rows from a place on are taken away and put elsewhere, replaced, or parsed anew."""

    at: int
    length: int
    to: int
    replace: int
    same_ids: bool


CHANGES = st.builds(
    Change, st.integers(0, 40), st.integers(0, 9), st.integers(0, 40), st.integers(0, 9),
    st.booleans(),
)  # fmt: skip


@given(size=st.integers(0, 40), changes=st.lists(CHANGES, max_size=4), near=st.integers(1, 8))
def test_each_session_is_found_and_others_are_new_or_have_ended(
    *, size: int, changes: list[Change], near: int
) -> None:
    last, rows, ids = Last(size), list[ClientRow](), iter(range(1000, 2000))
    rows += last.rows
    for change in changes:
        moved = rows[change.at : change.at + change.length]
        del rows[change.at : change.at + change.length]
        rows[change.to : change.to] = moved
        replaced = slice(change.to, change.to + change.replace)
        rows[replaced] = [
            row(each.client_id if change.same_ids else next(ids)) for each in rows[replaced]
        ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(known_rows, "_NEAR", near)
        patch.setattr(known_rows, "MAX_ROWS", 2 * near)
        patch.setattr(known_rows, "_FIRST_RUN", 2)
        found = last.find(rows)
    assert found is not None
    assert list(found.sessions) == last.expected(rows)
    assert [place for place, each in enumerate(found.sessions) if each is None] == list(found.new)
    assert set(found.ended) == ({each.key for each in last.sessions} - set(map(session_key, rows)))
    changed = [
        place
        for place, each in enumerate(rows)
        if each.client_id is not None and each.client_id < 1000
        if last.rows[each.client_id] is not each
    ]
    assert set(found.changed) >= set(changed)
    opened = [session(rows[place]) for place in found.new]
    current = found.current(opened)
    assert [each.key for each in current] == list(map(session_key, rows))


def test_rows_that_are_not_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    last = Last(3)
    first, *others = last.rows
    assert last.find([first, first, *others]) is None
    monkeypatch.setattr(known_rows, "_NEAR", 1)  # rows have another order
    assert last.find([*reversed(last.rows), last.rows[-1]]) is None
    assert last.find([*last.rows, row(None)]) is None
    assert last.find([*last.rows, row(7), row(7)]) is None
    assert last.find([*last.rows, row(2)]) is None


def test_rows_at_the_end_are_found_without_the_places_of_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    last = Last(10)
    monkeypatch.setattr(known_rows, "_places", lambda _: pytest.fail("all rows are looked at"))
    found = last.find([*last.rows, row(11), row(12)])
    assert found is not None
    assert found.new == (10, 11)


@pytest.mark.parametrize("order", [slice(None, None, -1), slice(None, None, 2), slice(1, None)])
def test_of_many_rows_in_another_order_are_found_in_steps(order: slice) -> None:
    last = Last(4000)
    rows = last.rows[order]
    found = last.find(rows)
    assert found is not None
    assert list(found.sessions) == list(last.sessions[order])
    assert not found.changed
    assert len(found.ended) == 4000 - len(rows)
    assert last.steps(rows) >= len(rows) // 1000
