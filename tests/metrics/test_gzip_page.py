import asyncio
import gzip

from hypothesis import given
from hypothesis import strategies as st

from exporter.metrics.gzip_page import gzip_page
from exporter.metrics.page import SLICE_SIZE, Block, Chunk, Page

LINE = b'openvpn_up{daemon="office"} 1\n'

texts = st.binary(max_size=50) | st.integers(0, 2000).map(LINE.__mul__)
pieces = st.lists(texts | st.lists(texts, max_size=3).map(Block), max_size=6)


def page(*some: Chunk) -> Page:
    return Page(some, "text/plain")


def unpacked(some: Page) -> bytes:
    return gzip.decompress(b"".join(asyncio.run(gzip_page(some))))


@given(pieces)
def test_what_is_packed_is_the_page(some: list[Chunk]) -> None:
    assert unpacked(page(*some)) == page(*some).body


@given(pieces, pieces)
def test_a_block_can_be_packed_again_beside_others(some: list[Chunk], others: list[Chunk]) -> None:
    blocks = [piece for piece in some if isinstance(piece, Block)]
    unpacked(page(*some))
    again = page(*others, *blocks, *others, *reversed(blocks))
    assert unpacked(again) == again.body


def test_it_is_one_stream_as_every_reader_takes_it() -> None:
    deflated = b"".join(asyncio.run(gzip_page(page(LINE, Block([LINE * 9]), LINE))))
    assert deflated.count(b"\x1f\x8b\x08") == 1


def test_it_is_much_smaller() -> None:
    deflated = asyncio.run(gzip_page(page(Block([LINE * 10_000]))))
    assert sum(map(len, deflated)) < len(LINE) * 10_000 / 50


def test_a_block_is_compressed_once() -> None:
    block = Block([LINE * 1000])
    first = asyncio.run(gzip_page(page(block)))
    kept = block.deflated
    assert kept is not None
    assert kept in first
    assert any(part is kept for part in asyncio.run(gzip_page(page(LINE, block))))


async def test_others_come_in_between_slices() -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    counting = asyncio.create_task(count())
    await gzip_page(page(Block([bytes(10 * SLICE_SIZE)])))
    counting.cancel()
    assert turns > 20
