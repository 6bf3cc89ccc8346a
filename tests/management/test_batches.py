from hypothesis import given
from hypothesis import strategies as st

from exporter.management.batches import MAX_BYTES, MAX_ROWS, data_batches, line_batches

LINES = st.lists(st.integers(0, 3 * MAX_BYTES // 2).map(bytes), max_size=12)


@given(LINES)
def test_line_batches_are_the_lines_in_order(lines: list[bytes]) -> None:
    assert [line for batch in line_batches(lines) for line in batch] == lines


@given(LINES)
def test_no_batch_has_more_bytes_than_the_limit_unless_a_single_line_has(
    lines: list[bytes],
) -> None:
    assert all(
        len(batch) == 1 or sum(map(len, batch)) <= MAX_BYTES for batch in line_batches(lines)
    )


def test_no_batch_has_more_rows_than_the_limit() -> None:
    assert [len(batch) for batch in line_batches([b""] * (2 * MAX_ROWS + 1))] == [
        MAX_ROWS,
        MAX_ROWS,
        1,
    ]


@given(st.binary(max_size=200))
def test_pieces_of_data_are_the_data(data: bytes) -> None:
    assert b"".join(piece for piece, _ in data_batches(data, lines=3)) == data


def test_no_piece_of_data_has_more_lines_than_the_limit() -> None:
    for data in (b"\n" * 100, b"ab\n" * 100, b"a" * 1000 + b"\n" * 50):
        assert all(
            piece.count(b"\n") == count <= 10 for piece, count in data_batches(data, lines=10)
        )


def test_long_lines_are_one_piece() -> None:
    assert list(data_batches(b"a" * 300 + b"\n", lines=10)) == [(b"a" * 300 + b"\n", 1)]
