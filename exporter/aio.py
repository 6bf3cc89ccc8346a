"""Asyncio: blocking work in daemon threads, yielding to the event loop, waiting for an event.

A file system or a resolver that hangs keeps its thread for as long as it hangs. asyncio's own
threads (`asyncio.to_thread`) are few, are needed elsewhere, and are joined at exit.
"""

import asyncio
import contextlib
import errno
import threading
import time
import weakref
from collections.abc import Callable, Generator, Iterable
from typing import Any, Generic, TypeVar

_T = TypeVar("_T")

_LOOP_PASSES = 3
"""A timer or a socket wakes a future, and the future a task: each one pass later."""


_threads: weakref.WeakSet[threading.Thread] = weakref.WeakSet()
"""Daemon threads, some of which may have ended."""


def join_daemon_threads(seconds: float) -> bool:
    """Wait for the work of all daemon threads, `seconds` at most; return whether it has ended.

    While the interpreter ends, a thread that returns from an extension in Rust aborts the process.
    """
    end = time.monotonic() + seconds
    for thread in list(_threads):
        thread.join(max(0.0, end - time.monotonic()))
    return not any(thread.is_alive() for thread in _threads)


async def run_in_daemon_thread(work: Callable[[], _T]) -> _T:
    """Return the result of `work`, or raise its exception.

    Cancelling does not stop `work`: its result is dropped.

    Raises:
        OSError: no thread can be started.
    """
    return await _start(work)


class SingleFlight(Generic[_T]):
    """Blocking work that runs at most once at a time; concurrent callers share one run.

    The result is not kept: it may be large.
    """

    def __init__(self, work: Callable[[], _T]) -> None:
        self._work = work
        self._inflight: asyncio.Future[_T] | None = None

    async def __call__(self) -> _T:
        """Return the result of `work`, or raise its exception."""
        if self._inflight is None or self._inflight.done():
            self._inflight = _start(self._work)
            self._inflight.add_done_callback(self._release)
        return await asyncio.shield(self._inflight)

    def _release(self, done: asyncio.Future[_T]) -> None:
        if self._inflight is done:
            self._inflight = None


async def yield_to_loop() -> None:
    """Let everything run that is ready, or becomes ready by what runs.

    One `sleep(0)` isn't enough: the loop puts what has become ready meanwhile behind the sleeping
    task, so that two long steps pass as one.
    """
    for _ in range(_LOOP_PASSES):
        await asyncio.sleep(0)


async def run_cooperatively(generator: Generator[None, None, _T]) -> _T:
    """Run a generator to its end, yielding to the event loop at each `yield`; return its value."""
    while True:
        try:
            next(generator)
        except StopIteration as end:
            result: _T = end.value
            return result
        await yield_to_loop()


async def wait_for_event(
    event: asyncio.Event, seconds: float | None, *, or_done: Iterable[asyncio.Future[Any]] = ()
) -> None:
    """Wait until `event` is set or one of the futures is done, `seconds` at most if given."""
    waiting = asyncio.create_task(event.wait())
    try:
        await asyncio.wait(
            [waiting, *or_done], timeout=seconds, return_when=asyncio.FIRST_COMPLETED
        )
    finally:
        waiting.cancel()


def _start(work: Callable[[], _T]) -> asyncio.Future[_T]:
    loop = asyncio.get_running_loop()
    future: asyncio.Future[_T] = loop.create_future()
    # An error refers to the frame of `run`, and the future to the error: if `run` referred to the
    # future, what `work` read before the error would stay until the next garbage collection.
    pending = [future]

    def run() -> None:
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 -- handed to the caller
            post(_set_exception, error)
        else:
            post(_set_result, result)

    def post(complete: Callable[..., None], value: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(complete, pending.pop(), value)

    thread = threading.Thread(target=run, daemon=True)
    try:
        thread.start()
        _threads.add(thread)
    except RuntimeError:  # the limit of the system or of the unit
        _set_exception(future, OSError(errno.EAGAIN, "cannot start a thread: limit reached"))
    return future


def _set_result(future: asyncio.Future[_T], result: _T) -> None:
    if not future.done():  # else the caller was cancelled
        future.set_result(result)


def _set_exception(future: asyncio.Future[_T], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
        future.exception()  # the caller may be gone: mark the exception as retrieved
