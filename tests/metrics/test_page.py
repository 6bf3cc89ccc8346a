import itertools

from hypothesis import given
from hypothesis import strategies as st

from exporter.metrics.page import SLICE_SIZE, Block, Page, Piece, gathered, slices

pieces = st.lists(st.binary(max_size=20) | st.binary(max_size=20).map(Block), max_size=8)


def text(piece: Piece) -> bytes:
    return piece.text if isinstance(piece, Block) else piece


@given(pieces)
def test_gathering_changes_no_byte(some: list[Piece]) -> None:
    whole = b"".join(map(text, some))
    page = Page(tuple(gathered(some)), "text/plain")
    assert page.body == b"".join(page.slices()) == whole
    assert page.size == len(whole)


@given(pieces)
def test_gathering_leaves_no_small_neighbours(some: list[Piece]) -> None:
    kinds = [isinstance(piece, Block) for piece in gathered(some)]
    assert all(any(pair) for pair in itertools.pairwise(kinds))
    assert sum(kinds) == sum(isinstance(piece, Block) for piece in some)


def test_nothing_gathered_gets_huge() -> None:
    sizes = [len(text(piece)) for piece in gathered([bytes(100)] * 10_000)]
    assert max(sizes) < SLICE_SIZE + 100
    assert sum(sizes) == 1_000_000


def test_a_block_stays_the_same_block() -> None:
    block = Block(b"text")
    assert list(gathered([b"a", block, b"b"])) == [b"a", block, b"b"]


def test_slices_are_short_and_no_copies() -> None:
    whole = bytes(range(256)) * 3000
    parts = list(slices(whole))
    assert max(map(len, parts)) == SLICE_SIZE
    assert b"".join(parts) == whole
    assert all(part.obj is whole for part in parts)
