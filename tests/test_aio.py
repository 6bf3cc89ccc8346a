"""Daemon threads, shared calls and yields to the event loop."""

import asyncio
import contextlib
import gc
import itertools
import threading
import time
import weakref
from collections import Counter
from collections.abc import Generator, Iterator

import pytest

from exporter import aio
from exporter.aio import (
    SingleFlight,
    Wakeup,
    begin_in_turn,
    join_daemon_threads,
    run_at_once,
    run_cooperatively,
    run_in_daemon_thread,
    yield_to_loop,
)
from exporter.management.batches import WAITING
from tests.fake_daemon import TEST_TIMEOUT
from tests.interpreter import run_program


class BlockingCall:
    """A function that blocks until it is released."""

    def __init__(self) -> None:
        self.calls = 0
        self.released = threading.Event()
        self.thread: threading.Thread | None = None

    def __call__(self) -> int:
        self.calls += 1
        self.thread = threading.current_thread()
        assert self.released.wait(TEST_TIMEOUT)
        return self.calls

    async def finish(self) -> None:
        """Release the call, and wait until its thread has ended."""
        self.released.set()
        assert self.thread
        await run_in_daemon_thread(self.thread.join)


class FailingCall(BlockingCall):
    """A function that blocks until it is released, and then raises."""

    def __call__(self) -> int:
        return super().__call__() // 0


@pytest.fixture
def call() -> Iterator[BlockingCall]:
    blocking = BlockingCall()
    yield blocking
    blocking.released.set()


def unhandled_errors() -> list[str]:
    """Return the list to which the event loop adds its unhandled errors."""
    errors: list[str] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: errors.append(context["message"])
    )
    return errors


async def test_call_runs_in_another_thread() -> None:
    assert await run_in_daemon_thread(threading.get_ident) != threading.get_ident()


async def test_exception_of_the_call_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        await run_in_daemon_thread(lambda: 1 // 0)


async def test_cancelled_task_does_not_wait_for_the_thread(call: BlockingCall) -> None:
    task = asyncio.create_task(run_in_daemon_thread(call))
    await asyncio.sleep(0)
    task.cancel()
    async with asyncio.timeout(TEST_TIMEOUT):
        await asyncio.wait([task])
    assert task.cancelled()


@pytest.mark.parametrize("kind", [BlockingCall, FailingCall])
async def test_result_after_the_cancellation_is_dropped(kind: type[BlockingCall]) -> None:
    call, errors = kind(), unhandled_errors()
    task = asyncio.create_task(run_in_daemon_thread(call))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    await call.finish()
    assert errors == []


@pytest.mark.parametrize("is_done", [False, True])
async def test_result_after_the_cancellation_is_undone(
    call: BlockingCall, *, is_done: bool
) -> None:
    undone: asyncio.Queue[int] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def undo(result: int) -> None:
        loop.call_soon_threadsafe(undone.put_nowait, result)

    task = asyncio.create_task(run_in_daemon_thread(call, undo=undo))
    await asyncio.sleep(0)
    if is_done:  # the result is there, but the task has not gone on
        call.released.set()
        assert call.thread
        call.thread.join()
        loop.call_soon(task.cancel)
    else:
        task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    await call.finish()
    async with asyncio.timeout(TEST_TIMEOUT):
        assert await undone.get() == 1
    assert undone.empty()


async def test_exception_after_the_timeout_of_every_caller_is_dropped() -> None:
    call, errors = FailingCall(), unhandled_errors()
    flight = SingleFlight(call)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.01):
            await flight()
    await call.finish()
    del flight
    gc.collect()
    assert errors == []


async def test_single_flight_joins_a_running_call(call: BlockingCall) -> None:
    flight = SingleFlight(call)
    for _ in range(3):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.01):
                await flight()
    call.released.set()
    assert await flight() == 1
    assert await flight() == 2


async def test_blocked_calls_take_no_thread_from_others(call: BlockingCall) -> None:
    blocked = [asyncio.create_task(run_in_daemon_thread(call)) for _ in range(50)]
    async with asyncio.timeout(TEST_TIMEOUT):
        assert await run_in_daemon_thread(lambda: "done") == "done"
    call.released.set()
    await asyncio.gather(*blocked)


def test_blocked_call_does_not_delay_the_end_of_the_process() -> None:
    program = """
import asyncio, time
from exporter.aio import run_in_daemon_thread

async def give_up():
    try:
        async with asyncio.timeout(0.01):
            await run_in_daemon_thread(lambda: time.sleep(3600))
    except TimeoutError:
        print("gave up")

asyncio.run(give_up())
"""
    assert run_program(program) == "gave up\n"


async def test_failure_to_start_a_thread_is_an_os_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(OSError, match="cannot start a thread"):
        await run_in_daemon_thread(threading.get_ident)


async def test_yield_to_loop_lets_a_due_task_run_between_two_steps() -> None:
    loop, steps = asyncio.get_running_loop(), list[str]()
    due, waiting = asyncio.Event(), asyncio.Event()

    async def waiter() -> None:
        waiting.set()
        await due.wait()
        steps.append("waiter")

    async def worker() -> None:
        await waiting.wait()
        steps.append("first step")
        loop.call_soon(lambda: loop.call_soon(due.set))
        await yield_to_loop()
        steps.append("second step")

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(waiter())
        tasks.create_task(worker())
    assert steps == ["first step", "waiter", "second step"]


async def test_of_several_tasks_that_yield_one_goes_on_at_a_time_in_order() -> None:
    passes, went_on = 0, list[tuple[int, int]]()

    async def count_passes() -> None:
        nonlocal passes
        while True:
            await asyncio.sleep(0)
            passes += 1

    async def work(number: int) -> None:
        for _ in range(2):
            await yield_to_loop()
            went_on.append((number, passes))

    counting = asyncio.create_task(count_passes())
    await asyncio.gather(*map(work, range(3)))
    counting.cancel()
    assert [number for number, _ in went_on] == [0, 1, 2, 0, 1, 2]
    pauses = [later - earlier for (_, earlier), (_, later) in itertools.pairwise(went_on)]
    assert min(pauses) > 1


async def test_a_task_that_is_cancelled_gives_its_turn_to_the_next() -> None:
    cancelled, waiting = (asyncio.create_task(yield_to_loop()) for _ in range(2))
    await asyncio.sleep(0)
    cancelled.cancel()
    async with asyncio.timeout(TEST_TIMEOUT):
        await waiting
    await yield_to_loop()
    assert cancelled.cancelled()


async def test_short_generators_need_no_pass_of_the_loop() -> None:
    def steps() -> Generator[None, None, str]:
        yield
        return "done"

    passed = asyncio.Event()
    asyncio.get_running_loop().call_soon(passed.set)
    assert await run_cooperatively(steps()) == "done"
    assert not passed.is_set()


async def test_generators_together_hold_the_loop_no_longer_than_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each takes as long as a turn by itself, however many are ready at once."""
    now, passes, ran_in = itertools.count(step=0.001), 0, list[int]()
    monkeypatch.setattr(time, "perf_counter", lambda: next(now))

    async def count_passes() -> None:
        nonlocal passes
        while True:
            await asyncio.sleep(0)
            passes += 1

    def steps() -> Generator[None, None, None]:
        for _ in range(3):
            ran_in.append(passes)
            yield

    counting = asyncio.create_task(count_passes())
    await asyncio.gather(*(run_cooperatively(steps()) for _ in range(8)))
    counting.cancel()
    assert len(ran_in) == 24
    assert max(Counter(ran_in).values()) <= 4


async def test_short_generators_share_a_turn_and_none_is_overtaken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Those that wait go on before those that come later, however many these are."""
    now, passes, ran_in = itertools.count(step=0.001), 0, dict[int, int]()
    monkeypatch.setattr(time, "perf_counter", lambda: next(now))

    async def count_passes() -> None:
        nonlocal passes
        while True:
            await asyncio.sleep(0)
            passes += 1

    def step(number: int) -> Generator[None, None, None]:
        ran_in[number] = passes
        yield

    counting = asyncio.create_task(count_passes())
    async with asyncio.TaskGroup() as tasks:
        for number in range(60):
            tasks.create_task(run_cooperatively(step(number)))
            if number % 4 == 0:
                await asyncio.sleep(0)
    counting.cancel()
    assert list(ran_in) == list(range(60))
    assert 1 < max(Counter(ran_in.values()).values()) <= 4


async def test_few_of_many_tasks_begin_together_in_their_order() -> None:
    began: list[int] = []

    async def begin(number: int) -> None:
        await begin_in_turn()
        began.append(number)

    tasks = [asyncio.create_task(begin(number)) for number in range(40)]
    at_once: list[int] = []
    while len(began) < len(tasks):
        before = len(began)
        await asyncio.sleep(0)
        at_once.append(len(began) - before)
    assert began == list(range(40))
    assert at_once[0] == max(at_once) <= 10
    assert at_once[1:3] == [0, 0]


async def test_a_task_begins_at_once_when_no_other_does() -> None:
    passed = asyncio.Event()
    asyncio.get_running_loop().call_soon(passed.set)
    await begin_in_turn()
    assert not passed.is_set()


async def test_a_generator_that_waits_for_another_one_takes_one_step_in_a_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, steps = itertools.count(step=0.001), list[str]()
    monkeypatch.setattr(time, "perf_counter", lambda: next(now))

    def work() -> Generator[None, None, None]:
        for _ in range(20):
            steps.append("work")
            yield

    def wait() -> Generator[bool, None, None]:
        while not working.done():
            steps.append("wait")
            yield WAITING

    working = asyncio.create_task(run_cooperatively(work()))
    await run_cooperatively(wait())
    assert steps.count("work") == 20
    assert 0 < steps.count("wait") < 10


async def test_what_a_long_generator_leaves_is_collected_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("exporter.aio._TURN", 0)
    left: list[weakref.ref[list[object]]] = []

    def steps() -> Generator[None, None, None]:
        for _ in range(20):
            cycle = _Cycle()
            left.append(weakref.ref(cycle))
            del cycle
            yield

    gc.collect()
    gc.disable()
    try:
        await run_cooperatively(steps())
        assert sum(each() is not None for each in left) < 6
    finally:
        gc.enable()


class _Cycle(list[object]):
    """A list that only a garbage collection frees."""

    def __init__(self) -> None:
        super().__init__([self])


async def test_a_wakeup_ends_the_wait_or_the_next_one() -> None:
    wakeup = Wakeup()
    waiting = asyncio.create_task(wakeup.wait(TEST_TIMEOUT))
    await asyncio.sleep(0)
    assert not waiting.done()
    wakeup.set()
    await waiting
    await wakeup.wait(TEST_TIMEOUT)
    wakeup.clear()
    await wakeup.wait(0)
    assert not wakeup.is_set


async def test_the_timer_of_a_wait_that_was_ended_ends_no_later_one() -> None:
    wakeup = Wakeup()
    ended = asyncio.create_task(wakeup.wait(0.01))
    await asyncio.sleep(0)
    wakeup.set()
    await ended
    wakeup.clear()
    later = asyncio.create_task(wakeup.wait(TEST_TIMEOUT))
    await asyncio.wait([later], timeout=0.05)
    assert not later.done()
    wakeup.set()
    await later


async def test_a_wait_that_is_cancelled_leaves_the_wakeup_usable() -> None:
    wakeup = Wakeup()
    cancelled = asyncio.create_task(wakeup.wait(TEST_TIMEOUT))
    await asyncio.sleep(0)
    waiting = asyncio.create_task(wakeup.wait(TEST_TIMEOUT))
    cancelled.cancel()
    await asyncio.wait([cancelled])
    wakeup.set()
    await waiting
    assert cancelled.cancelled()


async def test_a_generator_that_is_cancelled_is_closed() -> None:
    closed = asyncio.Event()

    def steps() -> Generator[None, None, None]:
        try:
            while True:
                yield
        finally:
            closed.set()

    running = asyncio.create_task(run_cooperatively(steps()))
    for _ in range(3):
        await yield_to_loop()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert closed.is_set()


async def test_joining_waits_for_work_that_goes_on() -> None:
    released = threading.Event()
    working = asyncio.create_task(run_in_daemon_thread(lambda: released.wait(TEST_TIMEOUT)))
    await asyncio.sleep(0)
    assert not await asyncio.to_thread(join_daemon_threads, 0.01)
    released.set()
    assert await asyncio.to_thread(join_daemon_threads, TEST_TIMEOUT)
    assert await working


class TestRunAtOnce:
    @pytest.fixture(autouse=True)
    def _long_turns(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(aio, "_TURN", 60.0)  # a machine may stand still for a short one

    async def test_a_short_generator_runs_to_its_end(self) -> None:
        steps = iter(range(3))
        assert run_at_once(None for _ in steps)
        assert list(steps) == []

    async def test_one_that_waits_for_another_goes_on_cooperatively(self) -> None:
        generator = (step for step in [None, WAITING, None])
        assert not run_at_once(generator)
        assert list(generator) == [None]

    async def test_none_runs_while_the_turn_is_over(self) -> None:
        assert not run_at_once(step for step in [WAITING])
        generator = (step for step in [None])
        assert not run_at_once(generator)
        await run_cooperatively(generator)
        assert run_at_once(step for step in [None])
