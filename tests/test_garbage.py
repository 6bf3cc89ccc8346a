import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest

from exporter import garbage
from exporter.garbage import INTERVALS, NewObjects, OldObjects, collecting


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
    monkeypatch.setattr(garbage, "INTERVALS", (0.0, 0.0))
    async with collecting():
        collected = asyncio.Event()
        dropped = Cycle()
        weakref.finalize(dropped, collected.set)
        del dropped
        await collected.wait()


@pytest.mark.parametrize(("brief", "interval"), [(10.0, INTERVALS[1]), (-1.0, INTERVALS[0])])
def test_new_objects_are_collected_rarely_while_that_is_quick(
    monkeypatch: pytest.MonkeyPatch, *, brief: float, interval: float
) -> None:
    monkeypatch.setattr(garbage, "BRIEF", brief)
    new = NewObjects()
    new.interval = 0.3
    for _ in range(3):
        new.collect()
    assert new.interval == interval


@pytest.mark.parametrize("enabled", [True, False])
async def test_python_starts_no_collection_meanwhile(*, enabled: bool) -> None:
    (gc.enable if enabled else gc.disable)()
    async with collecting():
        assert not gc.isenabled()
    assert gc.isenabled() is enabled


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


@pytest.fixture
def old(growth: int) -> OldObjects:
    return OldObjects()


def test_old_objects_are_collected_when_memory_has_grown(old: OldObjects, growth: int) -> None:
    objects = grow(growth)
    dropped = weakref.ref(objects.pop())
    old.seconds = 1.0
    old.blocks += 9 * growth
    old.collect_if_grown_or_quick()
    assert dropped() is not None
    old.blocks -= 2 * growth
    old.collect_if_grown_or_quick()
    assert dropped() is None


def test_memory_grows_from_where_it_was_smallest(old: OldObjects, growth: int) -> None:
    blocks = old.blocks
    old.seconds = 1.0
    old.blocks *= 2
    old.collect_if_grown_or_quick()
    assert old.blocks <= blocks + growth


@pytest.mark.parametrize(("seconds", "collected"), [(0.0, True), (1.0, False)])
def test_old_objects_are_collected_regularly_while_that_is_quick(
    old: OldObjects, growth: int, *, seconds: float, collected: bool
) -> None:
    objects = grow(10)
    dropped = weakref.ref(objects.pop())
    old.seconds = seconds
    old.collect_if_grown_or_quick()
    assert (dropped() is None) is collected


def test_survivors_are_not_exempt(old: OldObjects, growth: int) -> None:
    """Under an attack all that is in use may soon be garbage, in cycles."""
    objects = grow(growth)
    exempt = gc.get_freeze_count()
    old.collect_if_grown_or_quick()
    assert gc.get_freeze_count() <= exempt
    dropped = weakref.ref(objects.pop())
    gc.collect()
    assert dropped() is None
