import asyncio
import gc
import sys
import weakref
from collections.abc import Iterator

import pytest

from exporter import garbage
from exporter.aio import cancel_and_wait
from exporter.garbage import (
    INTERVALS,
    MAX_NEW,
    QUICK,
    SECONDS_EACH,
    NewObjects,
    OldObjects,
    collecting,
)

OLD = 2
"""The generation of old objects."""


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


async def test_what_exists_after_the_start_is_exempt() -> None:
    async with collecting() as exempt:
        before = gc.get_freeze_count()
        objects = [Cycle() for _ in range(1000)]
        exempt()
        assert gc.get_freeze_count() >= before + len(objects)


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
async def test_python_collects_only_new_objects_meanwhile(*, enabled: bool) -> None:
    (gc.enable if enabled else gc.disable)()
    thresholds, generations = gc.get_threshold(), list[int]()

    def record(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            generations.append(info["generation"])

    async with collecting():
        gc.callbacks.append(record)
        objects = [Cycle() for _ in range(30 * MAX_NEW)]
        gc.callbacks.remove(record)
    assert len(generations) >= len(objects) // MAX_NEW - 1
    assert max(generations) < OLD
    assert (gc.isenabled(), gc.get_threshold()) == (enabled, thresholds)


async def test_what_exists_before_the_start_is_exempt() -> None:
    before = gc.get_freeze_count()
    objects = [Cycle() for _ in range(1000)]
    async with collecting():
        assert gc.get_freeze_count() >= before + len(objects)


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
async def old(growth: int) -> OldObjects:
    return OldObjects()


async def test_old_objects_are_collected_when_memory_has_grown(
    old: OldObjects, growth: int
) -> None:
    objects = grow(growth)
    dropped = weakref.ref(objects.pop())
    old.seconds = 1.0
    old.blocks += 9 * growth
    old.look()
    assert dropped() is not None
    old.blocks -= 2 * growth
    old.look()
    assert dropped() is None


async def test_memory_that_new_tasks_take_is_no_reason_to_collect(
    old: OldObjects, growth: int
) -> None:
    added = [asyncio.create_task(asyncio.Event().wait()) for _ in range(100)]
    objects = grow(growth)
    dropped = weakref.ref(objects.pop())
    old.seconds = 1.0
    old.look()
    assert dropped() is not None
    await cancel_and_wait(added)
    old.look()
    assert dropped() is None


async def test_memory_grows_from_where_it_was_smallest(old: OldObjects, growth: int) -> None:
    blocks = old.blocks
    old.seconds = 1.0
    old.blocks *= 2
    old.look()
    assert old.blocks <= blocks + growth


@pytest.mark.parametrize("is_quick", [True, False])
async def test_old_objects_are_collected_regularly_while_that_is_quick(
    old: OldObjects, *, is_quick: bool
) -> None:
    objects = grow(10)
    dropped = weakref.ref(objects.pop())
    old.seconds = 0.0 if is_quick else 1.0
    old.look()
    assert (dropped() is None) is is_quick


async def test_a_collection_is_not_expected_to_be_quick_after_many_objects_were_made(
    old: OldObjects, growth: int
) -> None:
    gc.callbacks.append(old.count)
    objects = grow(int(2 * QUICK / SECONDS_EACH))
    gc.callbacks.remove(old.count)
    old.blocks = sys.getallocatedblocks()
    dropped = weakref.ref(objects.pop())
    old.look()
    assert dropped() is not None
    old.added = 0
    old.look()
    assert dropped() is None


async def test_a_collection_is_not_expected_to_be_quick_after_many_daemons_were_added(
    old: OldObjects, growth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(garbage, "MANY_TASKS", len(asyncio.all_tasks()) + 3)
    added = [asyncio.create_task(asyncio.Event().wait()) for _ in range(3)]
    objects = grow(10)
    dropped = weakref.ref(objects.pop())
    old.look()
    assert dropped() is not None
    added.pop().cancel()
    await asyncio.sleep(0)
    old.look()
    assert dropped() is None
    await cancel_and_wait(added)


async def test_objects_of_the_start_do_not_make_a_collection_slow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[OldObjects] = []

    async def keep(old: OldObjects) -> None:
        started.append(old)

    monkeypatch.setattr(garbage, "_collect_regularly", keep)
    async with collecting() as exempt:
        await asyncio.sleep(0)
        objects = [Cycle() for _ in range(3 * MAX_NEW)]
        assert started[0].added > len(objects) / 2
        exempt()
        assert started[0].added == 0


async def test_survivors_are_not_exempt(old: OldObjects, growth: int) -> None:
    """Under an attack all that is in use may soon be garbage, in cycles."""
    objects = grow(growth)
    exempt = gc.get_freeze_count()
    old.look()
    assert gc.get_freeze_count() <= exempt
    dropped = weakref.ref(objects.pop())
    gc.collect()
    assert dropped() is None
