import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from exporter.management.batches import run_batches
from exporter.management.peer import PeerInfo
from exporter.management.status import ClientRow
from exporter.metrics import encode
from exporter.metrics.encode import (
    ColumnLines,
    InfoLines,
    daemon_label,
    escape,
    render_chunks,
)
from exporter.metrics.family import Metric, MetricType, PerSessionInfo, Samples
from exporter.state.client_session import ClientSession
from exporter.state.privacy import PlainPrivacy, Privacy
from tests.metrics.daemons import NOON
from tests.metrics.parsing import numbered


def render(metric: Metric, daemon: str, samples: Samples) -> bytes:
    """Return the sample lines of a daemon in a small family, as text."""
    return daemon_label(daemon).join(encode.render(metric, samples))


class TestSampleLines:
    def test_escape_what_would_end_a_label(self) -> None:
        metric = Metric("openvpn_x", MetricType.GAUGE, "X.", ("a",))
        line = render(metric, escape('of"fice'), {"back\\slash\nline": 1})
        assert line == b'openvpn_x{daemon="of\\"fice",a="back\\\\slash\\nline"} 1\n'

    def test_leave_out_empty_labels_of_several(self) -> None:
        metric = Metric("openvpn_x", MetricType.GAUGE, "X.", ("a", "b", "c"))
        samples: dict[tuple[str, ...], int] = {("1", "", "3"): 1}
        line = render(metric, "office", samples)
        assert line == b'openvpn_x{daemon="office",a="1",c="3"} 1\n'

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (0, "0"),
            (True, "1"),
            (2**64 - 1, "18446744073709551615"),
            (1795435200.123456, "1795435200.123456"),
            (1e300, "1e+300"),
            (0.1, "0.1"),
        ],
    )
    def test_keep_all_digits(self, value: float, text: str) -> None:
        metric = Metric("openvpn_x", MetricType.GAUGE, "X.")
        assert render(metric, "d", value).decode() == f'openvpn_x{{daemon="d"}} {text}\n'

    @pytest.mark.parametrize(("value", "text"), [(True, "1"), (1.0, "1.0"), (1, "1"), (0.0, "0.0")])
    def test_share_no_parts_between_equal_values_of_other_types(
        self, value: float, text: str
    ) -> None:
        metric = Metric("openvpn_x", MetricType.GAUGE, "X.")
        labelled = Metric("openvpn_x", MetricType.GAUGE, "X.", ("a",))
        for other in (1, 1.0, True, 0, 0.0, value):
            render(metric, "d", other)
            render(labelled, "d", {"b": other})
        assert render(metric, "d", value).decode() == f'openvpn_x{{daemon="d"}} {text}\n'
        lines = render(labelled, "d", {"b": value, "c": 7})
        assert lines.decode() == (
            f'openvpn_x{{daemon="d",a="b"}} {text}\nopenvpn_x{{daemon="d",a="c"}} 7\n'
        )

    def test_share_the_parts_of_common_values(self) -> None:
        metric = Metric("openvpn_x", MetricType.COUNTER, "X.", ("a",))
        lines = [encode.render(metric, {"b": 0, "c": 1, "d": count}) for count in (77, 78)]
        assert [first is second for first, second in zip(*lines, strict=True)] == [
            *(True, True, True, False)
        ]

    def test_refuse_too_few_label_values(self) -> None:
        metric = Metric("openvpn_x", MetricType.GAUGE, "X.", ("a", "b"))
        samples: dict[tuple[str, ...], int] = {("1",): 1}
        with pytest.raises(ValueError, match="shorter"):
            render(metric, "d", samples)


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
            patch.setattr(encode, "MAX_ROWS", 5)
            patch.setattr(encode, "_MIN_PART", 2)
            patch.setattr(encode, "_MAX_PART", 8)
            for listing in history:
                for place in listing.changed:
                    row = sessions[place].last_row
                    sessions[place].last_row = structs.replace(row, cipher=f"{row.cipher}x")
                current = [sessions[place] for place in listing.listed]
                all_labels = [labels(PlainPrivacy(), each, each.last_row) for each in current]
                samples = dict.fromkeys(numbered(all_labels), 1)
                assert rendered(info_lines, current) == render(METRIC, daemon, samples)

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
        info_lines, session = info_of(labels), session_of("a")
        rendered(info_lines, [session])
        other = structs.replace(session, name="b")
        assert b'name="b"' in rendered(info_lines, [other])

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


def counting(names: list[str]) -> Labels:
    """Return `labels` that adds the name of each session for which it is called."""

    def count(privacy: Privacy, session: ClientSession, row: ClientRow) -> tuple[str, ...]:
        names.append(session.name)
        return labels(privacy, session, row)

    return count


CLIENTS = st.dictionaries(
    st.sampled_from(["a", "b", "c", "d%", "e%d", "f%%s"]),
    st.one_of(st.none(), st.integers(0, 2), st.floats(0.1, 0.9)),
    max_size=6,
)


class TestColumnLines:
    metric = Metric("openvpn_x", MetricType.GAUGE, "X.", ("name",))

    def rendered(self, lines: ColumnLines, clients: dict[str, float | None]) -> list[bytes]:
        return run_batches(
            lines.render_chunks(tuple(clients), tuple(clients.values()), lambda value: value)
        )

    @given(st.lists(CLIENTS, min_size=1, max_size=6))
    def test_are_those_of_the_current_clients(self, history: list[dict[str, float | None]]) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(encode, "CHUNK_SIZE", 2)
            lines = ColumnLines(self.metric, "office")
            for clients in history:
                known = {name: value for name, value in clients.items() if value is not None}
                text = b"".join(self.rendered(lines, clients))
                assert text == render(self.metric, "office", known)

    def test_keep_the_text_of_a_chunk_that_does_not_change(self) -> None:
        clients: dict[str, float | None] = {str(number): number for number in range(5000)}
        lines = ColumnLines(self.metric, "office")
        first = self.rendered(lines, clients)
        second = self.rendered(lines, clients | {"2500": 0})
        assert [one is other for one, other in zip(first, second, strict=True)] == [
            True,
            False,
            True,
        ]


def test_a_large_family_is_the_same_in_chunks() -> None:
    metric = Metric("openvpn_x", MetricType.GAUGE, "X.", ("name",))
    samples = {f'n"{n}' if n % 3000 == 0 else str(n): n for n in range(9000)}
    chunks = render_chunks(metric, "office", samples)
    parts: list[bytes] = []
    pauses = 0
    try:
        while True:
            next(chunks)
            pauses += 1
    except StopIteration as end:
        parts = end.value
    assert pauses > 3
    assert b"".join(parts) == render(metric, "office", samples)


def test_a_percent_sign_in_a_daemons_name_is_no_format() -> None:
    samples: dict[tuple[str, ...], int] = {("a", "", ""): 1}
    line = b'openvpn_x_info{daemon="100%s",name="a"} 1\n'
    assert render(METRIC, "100%s", samples) == line
