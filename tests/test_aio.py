import asyncio
import contextlib
import gc
import threading
from collections.abc import Iterator

import pytest

from exporter.aio import SingleFlight, run_in_daemon_thread
from tests.fake_daemon import TEST_TIMEOUT
from tests.interpreter import run_program


class Slow:
    """Work that hangs until it is released."""

    def __init__(self) -> None:
        self.begun = 0
        self.released = threading.Event()
        self.thread: threading.Thread | None = None

    def __call__(self) -> int:
        self.begun += 1
        self.thread = threading.current_thread()
        assert self.released.wait(TEST_TIMEOUT)
        return self.begun

    async def ends(self) -> None:
        """Release it, and wait until its outcome was handed over."""
        self.released.set()
        assert self.thread
        await run_in_daemon_thread(self.thread.join)


class SlowFailure(Slow):
    """Work that hangs until it is released, and then fails."""

    def __call__(self) -> int:
        return super().__call__() // 0


@pytest.fixture
def slow() -> Iterator[Slow]:
    work = Slow()
    yield work
    work.released.set()


def complaints_of_the_loop() -> list[str]:
    """Return a list of the errors that nothing awaits, which grows as they occur."""
    complaints: list[str] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: complaints.append(context["message"])
    )
    return complaints


async def test_work_is_done_elsewhere() -> None:
    assert await run_in_daemon_thread(threading.get_ident) != threading.get_ident()


async def test_an_error_comes_back() -> None:
    with pytest.raises(ZeroDivisionError):
        await run_in_daemon_thread(lambda: 1 // 0)


async def test_who_is_cancelled_does_not_wait_for_the_thread(slow: Slow) -> None:
    waiting = asyncio.create_task(run_in_daemon_thread(slow))
    await asyncio.sleep(0)
    waiting.cancel()
    async with asyncio.timeout(TEST_TIMEOUT):
        await asyncio.wait([waiting])
    assert waiting.cancelled()


@pytest.mark.parametrize("kind", [Slow, SlowFailure])
async def test_an_outcome_that_comes_after_the_cancellation_is_dropped(kind: type[Slow]) -> None:
    work, complaints = kind(), complaints_of_the_loop()
    waiting = asyncio.create_task(run_in_daemon_thread(work))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    await work.ends()
    assert complaints == []


async def test_an_error_that_comes_after_everybody_gave_up_is_dropped() -> None:
    slow, complaints = SlowFailure(), complaints_of_the_loop()
    work = SingleFlight(slow)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.01):
            await work()
    await slow.ends()
    del work
    gc.collect()
    assert complaints == []


async def test_work_under_way_is_not_begun_again(slow: Slow) -> None:
    work = SingleFlight(slow)
    for _ in range(3):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.01):
                await work()
    slow.released.set()
    assert await work() == 1
    assert await work() == 2


async def test_what_hangs_takes_no_thread_from_others(slow: Slow) -> None:
    hanging = [asyncio.create_task(run_in_daemon_thread(slow)) for _ in range(50)]
    async with asyncio.timeout(TEST_TIMEOUT):
        assert await run_in_daemon_thread(lambda: "done") == "done"
    slow.released.set()
    await asyncio.gather(*hanging)


def test_what_hangs_does_not_delay_the_end_of_the_process() -> None:
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


async def test_a_shortage_of_threads_is_an_error_like_any_other_of_the_system(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(OSError, match="cannot start a thread"):
        await run_in_daemon_thread(threading.get_ident)
