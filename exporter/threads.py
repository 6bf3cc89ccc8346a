"""Work that may block, each piece in a thread of its own that nobody has to wait for.

A file system or a resolver that doesn't answer keeps its thread for as long as it likes. asyncio's
own threads are few, others need them, and the end of the process waits for each of them.
"""

import asyncio
import contextlib
import errno
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

_T = TypeVar("_T")


async def in_thread(work: Callable[[], _T]) -> _T:
    """Return what `work` returns, or raise what it raises; who is cancelled leaves it alone.

    Raises:
        OSError: no thread can be had.
    """
    return await _start(work)


class OneAtATime(Generic[_T]):
    """The same work again and again; who asks while it is under way gets that one's outcome."""

    def __init__(self, work: Callable[[], _T]) -> None:
        """Do nothing yet."""
        self._work = work
        self._under_way: asyncio.Future[_T] | None = None

    async def __call__(self) -> _T:
        """Return what the work returns, or raise what it raises."""
        if self._under_way is None or self._under_way.done():
            self._under_way = _start(self._work)
        return await asyncio.shield(self._under_way)


def _start(work: Callable[[], _T]) -> asyncio.Future[_T]:
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[_T] = loop.create_future()

    def run() -> None:
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 -- handed to whoever waits
            tell(_fail, error)
        else:
            tell(_succeed, result)

    def tell(settle: Callable[..., None], value: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, outcome, value)

    try:
        threading.Thread(target=run, daemon=True).start()
    except RuntimeError:  # the limit of the system or of the unit
        _fail(outcome, OSError(errno.EAGAIN, "no thread is left to do it in"))
    return outcome


def _succeed(outcome: asyncio.Future[_T], result: _T) -> None:
    if not outcome.done():  # else whoever waited was cancelled
        outcome.set_result(result)


def _fail(outcome: asyncio.Future[_T], error: Exception) -> None:
    if not outcome.done():
        outcome.set_exception(error)
        outcome.exception()  # whoever asked may have given up: then nobody else takes it
