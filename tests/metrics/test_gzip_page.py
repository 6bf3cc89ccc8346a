import gzip
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.management.batches import run_batches
from exporter.metrics import gzip_page as gzip_page_module
from exporter.metrics.gzip_page import fast_library, gzip_page
from exporter.metrics.page import SLICE_SIZE, Block, Page

LINE = b'openvpn_up{daemon="office"} 1\n'

texts = st.binary(max_size=50) | st.integers(0, 2000).map(LINE.__mul__)
blocks = st.lists(st.lists(texts, max_size=3).map(Block), max_size=6)


@pytest.fixture(autouse=True, params=["isal.isal_zlib", "zlib"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Compress each page, small ones too, with the library of the extra and without it."""
    monkeypatch.setattr(gzip_page_module, "LARGE", 0)
    if request.param == "zlib":
        monkeypatch.setitem(sys.modules, "isal", None)
    fast_library.cache_clear()
    assert fast_library() is sys.modules[request.param]
    yield
    fast_library.cache_clear()


def page(*some: Block) -> Page:
    return Page(some, "text/plain")


def decompressed(some: Page) -> bytes:
    return gzip.decompress(b"".join(run_batches(gzip_page(some))))


@given(blocks)
def test_the_stream_is_the_page(some: list[Block]) -> None:
    assert decompressed(page(*some)) == page(*some).body


@given(blocks, blocks)
def test_a_block_can_be_used_again_beside_others(some: list[Block], others: list[Block]) -> None:
    decompressed(page(*some))
    again = page(*others, *some, *others, *reversed(some))
    assert decompressed(again) == again.body


def test_it_is_one_stream_which_every_reader_accepts() -> None:
    deflated = b"".join(
        run_batches(gzip_page(page(Block([LINE]), Block([LINE * 9]), Block([LINE]))))
    )
    assert deflated.count(b"\x1f\x8b\x08") == 1


def test_it_is_much_smaller() -> None:
    deflated = run_batches(gzip_page(page(Block([LINE * 10_000]))))
    assert sum(map(len, deflated)) < len(LINE) * 10_000 / 50


def test_a_block_is_compressed_once() -> None:
    block = Block([LINE * 1000])
    first = run_batches(gzip_page(page(block)))
    kept = block.deflated.data
    assert kept is not None
    assert kept in first
    assert any(part is kept for part in run_batches(gzip_page(page(Block([LINE]), block))))


def test_it_is_made_slice_by_slice() -> None:
    slices = 10
    steps = sum(1 for _ in gzip_page(page(Block([bytes(slices * SLICE_SIZE)]))))
    assert steps >= slices


def test_a_small_page_needs_no_other_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gzip_page_module, "LARGE", len(LINE) + 1)
    monkeypatch.setattr(gzip_page_module, "fast_library", pytest.fail)
    assert decompressed(page(Block([LINE]))) == LINE


def test_two_scrapes_compress_a_block_at_the_same_time() -> None:
    block = Block([bytes(3 * SLICE_SIZE)])
    first = gzip_page(page(block))
    next(first)
    run_batches(gzip_page(page(block)))
    assert gzip.decompress(b"".join(run_batches(first))) == page(block).body
    assert decompressed(page(block)) == page(block).body
