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

_BEGINNING = 10
"""Tasks that begin in a turn: a session takes a millisecond or two, spread over many passes."""

_GENERATORS = 10
"""Generators that may share a turn: a small daemon's take a tenth of it. The others wait again."""

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
    await _turns_of(asyncio.get_running_loop()).yielding.wait()


async def begin_in_turn() -> None:
    """Return at once, or some passes of the loop later if other tasks have just begun, too.

    Of thousands of sessions or polls that are due at the same time, a few begin together, in the
    order in which their tasks called.
    """
    await _turns_of(asyncio.get_running_loop()).beginning.enter()


class _Queue:
    """Tasks of which so many go on in a turn, in their order; a turn has some passes of a loop."""

    def __init__(self, size: int, *, before: "_Queue | None" = None) -> None:
        """Fewer than `size` tasks go on while others wait in the queue `before` this one."""
        self._size = size
        self._before = before
        self._free = size
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._is_running = False
        self._put_back = 0
        self.turn = 0
        """The number of the turn."""

    @property
    def length(self) -> int:
        """The number of tasks that wait."""
        return len(self._waiting)

    async def enter(self) -> None:
        """Return at once if this turn has a place left, else in a later one."""
        if self._free:
            self._free -= 1
            self._run_soon()
        else:
            await self.wait()

    async def wait(self, *, again: bool = False) -> None:
        """Return in a later turn; with `again`, before those that have not had one yet."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if again:
            self._waiting.insert(self._put_back, future)
            self._put_back += 1
        else:
            self._waiting.append(future)
        self._run_soon()
        await future

    def _run_soon(self) -> None:
        if not self._is_running:
            self._is_running = True
            asyncio.get_running_loop().call_soon(self._run, _LOOP_PASSES)

    def _run(self, passes: int) -> None:
        """Begin the next turn, after some passes of the loop."""
        if passes > 1:
            asyncio.get_running_loop().call_soon(self._run, passes - 1)
            return
        self._is_running = False
        others = self._before.length if self._before else 0
        self._free, self._put_back = max(self._size - others, 1), 0
        self.turn += 1
        while self._waiting and self._free:
            future = self._waiting.popleft()
            if not future.done():  # else cancelled
                future.set_result(None)
                self._free -= 1
                self._run_soon()


class _Turns:
    """The tasks of one event loop that wait for their turn."""

    def __init__(self) -> None:
        self.yielding = _Queue(1)
        self._generators = _Queue(_GENERATORS)
        self.beginning = _Queue(_BEGINNING, before=self._generators)
        self._turn = 0
        self._seconds = 0.0
        """For how long generators have run in this turn."""

    async def next(self) -> None:
        """Wait until a generator may run: its turn has come, and others have not used it up."""
        await self._generators.wait()
        while self._turn == self._generators.turn and self.is_over:
            await self._generators.wait(again=True)
        if self._turn != self._generators.turn:
            self._turn = self._generators.turn
            self._seconds = 0.0

    @property
    def is_over(self) -> bool:
        """Whether generators have run for so long that the next one has to yield before."""
        return self._seconds > _TURN

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
                await turns.next()
                count += 1
                if count % _TURNS_PER_COLLECTION == 0:
                    gc.collect(_NEW)
                    await turns.next()
            turns.run(generator)
    except StopIteration as end:
        result: _T = end.value
        return result
    finally:
        generator.close()


def run_at_once(generator: Generator[Any, None, object]) -> bool:
    """Run a generator, without a task; return whether it has ended.

    Else the turn is over, or it waits for another one: it goes on by `run_cooperatively`.
    """
    turns = _turns_of(asyncio.get_running_loop())
    if turns.is_over:
        return False
    try:
        turns.run(generator)
    except StopIteration:
        return True
    return False


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
