from collections.abc import Hashable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.metrics.encode import InfoLines, render, render_chunks
from exporter.metrics.family import InfoSource, Kind, Metric, Sample


class TestSampleLines:
    def test_escape_what_would_end_a_label(self) -> None:
        metric = Metric("openvpn_x", Kind.GAUGE, "X.", ("a",))
        line = render(metric, 'of"fice', [(("back\\slash\nline",), 1)])
        assert line == b'openvpn_x{daemon="of\\"fice",a="back\\\\slash\\nline"} 1\n'

    def test_leave_out_empty_labels_of_several(self) -> None:
        metric = Metric("openvpn_x", Kind.GAUGE, "X.", ("a", "b", "c"))
        line = render(metric, "office", [(("1", "", "3"), 1)])
        assert line == b'openvpn_x{daemon="office",a="1",c="3"} 1\n'

    @pytest.mark.parametrize(
        ("value", "written"),
        [
            (0, "0"),
            (True, "1"),
            (2**64 - 1, "18446744073709551615"),
            (1795435200.123456, "1795435200.123456"),
            (1e300, "1e+300"),
            (0.1, "0.1"),
        ],
    )
    def test_keep_every_digit(self, value: float, written: str) -> None:
        metric = Metric("openvpn_x", Kind.GAUGE, "X.")
        assert render(metric, "d", [((), value)]).decode() == f'openvpn_x{{daemon="d"}} {written}\n'

    def test_refuse_too_few_label_values(self) -> None:
        metric = Metric("openvpn_x", Kind.GAUGE, "X.", ("a", "b"))
        with pytest.raises(ValueError, match="shorter"):
            render(metric, "d", [(("1",), 1)])


FACTS = st.tuples(st.sampled_from(["", "a", 'b"', "c\\", "d\n"]), st.integers(0, 3))


def labels(fact: tuple[str, int]) -> tuple[str, ...]:
    """Give equal labels for some facts that differ."""
    return fact[0], "odd" if fact[1] % 2 else ""


METRIC = Metric("openvpn_x_info", Kind.INFO, "X.", ("name", "parity"))


def described(descriptions: InfoLines, facts: Sequence[Hashable]) -> bytes:
    steps = descriptions.render_chunks(facts)
    try:
        while True:
            next(steps)
    except StopIteration as end:
        return b"".join(end.value)


class TestDescriptions:
    @given(st.lists(st.lists(FACTS, max_size=6), min_size=1, max_size=6))
    def test_are_what_their_facts_say_now(self, history: list[list[tuple[str, int]]]) -> None:
        descriptions = InfoLines(METRIC, 'of"fice', InfoSource(lambda _: (), labels))
        for facts in history:
            samples = [(values, 1) for values in dict.fromkeys(map(labels, facts))]
            assert described(descriptions, facts) == render(METRIC, 'of"fice', samples)

    def test_are_put_into_words_once(self) -> None:
        asked: list[Hashable] = []

        def ask(fact: tuple[str, int]) -> tuple[str, ...]:
            asked.append(fact)
            return labels(fact)

        descriptions = InfoLines(METRIC, "office", InfoSource(lambda _: (), ask))
        for _ in range(3):
            described(descriptions, [("a", 1), ("b", 2)])
        assert asked == [("a", 1), ("b", 2)]

    def test_are_forgotten_with_their_facts(self) -> None:
        asked: list[Hashable] = []

        def ask(fact: tuple[str, int]) -> tuple[str, ...]:
            asked.append(fact)
            return labels(fact)

        descriptions = InfoLines(METRIC, "office", InfoSource(lambda _: (), ask))
        for facts in ([("a", 1)], [], [("a", 1)]):
            described(descriptions, facts)
        assert asked == [("a", 1)] * 2

    def test_of_thousands_pause_now_and_then(self) -> None:
        descriptions = InfoLines(METRIC, "office", InfoSource(lambda _: (), labels))
        facts = [(str(number), 0) for number in range(9000)]
        assert sum(1 for _ in descriptions.render_chunks(facts)) > 3
        assert described(descriptions, facts).count(b"\n") == 9000


def test_a_large_family_is_the_same_in_slices() -> None:
    metric = Metric("openvpn_x", Kind.GAUGE, "X.", ("name",))
    samples: list[Sample] = [
        ((f'n"{number}' if number % 3000 == 0 else str(number),), number) for number in range(9000)
    ]
    steps = render_chunks(metric, "office", samples)
    parts: list[bytes] = []
    pauses = 0
    try:
        while True:
            next(steps)
            pauses += 1
    except StopIteration as end:
        parts = end.value
    assert pauses > 3
    assert b"".join(parts) == render(metric, "office", samples)


def test_a_percent_sign_in_a_daemons_name_is_no_format() -> None:
    assert render(METRIC, "100%s", [(("a", ""), 1)]) == (
        b'openvpn_x_info{daemon="100%s",name="a"} 1\n'
    )
