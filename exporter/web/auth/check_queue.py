"""The queue of password checks: fair to all peers, whatever one of them sends.

One check runs at a time. Peers with a verified password and other peers alternate; among them, the
peer with the fewest recent failures is first, then the one that was served longest ago. Of one
peer's checks the newest is first: under overload a client with few requests is answered, and the
response to the oldest would be too late anyway.
"""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable
from typing import TypeVar

import msgspec

_T = TypeVar("_T")

MAX_PENDING = 256
"""Most checks that run or wait; a further one replaces one of the peer with the most checks."""

MAX_WAIT = 10.0
"""Seconds that a check may wait; Prometheus' scrape timeout is 10 by default."""

FAILURE_AGE = 60.0
"""Seconds without a failure after which the failures of a peer are forgotten."""

MAX_PEERS = 1024
"""Most peers whose failures, or successes, are remembered."""


class TooManyPending(Exception):
    """Too many password checks are pending for another one to be answered in time."""


class _Pending(msgspec.Struct, eq=False):
    """A check that waits; `ready` is done when it may run, or when another one replaces it."""

    ready: asyncio.Future[None]
    is_abandoned: Callable[[], bool]


class _Failures(msgspec.Struct):
    """The failures of a peer, and when the last one was."""

    count: int = 0
    last: float = 0.0


class CheckQueue:
    """Lets one check run at a time."""

    def __init__(self) -> None:
        self._is_busy = False
        self._is_closed = False
        self._waiting: dict[str, list[_Pending]] = {}
        """By peer, in the order in which the peers are served."""
        self._failures: OrderedDict[str, _Failures] = OrderedDict()
        self._verified: OrderedDict[str, None] = OrderedDict()
        self._verified_was_last = False

    @contextlib.asynccontextmanager
    async def acquire(self, peer: str, is_abandoned: Callable[[], bool]) -> AsyncIterator[None]:
        """Wait until a check of this peer may run, and let others run after the block.

        A check that is abandoned does not run.

        Raises:
            TooManyPending: more checks are pending than can run in time.
        """
        if self._is_closed:
            raise TooManyPending
        if self._is_busy:
            await self._wait(peer, is_abandoned)
        self._is_busy = True
        try:
            yield
        finally:
            self._start_next()

    def record(self, peer: str, *, verified: bool) -> None:
        """Record the result of a check."""
        if verified:
            self._failures.pop(peer, None)
            _remember(self._verified, peer, None)
            return
        now = asyncio.get_running_loop().time()
        count = self._recent_failures(peer, now) + 1
        _remember(self._failures, peer, _Failures(count, now))

    def close(self) -> None:
        """Refuse all checks but the running one: the exporter ends."""
        self._is_closed = True
        for waiting in self._waiting.values():
            for pending in waiting:
                pending.ready.set_exception(TooManyPending())
        self._waiting.clear()

    async def _wait(self, peer: str, is_abandoned: Callable[[], bool]) -> None:
        self._limit_pending(peer)
        pending = _Pending(asyncio.get_running_loop().create_future(), is_abandoned)
        self._waiting.setdefault(peer, []).append(pending)
        try:
            await asyncio.wait([pending.ready], timeout=MAX_WAIT)
        except asyncio.CancelledError:
            if not self._remove(peer, pending) and pending.ready.exception() is None:
                self._start_next()  # this check was about to run
            raise
        if self._remove(peer, pending):
            raise TooManyPending
        pending.ready.result()

    def _limit_pending(self, peer: str) -> None:
        """At the limit, drop a check of the peer with the most; raise if it is this peer."""
        if 1 + sum(map(len, self._waiting.values())) < MAX_PENDING:
            return
        largest = max(self._waiting, key=lambda each: len(self._waiting[each]))
        if len(self._waiting[largest]) <= len(self._waiting.get(peer, ())) + 1:
            raise TooManyPending
        oldest = self._waiting[largest][0]
        self._remove(largest, oldest)
        oldest.ready.set_exception(TooManyPending())

    def _remove(self, peer: str, pending: _Pending) -> bool:
        """Remove a check that waits; return whether it did."""
        waiting = self._waiting.get(peer, [])
        if pending not in waiting:
            return False
        waiting.remove(pending)
        if not waiting:
            del self._waiting[peer]
        return True

    def _start_next(self) -> None:
        """Start the next check, if there is one."""
        self._is_busy = False
        while self._waiting:
            peer = self._next_peer()
            waiting = self._waiting.pop(peer)
            pending = waiting.pop()
            if waiting:
                self._waiting[peer] = waiting  # behind the other peers
            if not pending.is_abandoned():
                self._is_busy = True
                pending.ready.set_result(None)
                return
            pending.ready.set_exception(TooManyPending())

    def _next_peer(self) -> str:
        verified = [peer for peer in self._waiting if peer in self._verified]
        others = [peer for peer in self._waiting if peer not in self._verified]
        self._verified_was_last = bool(verified) and not (self._verified_was_last and others)
        return self._first(verified if self._verified_was_last else others)

    def _first(self, peers: Iterable[str]) -> str:
        now = asyncio.get_running_loop().time()
        return min(peers, key=lambda peer: self._recent_failures(peer, now))

    def _recent_failures(self, peer: str, now: float) -> int:
        failures = self._failures.get(peer, _Failures())
        return failures.count if now - failures.last < FAILURE_AGE else 0


def _remember(peers: OrderedDict[str, _T], peer: str, value: _T) -> None:
    """Set the value of a peer; over the limit the peer that was set longest ago is dropped."""
    peers[peer] = value
    peers.move_to_end(peer)
    if len(peers) > MAX_PEERS:
        peers.popitem(last=False)
