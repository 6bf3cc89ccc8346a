import itertools
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.management.batches import run_batches
from exporter.metrics import encode
from exporter.metrics.encode import ColumnLines, InfoLines, escape, render, render_chunks
from exporter.metrics.family import Metric, MetricType, PerClientInfo
from exporter.state.privacy import PlainPrivacy, Privacy
from tests.metrics.parsing import numbered


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

    def test_refuse_too_few_label_values(self) -> None:
        metric = Metric("openvpn_x", MetricType.GAUGE, "X.", ("a", "b"))
        samples: dict[tuple[str, ...], int] = {("1",): 1}
        with pytest.raises(ValueError, match="shorter"):
            render(metric, "d", samples)


KEYS = st.tuples(st.sampled_from(["", "a", 'b"', "c\\", "d\n"]), st.integers(0, 3))


def labels(_: Privacy, key: tuple[str, int]) -> tuple[str, ...]:
    """Return equal labels for some different keys."""
    return key[0], "odd" if key[1] % 2 else ""


METRIC = Metric("openvpn_x_info", MetricType.INFO, "X.", ("name", "parity", "number"))


def info_of(labels: Callable[[Privacy, Any], tuple[str, ...]], daemon: str = "office") -> InfoLines:
    source = PerClientInfo(lambda _: (), labels)
    return InfoLines(METRIC, daemon, source, privacy=PlainPrivacy())


def rendered(info_lines: InfoLines, keys: Sequence[Hashable]) -> bytes:
    return b"".join(run_batches(info_lines.render_chunks(keys)))


class TestInfoLines:
    @given(st.lists(st.lists(KEYS, max_size=6), min_size=1, max_size=6))
    def test_are_those_of_the_current_keys(self, history: list[list[tuple[str, int]]]) -> None:
        daemon = escape('of"fice')
        info_lines = info_of(labels, daemon)
        for keys in history:
            samples = dict.fromkeys(numbered(labels(PlainPrivacy(), key) for key in keys), 1)
            assert rendered(info_lines, keys) == render(METRIC, daemon, samples)

    def test_with_equal_labels_are_numbered_from_the_second_on(self) -> None:
        info_lines = info_of(labels)
        keys = [("a", 0), ("a", 2), ("b", 1), ("a", 0)]
        lines = (
            b'openvpn_x_info{daemon="office",name="a"} 1\n',
            b'openvpn_x_info{daemon="office",name="a",number="2"} 1\n',
            b'openvpn_x_info{daemon="office",name="b",parity="odd"} 1\n',
            b'openvpn_x_info{daemon="office",name="a",number="3"} 1\n',
        )
        assert rendered(info_lines, keys) == b"".join(lines)
        assert rendered(info_lines, keys[:1]) == lines[0]

    def test_are_formatted_once(self) -> None:
        calls: list[Hashable] = []

        def count(privacy: Privacy, key: tuple[str, int]) -> tuple[str, ...]:
            calls.append(key)
            return labels(privacy, key)

        info_lines = info_of(count)
        for _ in range(3):
            rendered(info_lines, [("a", 1), ("b", 2)])
        assert calls == [("a", 1), ("b", 2)]

    def test_are_dropped_with_their_keys(self) -> None:
        calls: list[Hashable] = []

        def count(privacy: Privacy, key: tuple[str, int]) -> tuple[str, ...]:
            calls.append(key)
            return labels(privacy, key)

        info_lines = info_of(count)
        for keys in ([("a", 1)], [], [("a", 1)]):
            rendered(info_lines, keys)
        assert calls == [("a", 1)] * 2

    def test_of_thousands_of_keys_are_those_of_the_current_ones(self) -> None:
        info_lines = info_of(labels)
        keys = [(str(number // 2), number % 3) for number in range(2500)]
        history: Sequence[Sequence[Hashable]] = (
            keys,
            keys,
            keys[:-1],
            keys[1:],
            [*keys[:700], ("new", 1), *keys[701:]],
            [],
        )
        for current in history:
            assert rendered(info_lines, current) == rendered(info_of(labels), current)

    def test_that_do_not_change_are_the_same_parts(self) -> None:
        info_lines = info_of(labels)
        keys = [(str(number), 0) for number in range(2500)]
        first, second = (run_batches(info_lines.render_chunks(list(keys))) for _ in range(2))
        assert first is second

    @pytest.mark.parametrize("steps", range(12))
    @pytest.mark.parametrize("left", [500, 1000])
    def test_are_those_of_the_keys_while_others_are_rendered(self, left: int, steps: int) -> None:
        info_lines = info_of(labels)
        keys = [(str(number), 0) for number in range(1000)]
        rendered(info_lines, keys)
        rendering, other = (
            info_lines.render_chunks(each) for each in (keys[:left], [("other", 0)])
        )
        next(rendering)
        for _ in itertools.islice(other, steps):
            pass
        assert b"".join(run_batches(rendering)) == rendered(info_of(labels), keys[:left])

    def test_of_thousands_of_keys_pause_between_chunks(self) -> None:
        info_lines = info_of(labels)
        keys = [(str(number), 0) for number in range(9000)]
        assert sum(1 for _ in info_lines.render_chunks(keys)) > 3
        assert rendered(info_lines, keys).count(b"\n") == 9000


CLIENTS = st.dictionaries(
    st.sampled_from("abcdef"),
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
