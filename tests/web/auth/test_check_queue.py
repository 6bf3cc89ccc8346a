import asyncio
from collections.abc import Callable

import pytest

from exporter.web.auth import check_queue as queue_module
from exporter.web.auth.check_queue import (
    FAILURE_AGE,
    MAX_PEERS,
    MAX_PENDING,
    CheckQueue,
    TooManyPending,
)
from tests.fake_daemon import TEST_TIMEOUT


class Run:
    """Checks that run under `queue`; each one runs until `finish` is called."""

    def __init__(self, queue: CheckQueue) -> None:
        self.queue = queue
        self.order: list[str] = []
        self.finish = asyncio.Semaphore(0)

    def add(
        self, peer: str, name: str = "", *, abandoned: Callable[[], bool] = lambda: False
    ) -> asyncio.Task[None]:
        async def check() -> None:
            async with self.queue.acquire(peer, abandoned):
                self.order.append(name or peer)
                await self.finish.acquire()

        return asyncio.create_task(check())

    async def run(self, *tasks: asyncio.Task[None]) -> list[BaseException | None]:
        """Run all checks to their end; return their errors."""
        await settled()
        for _ in tasks:
            self.finish.release()
        async with asyncio.timeout(TEST_TIMEOUT):
            return await asyncio.gather(*tasks, return_exceptions=True)


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
async def run() -> Run:
    return Run(CheckQueue())


async def add(run: Run, *peers: str) -> list[asyncio.Task[None]]:
    """Add a check of each of these peers, `peer` or `peer:name`, in this order."""
    tasks = []
    for peer in peers:
        tasks.append(run.add(peer.partition(":")[0], peer))
        await settled()
    return tasks


async def test_peers_are_served_in_turn(run: Run) -> None:
    tasks = await add(run, "first", *["busy"] * 4, "b", "c")
    await run.run(*tasks)
    assert run.order == ["first", "busy", "b", "c", "busy", "busy", "busy"]


async def test_the_newest_check_of_a_peer_is_first(run: Run) -> None:
    tasks = await add(run, "first", "a:1", "a:2", "a:3")
    await run.run(*tasks)
    assert run.order == ["first", "a:3", "a:2", "a:1"]


async def test_peers_with_fewer_recent_failures_are_first(run: Run) -> None:
    for _ in range(3):
        run.queue.record("bad", verified=False)
    run.queue.record("typo", verified=False)
    tasks = await add(run, "first", "bad:1", "bad:2", "typo", "new")
    await run.run(*tasks)
    assert run.order == ["first", "new", "typo", "bad:2", "bad:1"]


async def test_old_failures_are_forgotten(run: Run) -> None:
    run.queue.record("typo", verified=False)
    run.queue._failures["typo"].last -= FAILURE_AGE
    tasks = await add(run, "first", "typo", "new")
    await run.run(*tasks)
    assert run.order == ["first", "typo", "new"]


async def test_verified_peers_and_others_alternate(run: Run) -> None:
    run.queue.record("known", verified=False)
    run.queue.record("known", verified=True)
    known, others = [f"known:{number}" for number in range(4)], ["a", "b", "c"]
    tasks = await add(run, "first", *others, *known)
    await run.run(*tasks)
    assert run.order == ["first", "known:3", "a", "known:2", "b", "known:1", "c", "known:0"]


async def test_a_full_queue_refuses_the_peer_that_fills_it(run: Run) -> None:
    tasks = [run.add("busy", str(number)) for number in range(MAX_PENDING)]
    await settled()
    refused = run.add("busy")
    await settled()
    assert isinstance(refused.exception(), TooManyPending)
    assert not any(await run.run(*tasks))


async def test_in_a_full_queue_another_peer_replaces_the_oldest_of_the_largest(run: Run) -> None:
    tasks = [run.add("busy", str(number)) for number in range(MAX_PENDING)]
    await settled()
    other = run.add("other")
    errors = await run.run(*tasks, other)
    assert [number for number, error in enumerate(errors) if error] == [1]
    assert isinstance(errors[1], TooManyPending)
    assert run.order.index("other") <= 2


async def test_in_a_full_queue_a_peer_with_few_checks_loses_none(run: Run) -> None:
    tasks = await add(run, "first", "small")
    tasks += [run.add("busy", str(number)) for number in range(MAX_PENDING - 2)]
    await settled()
    errors = await run.run(*tasks, run.add("other"))
    assert [number for number, error in enumerate(errors) if error] == [2]


async def test_a_check_that_comes_as_another_is_about_to_run_waits(run: Run) -> None:
    async with run.queue.acquire("a", lambda: False):
        tasks = await add(run, "b")
    tasks += await add(run, "c")
    assert run.order == ["b"]
    assert not any(await run.run(*tasks))


async def test_a_check_that_waits_too_long_is_refused(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    (running,) = await add(run, "a")
    monkeypatch.setattr(queue_module, "MAX_WAIT", 0.01)
    late = run.add("b")
    async with asyncio.timeout(TEST_TIMEOUT):
        await asyncio.wait([late])
    assert isinstance(late.exception(), TooManyPending)
    assert not any(await run.run(running))
    assert run.order == ["a"]


async def test_an_abandoned_check_gets_no_turn(run: Run) -> None:
    tasks = await add(run, "a")
    abandoned = run.add("b", abandoned=lambda: True)
    await settled()
    tasks += await add(run, "c")
    errors = await run.run(*tasks, abandoned)
    assert run.order == ["a", "c"]
    assert isinstance(errors[-1], TooManyPending)


async def test_a_cancelled_check_passes_its_turn_on(run: Run) -> None:
    running, next_one, waiting, last = await add(run, "a", "b", "c", "d")
    waiting.cancel()
    await settled()
    assert waiting.cancelled()
    running.cancel()
    next_one.cancel()  # as it is about to run
    assert not any(await run.run(last))
    assert run.order == ["a", "d"]
    later = await add(run, "later")
    assert not any(await run.run(*later))


async def test_only_so_many_peers_are_remembered(run: Run) -> None:
    for number in range(MAX_PEERS + 10):
        run.queue.record(f"failed {number}", verified=False)
        run.queue.record(f"verified {number}", verified=True)
    assert len(run.queue._failures) == len(run.queue._verified) == MAX_PEERS


async def test_a_closed_queue_lets_the_running_check_end_and_refuses_all_others(run: Run) -> None:
    running, waiting = await add(run, "a", "b")
    run.queue.close()
    later = run.add("c")
    errors = await run.run(running, waiting, later)
    assert [type(error) for error in errors] == [type(None), TooManyPending, TooManyPending]
    assert run.order == ["a"]


async def test_the_running_check_may_end_as_the_queue_is_closed(run: Run) -> None:
    async with run.queue.acquire("a", lambda: False):
        tasks = await add(run, "b")
        run.queue.close()
    assert [type(error) for error in await run.run(*tasks)] == [TooManyPending]
