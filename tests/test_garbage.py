import asyncio
import gc
import sys
import weakref
from collections.abc import Iterator

import pytest

from exporter import garbage
from exporter.garbage import collect_old, collecting


class Cycle:
    """An object that only a garbage collection frees."""

    def __init__(self) -> None:
        self.cycle = self


@pytest.fixture(autouse=True)
def no_other_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()
    gc.unfreeze()


async def test_what_exists_at_the_start_is_exempt() -> None:
    before = gc.get_freeze_count()
    async with collecting():
        assert gc.get_freeze_count() > before + 1000


async def test_new_objects_are_collected_regularly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garbage, "INTERVAL", 0)
    async with collecting():
        collected = asyncio.Event()
        dropped = Cycle()
        weakref.finalize(dropped, collected.set)
        del dropped
        await collected.wait()


async def test_automatic_collections_are_those_of_new_objects_until_the_end() -> None:
    thresholds = gc.get_threshold()
    async with collecting():
        assert gc.get_threshold()[2] > 1_000_000
    assert gc.get_threshold() == thresholds


def grow(count: int) -> list[Cycle]:
    """Return so many old objects."""
    gc.freeze()
    objects = [Cycle() for _ in range(count)]
    gc.collect(1)
    return objects


@pytest.fixture
def growth(monkeypatch: pytest.MonkeyPatch) -> int:
    growth = 10_000
    monkeypatch.setattr(garbage, "GROWTH", growth)
    monkeypatch.setattr(garbage, "FACTOR", 1)
    return growth


def test_old_objects_are_collected_when_memory_has_grown(growth: int) -> None:
    before = sys.getallocatedblocks()
    objects = grow(growth)
    dropped = weakref.ref(objects.pop())
    assert collect_old(before + 9 * growth) < before + 9 * growth
    assert dropped() is not None
    assert collect_old(before) >= before + growth
    assert dropped() is None


def test_survivors_are_not_exempt(growth: int) -> None:
    """Under an attack all that is in use may soon be garbage, in cycles."""
    before = sys.getallocatedblocks()
    objects = grow(growth)
    exempt = gc.get_freeze_count()
    collect_old(before)
    assert gc.get_freeze_count() <= exempt
    dropped = weakref.ref(objects.pop())
    gc.collect()
    assert dropped() is None


def test_memory_grows_from_where_it_was_smallest(growth: int) -> None:
    blocks = sys.getallocatedblocks()
    assert collect_old(blocks * 2) <= blocks + growth
