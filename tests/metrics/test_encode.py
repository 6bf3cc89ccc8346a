import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.management.batches import run_batches
from exporter.metrics import encode
from exporter.metrics.encode import (
    ColumnLines,
    column_lines,
    daemon_label,
    escape,
    render_chunks,
    with_starts,
    without_starts,
)
from exporter.metrics.family import Metric, MetricType, Samples


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

    def test_are_one_object_where_daemons_have_common_samples(self) -> None:
        for common in (True, False):
            metric = Metric("openvpn_x", MetricType.GAUGE, "X.", ("file",), common=common)
            first, second = (encode.render(metric, {"/ca.crt": value}) for value in (17e8, 17e8))
            assert first == second
            assert (first is second) is common

    def test_refuse_too_few_label_values(self) -> None:
        metric = Metric("openvpn_x", MetricType.GAUGE, "X.", ("a", "b"))
        samples: dict[tuple[str, ...], int] = {("1",): 1}
        with pytest.raises(ValueError, match="shorter"):
            render(metric, "d", samples)


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
    metric = Metric("openvpn_x", MetricType.GAUGE, "X.", ("name",))
    line = b'openvpn_x{daemon="100%s",name="a"} 1\n'
    assert render(metric, "100%s", {"a": 1}) == line


@given(st.lists(st.text(st.characters(exclude_characters="\n"))))
def test_lines_stored_without_their_equal_starts_are_whole_again(rests: list[str]) -> None:
    start = b'openvpn_server_client_sessions{daemon="a"'
    text = b"".join(start + rest.encode(errors="replace") + b"\n" for rest in rests)
    stored = without_starts(text, start)
    assert with_starts(stored, start) == text
    assert sum(map(len, stored)) <= len(text) - len(rests) * len(start)


def test_few_clients_have_the_lines_of_many() -> None:
    metric = Metric("clients", MetricType.GAUGE, "", labels=("common_name",))
    names, values = ['a\\"%', "b", "c"], [3, None, 0.5]
    column = ColumnLines(metric, "x")
    (text,) = run_batches(column.render_chunks(names, values, lambda value: value))
    assert text == column_lines(metric, names, tuple(values), daemon="x")
