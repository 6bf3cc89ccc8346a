"""Info lines are those of the current sessions, and are formatted once."""

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from exporter.management.batches import run_batches
from exporter.management.peer import PeerInfo
from exporter.management.status import ClientRow
from exporter.metrics import info_lines as info_lines_module
from exporter.metrics.encode import daemon_label, escape, render
from exporter.metrics.family import Metric, MetricType, PerSessionInfo
from exporter.metrics.info_lines import InfoLines
from exporter.state.client_session import ClientSession
from exporter.state.privacy import PlainPrivacy, Privacy
from tests.metrics.daemons import NOON
from tests.metrics.parsing import numbered

NAMES = st.sampled_from(["", "a", 'b"', "c\\", "d\n"])


def labels(_: Privacy, session: ClientSession, row: ClientRow) -> tuple[str, ...]:
    """Return equal labels for some different sessions."""
    return session.name, row.cipher


METRIC = Metric("openvpn_x_info", MetricType.INFO, "X.", ("name", "cipher", "number"))
Labels = Callable[[Privacy, ClientSession, ClientRow], tuple[str, ...]]


def info_of(labels: Labels, daemon: str = "office") -> InfoLines:
    source = PerSessionInfo(lambda _: (), labels)
    return InfoLines(METRIC, daemon, source, privacy=PlainPrivacy())


def rendered(info_lines: InfoLines, sessions: Sequence[ClientSession]) -> bytes:
    return b"".join(run_batches(info_lines.render_chunks(sessions)))


def session_of(name: str, cipher: str = "") -> ClientSession:
    row = ClientRow(name, "192.0.2.7:1", "", "", 1, 2, NOON, cipher=cipher)
    return ClientSession(key=1, name=name, last_row=row, peer_info=PeerInfo(), last_seen=NOON)


def sessions_of(names: Iterable[object]) -> list[ClientSession]:
    return [session_of(str(name)) for name in names]


class Listing(NamedTuple):
    """Which sessions are listed, in their order, and which of them have a new row."""

    listed: list[int]
    changed: list[int]


LISTINGS = st.builds(
    Listing,
    st.lists(st.integers(0, 29), unique=True, max_size=30),
    st.lists(st.integers(0, 29), max_size=3),
)


class TestInfoLines:
    @given(st.lists(NAMES, min_size=30, max_size=30), st.lists(LISTINGS, min_size=1, max_size=6))
    def test_are_those_of_the_current_sessions(
        self, names: list[str], history: list[Listing]
    ) -> None:
        daemon, sessions = escape('of"fice'), sessions_of(names)
        info_lines = info_of(labels, daemon)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(info_lines_module, "MAX_ROWS", 5)
            patch.setattr(info_lines_module, "_MIN_PART", 2)
            patch.setattr(info_lines_module, "_MAX_PART", 8)
            for listing in history:
                for place in listing.changed:
                    row = sessions[place].last_row
                    sessions[place].last_row = structs.replace(row, cipher=f"{row.cipher}x")
                current = [sessions[place] for place in listing.listed]
                all_labels = [labels(PlainPrivacy(), each, each.last_row) for each in current]
                samples = dict.fromkeys(numbered(all_labels), 1)
                assert rendered(info_lines, current) == daemon_label(daemon).join(
                    render(METRIC, samples)
                )

    def test_with_equal_labels_are_numbered_from_the_second_on(self) -> None:
        info_lines = info_of(labels)
        sessions = [session_of("a"), session_of("a"), session_of("b", "AES"), session_of("a")]
        lines = (
            b'openvpn_x_info{daemon="office",name="a"} 1\n',
            b'openvpn_x_info{daemon="office",name="a",number="2"} 1\n',
            b'openvpn_x_info{daemon="office",name="b",cipher="AES"} 1\n',
            b'openvpn_x_info{daemon="office",name="a",number="3"} 1\n',
        )
        assert rendered(info_lines, sessions) == b"".join(lines)
        assert rendered(info_lines, sessions[:1]) == lines[0]

    def test_are_formatted_once(self) -> None:
        names: list[str] = []
        info_lines, sessions = info_of(counting(names)), sessions_of("ab")
        for _ in range(3):
            rendered(info_lines, sessions)
        assert names == ["a", "b"]

    def test_are_formatted_again_only_for_a_session_with_another_row(self) -> None:
        names: list[str] = []
        info_lines, sessions = info_of(counting(names)), sessions_of("abc")
        rendered(info_lines, sessions)
        sessions[1].last_row = structs.replace(sessions[1].last_row, cipher="AES")
        assert b'name="b",cipher="AES"' in rendered(info_lines, sessions)
        assert names == ["a", "b", "c", "b"]

    def test_are_formatted_again_for_another_session_of_the_same_row(self) -> None:
        info_lines, first, second = info_of(labels), session_of("a"), session_of("b")
        rendered(info_lines, [first, second])
        other = structs.replace(second, name="c")
        assert b'name="c"' in rendered(info_lines, [first, other])

    def test_are_dropped_with_their_sessions(self) -> None:
        names: list[str] = []
        info_lines, sessions = info_of(counting(names)), sessions_of("a")
        for listed in (sessions, [], sessions):
            rendered(info_lines, listed)
        assert names == ["a", "a"]

    @pytest.mark.parametrize("place", [0, 250, 499, 500, 1249, 2499])
    def test_behind_a_session_that_ends_or_begins_are_the_same_parts(self, place: int) -> None:
        info_lines, sessions = info_of(labels), sessions_of(range(2500))
        before = run_batches(info_lines.render_chunks(sessions))
        without = run_batches(info_lines.render_chunks(sessions[:place] + sessions[place + 1 :]))
        after = run_batches(info_lines.render_chunks(sessions))
        for parts in (without, after):
            # Two, if it is the first one of its part.
            assert len(set(map(id, parts)) & set(map(id, before))) >= len(before) - 2
        assert b"".join(after) == b"".join(before)

    def test_have_parts_of_some_hundred_lines_whatever_ends_and_begins(self) -> None:
        info_lines, sessions = info_of(labels), sessions_of(range(6000))
        listed = sessions[:3000]
        parts: Sequence[bytes] = ()
        for number in range(300):
            del listed[(number * 7) % 2000 : (number * 7) % 2000 + 9]
            listed[number:number] = sessions[3000 + number * 9 : 3009 + number * 9]
            parts = run_batches(info_lines.render_chunks(listed))
        lines = [part.count(b"\n") for part in parts]
        assert sum(lines) == 3000
        assert max(lines) <= 1000
        assert len(lines) < 20

    def test_of_other_sessions_are_looked_up_in_linear_time(self) -> None:
        def comparisons(count: int) -> int:
            info_lines = info_of(labels)
            rendered(info_lines, sessions_of(range(count)))
            others = list(map(ComparedSession.of, sessions_of(range(count))))
            ComparedSession.comparisons = 0
            rendered(info_lines, others)
            return ComparedSession.comparisons

        assert comparisons(8000) <= 2 * comparisons(4000)

    def test_in_another_order_are_the_same_parts(self) -> None:
        info_lines, sessions = info_of(labels), sessions_of(range(2000))
        parts = run_batches(info_lines.render_chunks(sessions))
        assert len(parts) > 2
        at = parts[0].count(b"\n")
        moved = run_batches(info_lines.render_chunks(sessions[at:] + sessions[:at]))
        assert list(map(id, moved)) == list(map(id, [*parts[1:], parts[0]]))

    def test_that_do_not_change_are_the_same_parts(self) -> None:
        info_lines, sessions = info_of(labels), sessions_of(range(2500))
        first, second = (run_batches(info_lines.render_chunks(sessions)) for _ in range(2))
        assert first is second

    @pytest.mark.parametrize("steps", range(12))
    @pytest.mark.parametrize("left", [500, 1000])
    def test_are_those_of_the_sessions_while_others_are_rendered(
        self, left: int, steps: int
    ) -> None:
        info_lines, sessions = info_of(labels), sessions_of(range(1000))
        rendered(info_lines, sessions)
        rendering, other = (
            info_lines.render_chunks(each) for each in (sessions[:left], [session_of("other")])
        )
        next(rendering)
        for _ in itertools.islice(other, steps):
            pass
        assert b"".join(run_batches(rendering)) == rendered(info_of(labels), sessions[:left])

    def test_of_thousands_of_sessions_pause_between_chunks(self) -> None:
        info_lines, sessions = info_of(labels), sessions_of(range(9000))
        assert sum(1 for _ in info_lines.render_chunks(sessions)) > 3
        assert rendered(info_lines, sessions).count(b"\n") == 9000


class ComparedSession(ClientSession, eq=False):
    """A session that counts how often any of them is compared."""

    comparisons: ClassVar[int] = 0

    @staticmethod
    def of(session: ClientSession) -> "ComparedSession":
        return ComparedSession(**structs.asdict(session))

    def __eq__(self, other: object) -> bool:
        ComparedSession.comparisons += 1
        return self is other

    def __hash__(self) -> int:
        return id(self)


def counting(names: list[str]) -> Labels:
    """Return `labels` that adds the name of each session for which it is called."""

    def count(privacy: Privacy, session: ClientSession, row: ClientRow) -> tuple[str, ...]:
        names.append(session.name)
        return labels(privacy, session, row)

    return count
