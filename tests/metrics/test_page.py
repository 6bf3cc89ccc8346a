from hypothesis import given
from hypothesis import strategies as st

from exporter.management.batches import run_batches
from exporter.metrics.page import SLICE_SIZE, Block, Page, slices

blocks = st.lists(st.lists(st.binary(max_size=20), max_size=3).map(Block), max_size=8)


@given(blocks)
def test_the_body_of_a_page_is_its_blocks_joined(some: list[Block]) -> None:
    text = b"".join(part for block in some for part in block.parts)
    page = Page(tuple(some), "text/plain")
    assert page.body == b"".join(page.slices()) == text
    assert run_batches(page.size()) == len(text)


def test_small_parts_are_joined() -> None:
    parts = [bytes(100)] * 10_000
    sizes = list(map(len, slices(parts)))
    assert sum(sizes) == 1_000_000
    assert len(sizes) == 4
    assert max(sizes) <= SLICE_SIZE


def test_large_parts_are_cut_without_a_copy() -> None:
    large = bytes(range(256)) * 3000
    some = list(slices([b"a", large, b"b"]))
    assert b"".join(some) == b"a" + large + b"b"
    assert max(map(len, some)) == SLICE_SIZE
    assert all(part.obj is large for part in some if isinstance(part, memoryview))
    assert sum(isinstance(part, memoryview) for part in some) == 3
