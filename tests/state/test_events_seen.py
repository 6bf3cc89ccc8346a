"""Entries of a stream that is seen in pieces count once each, and never twice."""

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.state.events import SeenEntries, overlap
from tests.steps import assert_linear


@pytest.mark.parametrize(
    ("seen", "history", "known"),
    [
        ("", "", 0),
        ("", "abc", 0),
        ("abc", "", 0),
        ("abc", "abc", 3),
        ("abc", "abcd", 3),
        ("abc", "bcd", 2),
        ("abc", "def", 0),
        ("abc", "cab", 1),
        ("aaa", "aaaa", 3),
        ("aba", "abab", 3),
        ("xab", "abab", 2),
        ("abcdef", "cd", 0),
    ],
)
def test_a_history_starts_with_the_last_seen_entries(seen: str, history: str, known: int) -> None:
    assert overlap(list(seen), list(history)) == known


@pytest.mark.parametrize(
    ("seen", "history", "known"),
    [("bc", "abcd", 3), ("ab", "abab", 4), ("abc", "bcd", 2), ("abc", "xyz", 0), ("", "ab", 0)],
)
def test_the_last_seen_entries_may_be_inside_the_history(
    seen: str, history: str, known: int
) -> None:
    assert overlap(list(seen), list(history), complete=False) == known


def test_the_first_history_is_not_new() -> None:
    stream = SeenEntries[str](10)
    assert list(stream.unseen("abc")) == []


def test_realtime_entries_are_not_new_in_the_history() -> None:
    stream = SeenEntries[str](10)
    stream.unseen("ab")
    stream.add("c")
    assert list(stream.unseen("abcd")) == ["d"]
    assert list(stream.unseen("abcd")) == []


def test_equal_entries_of_one_second_are_counted_each() -> None:
    stream = SeenEntries[str](10)
    stream.unseen("a")
    stream.add("a")
    assert list(stream.unseen("aaaa")) == ["a", "a"]


def test_a_full_history_lacks_its_beginning() -> None:
    stream = SeenEntries[int](4)
    stream.unseen([1, 2, 3, 4])
    stream.add(5)
    assert list(stream.unseen([4, 5, 6, 7])) == [6, 7]


def test_a_history_that_does_not_cover_the_gap_is_new() -> None:
    stream = SeenEntries[int](4)
    stream.unseen([1, 2, 3, 4])
    assert list(stream.unseen([9, 10, 11, 12])) == [9, 10, 11, 12]


def test_a_history_longer_than_the_limit_is_kept() -> None:
    """Else its first entry, equal to the last one seen, would make all others new."""
    stream = SeenEntries[str](2)
    stream.unseen("abcda")
    assert list(stream.unseen("abcdae")) == ["e"]


def test_a_history_that_grew_over_the_limit_is_seen() -> None:
    stream = SeenEntries[int](3)
    stream.unseen([1, 2])
    for entry in (3, 4, 5):
        stream.add(entry)
    assert list(stream.unseen([1, 2, 3, 4, 5, 6])) == [6]


def test_the_history_of_another_process_is_new() -> None:
    stream = SeenEntries[str](10)
    stream.unseen("ab")
    stream.restart()
    assert list(stream.unseen("ab")) == ["a", "b"]
    assert list(stream.unseen("abc")) == ["c"]


def test_the_first_history_is_not_new_after_a_restart() -> None:
    stream = SeenEntries[str](10)
    stream.restart()
    assert list(stream.unseen("ab")) == []


ENTRIES = st.text(alphabet="ab", max_size=8)
PIECES = st.lists(st.tuples(st.sampled_from(["live", "gap", "restart"]), ENTRIES), max_size=12)


class Daemon:
    """A stream of which the last `window` entries are kept; `seen` counts what the other side saw.

    Each entry has a number; what is given away is only its letter where `plain`.
    """

    def __init__(self, window: int) -> None:
        self.window = window
        self.entries: list[str] = []
        self.truth: Counter[str] = Counter()
        self.counted: Counter[str] = Counter()
        self.stream = SeenEntries[str](window)
        self.covered = True

    def live(self, entries: list[str]) -> None:
        for entry in entries:
            self.entries.append(entry)
            self.truth[entry] += 1
            self.stream.add(entry)
            self.counted[entry] += 1

    def gap(self, entries: list[str]) -> None:
        self.entries += entries
        self.truth.update(entries)
        self.covered &= len(entries) < self.window
        self.catch_up()

    def restart(self, entries: list[str]) -> None:
        self.entries = list(entries)
        self.truth.update(entries)
        self.covered &= len(entries) <= self.window
        self.stream.restart()
        self.catch_up()

    def catch_up(self) -> None:
        self.counted.update(self.stream.unseen(self.entries[-self.window :]))


def lived(daemon: Daemon, pieces: list[tuple[str, list[str]]], past: list[str]) -> Daemon:
    daemon.entries += past
    daemon.catch_up()
    for kind, entries in pieces:
        {"live": daemon.live, "gap": daemon.gap, "restart": daemon.restart}[kind](entries)
    return daemon


@given(st.integers(1, 12), ENTRIES, PIECES)
def test_equal_entries_are_never_counted_twice(
    window: int, past: str, pieces: list[tuple[str, str]]
) -> None:
    daemon = lived(Daemon(window), [(kind, list(part)) for kind, part in pieces], list(past))
    assert all(daemon.counted[entry] <= daemon.truth[entry] for entry in "ab")


@given(st.integers(1, 12), ENTRIES, PIECES)
def test_distinct_entries_are_all_counted_if_the_history_covers_each_gap(
    window: int, past: str, pieces: list[tuple[str, str]]
) -> None:
    numbers = iter(range(1000))
    numbered = [(kind, [f"{letter}{next(numbers)}" for letter in part]) for kind, part in pieces]
    daemon = lived(Daemon(window), numbered, list(past))
    assert all(count == 1 for count in daemon.counted.values())
    if daemon.covered:
        assert daemon.counted == daemon.truth


@given(ENTRIES, PIECES)
def test_entries_are_all_counted_if_the_history_was_never_full(
    past: str, pieces: list[tuple[str, str]]
) -> None:
    """However many entries are equal: their number tells."""
    daemon = lived(Daemon(1000), [(kind, list(part)) for kind, part in pieces], list(past))
    assert daemon.counted == daemon.truth


@given(st.text(alphabet="ab", max_size=9), st.text(alphabet="ab", max_size=9), st.booleans())
def test_the_longest_alignment_counts(seen: str, history: str, complete: bool) -> None:  # noqa: FBT001
    """Each alignment is compared, one after the other."""
    longest = min(len(seen), len(history)) if complete else len(history)
    ends = [
        end
        for end in range(1, longest + 1)
        if seen and history[max(end - len(seen), 0) : end] == seen[-end:]
    ]
    assert overlap(list(seen), list(history), complete=complete) == max(ends, default=0)


@pytest.mark.parametrize("complete", [True, False])
@pytest.mark.parametrize("end", ["a", "b"])
def test_histories_of_equal_entries_are_aligned_in_linear_time(end: str, *, complete: bool) -> None:
    def call(size: int) -> Callable[[], object]:
        seen, history = "a" * size, "a" * (size - 1) + end
        return lambda: overlap(seen, history + "a" * (size // 2), complete=complete)

    assert_linear(call, 300)
