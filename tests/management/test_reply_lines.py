"""Lines that are kept as they came."""

import itertools
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.management.reply_lines import LineBlock, LinesBuilder, ReplyLines, has_longer_line

LINES = st.lists(st.binary(max_size=4).map(lambda line: line.replace(b"\n", b"")), max_size=9)
CUTS = st.lists(st.integers(1, 9), min_size=1, max_size=9)


def built(lines: list[bytes], cuts: list[int], end: bytes) -> LinesBuilder:
    """Add lines in blocks of several."""
    builder, rest = LinesBuilder(), iter(lines)
    for cut in itertools.cycle(cuts):
        part = list(itertools.islice(rest, cut))
        if not part:
            return builder
        builder.add(LineBlock(b"".join(line + end for line in part), len(part)))
    raise AssertionError


@given(LINES, CUTS, st.sampled_from([b"\n", b"\r\n"]), st.slices(1500))
def test_lines_are_the_lines_that_were_added(
    some: list[bytes], cuts: list[int], end: bytes, part: slice
) -> None:
    some = [line.rstrip(b"\r") for line in some] if end == b"\n" else some
    lines = some * 500
    builder = built(lines, cuts, end)
    assert builder.first == (lines[0] if lines else b"")
    built_lines = builder.build()
    assert len(builder) == len(built_lines) == len(lines)
    assert builder.size == sum(len(line) + len(end) for line in lines)
    assert built_lines.size == sum(map(len, lines))
    assert built_lines == lines == list(built_lines)
    assert built_lines[part] == tuple(lines[part])
    assert ReplyLines.of(lines) == built_lines
    if lines:
        assert (built_lines[0], built_lines[-1]) == (lines[0], lines[-1])


def test_there_is_no_line_behind_the_last() -> None:
    with pytest.raises(IndexError):
        ReplyLines.of([b"a"])[1]


def test_other_lines_are_not_equal() -> None:
    assert ReplyLines.of([b"a", b"b"]) != [b"a"]
    assert ReplyLines.of([b"a"]) != b"a\n"


def test_many_short_pieces_are_few_objects() -> None:
    builder = LinesBuilder()
    tracemalloc.start()
    for _ in range(100_000):
        builder.add(LineBlock(b"row\r\n", 1))
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(builder.build().blocks) == 50
    assert kept < 2 * builder.size


@given(st.lists(st.integers(0, 12), max_size=20), st.integers(1, 10))
def test_a_line_over_the_limit_is_found(lengths: list[int], limit: int) -> None:
    text = b"".join(b"x" * length + b"\n" for length in lengths)
    assert has_longer_line(text, limit) == any(length > limit for length in lengths)
