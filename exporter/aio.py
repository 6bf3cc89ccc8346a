"""Asyncio: blocking work in daemon threads, yielding to the event loop, waiting for an event.

A file system or a resolver that hangs keeps its thread for as long as it hangs. asyncio's own
threads (`asyncio.to_thread`) are few, are needed elsewhere, and are joined at exit.
"""

import asyncio
import errno
import gc
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Generator, Iterable
from typing import Any, Generic, TypeVar

_T = TypeVar("_T")

_LOOP_PASSES = 3
"""A timer or a socket wakes a future, and the future a task: each one pass later."""

_TURN = 0.004
"""Seconds for which generators run before one yields to the event loop; steps are much shorter."""


_TURNS_PER_COLLECTION = 3
"""Turns between two collections of new objects: 10,000 clients take two or three turns."""

_NEW = 1
"""The generation of objects that are not old yet."""

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


def _keep(_: object) -> None:
    """Leave a result as it is."""


async def run_in_daemon_thread(work: Callable[[], _T], *, undo: Callable[[_T], None] = _keep) -> _T:
    """Return the result of `work`, or raise its exception.

    Cancelling does not stop `work`: its result is dropped, and passed to `undo` in a thread.

    Raises:
        OSError: no thread can be started.
    """
    future = _start(work, undo)
    try:
        return await future
    except asyncio.CancelledError:
        if not future.cancelled() and future.exception() is None:  # `work` ended just before
            _drop(future.result(), undo)
        raise


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

    Of several tasks that yield, one goes on at a time, in the order in which they yielded: the
    steps of all daemons together hold the loop no longer than those of one.
    """
    loop = asyncio.get_running_loop()
    await _turns_of(loop).next(loop)


class _Turns:
    """The tasks of one event loop that wait for their turn."""

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._is_running = False
        self._seconds = 0.0
        """For how long generators have run since a task that yielded went on."""

    @property
    def is_over(self) -> bool:
        """Whether generators have run for so long that the next one has to yield before."""
        return self._seconds >= _TURN

    async def next(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait until it is this task's turn."""
        future: asyncio.Future[None] = loop.create_future()
        self._waiting.append(future)
        if not self._is_running:
            self._is_running = True
            loop.call_soon(self._run, loop, _LOOP_PASSES)
        await future
        self._seconds = 0.0

    def _run(self, loop: asyncio.AbstractEventLoop, passes: int) -> None:
        """Give the turn to the next task, after some passes of the loop."""
        if passes > 1:
            loop.call_soon(self._run, loop, passes - 1)
            return
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():  # else cancelled
                future.set_result(None)
                loop.call_soon(self._run, loop, _LOOP_PASSES)
                return
        self._is_running = False

    def run(self, generator: Generator[Any, None, object]) -> None:
        """Run a generator until the turn is over, or until it waits for another one.

        Raises:
            StopIteration: it has ended before.
        """
        started_at = time.perf_counter()
        end = started_at + _TURN - self._seconds
        try:
            while not next(generator):
                if time.perf_counter() >= end:
                    return
            self._seconds = _TURN  # over: the other one goes on
        finally:
            self._seconds += time.perf_counter() - started_at


_turns: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Turns] = weakref.WeakKeyDictionary()


def _turns_of(loop: asyncio.AbstractEventLoop) -> _Turns:
    turns = _turns.get(loop)
    if turns is None:
        turns = _turns[loop] = _Turns()
    return turns


async def run_cooperatively(generator: Generator[Any, None, _T]) -> _T:
    """Run a generator to its end; return its value.

    The event loop is yielded to, before the first step or at a `yield`, when generators have run
    for some milliseconds since the last time: the short ones of many daemons need no pass each.
    A generator that waits for another one yields True, and the loop is yielded to at once.
    After some turns the garbage collector looks at what is new: all that a generator with many
    clients makes would hold the loop for too long.
    """
    turns = _turns_of(asyncio.get_running_loop())
    count = 0
    try:
        while True:
            if turns.is_over:
                await yield_to_loop()
                count += 1
                if count % _TURNS_PER_COLLECTION == 0:
                    gc.collect(_NEW)
                    await yield_to_loop()
            turns.run(generator)
    except StopIteration as end:
        result: _T = end.value
        return result
    finally:
        generator.close()


class Wakeup:
    """An event that a single task waits for, without another task: a daemon has one for years."""

    __slots__ = ("_waiting", "is_set")

    def __init__(self) -> None:
        self.is_set = False
        self._waiting: asyncio.Future[None] | None = None

    def set(self) -> None:
        """End the wait, or the next one."""
        self.is_set = True
        self._end_wait()

    def clear(self) -> None:
        """Let the next wait wait."""
        self.is_set = False

    async def wait(self, seconds: float) -> None:
        """Wait until it is set, `seconds` at most."""
        if self.is_set:
            return
        loop = asyncio.get_running_loop()
        waiting = self._waiting = loop.create_future()
        timer = loop.call_later(seconds, self._end_wait)
        try:
            await waiting
        finally:
            timer.cancel()
            if self._waiting is waiting:  # else this task was cancelled, and another one waits
                self._waiting = None

    def _end_wait(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


async def cancel_and_wait(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks, and wait for their end; their results and errors are dropped."""
    cancelled = list(tasks)
    for task in cancelled:
        task.cancel()
    await asyncio.gather(*cancelled, return_exceptions=True)


def _start(work: Callable[[], _T], undo: Callable[[_T], None] = _keep) -> asyncio.Future[_T]:
    """Run `work` in a thread; `undo` gets its result if nothing waits for it any more."""
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
            if not post(_set_result, result, undo):
                undo(result)

    def post(complete: Callable[..., None], *values: object) -> bool:
        try:
            loop.call_soon_threadsafe(complete, pending.pop(), *values)
        except RuntimeError:  # the loop is closed
            return False
        return True

    thread = threading.Thread(target=run, daemon=True)
    try:
        thread.start()
        _threads.add(thread)
    except RuntimeError:  # the limit of the system or of the unit
        _set_exception(future, OSError(errno.EAGAIN, "cannot start a thread: limit reached"))
    return future


def _set_result(future: asyncio.Future[_T], result: _T, undo: Callable[[_T], None]) -> None:
    if future.done():  # the caller was cancelled
        _drop(result, undo)
    else:
        future.set_result(result)


def _drop(result: _T, undo: Callable[[_T], None]) -> None:
    """Undo in a thread what nothing waits for."""
    if undo is not _keep:
        _start(lambda: undo(result)).add_done_callback(asyncio.Future.exception)


def _set_exception(future: asyncio.Future[_T], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
        future.exception()  # the caller may be gone: mark the exception as retrieved
