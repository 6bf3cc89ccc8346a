"""The monitors of all daemons: started, reconfigured and stopped as the configuration says."""

import asyncio
import logging
import weakref
from collections.abc import Callable, Collection, Coroutine, Iterable, Iterator, Mapping, Sequence

import msgspec

from exporter.aio import begin_in_turn, yield_to_loop
from exporter.config.target import ReloadDiff, Target, diff
from exporter.log import Level, event
from exporter.management.batches import row_batches
from exporter.monitor import refresh
from exporter.monitor.monitor import Monitor
from exporter.state.daemon import DaemonState

READY_GRACE = 15.0
"""Seconds after which a daemon whose first poll is pending no longer fails readiness."""

_MAX_NAMES = 10

_BATCH = 50
"""Monitors that are created, started or reconfigured at once: some milliseconds."""

MonitorFactory = Callable[[Target, float], Monitor]
"""Makes a monitor, which is not started; the number is its stagger, 0 to 1."""

TaskFactory = Callable[[DaemonState, float], Iterable[Coroutine[None, None, None]]]
"""Returns the other tasks of a daemon, which poll its files; the number is the stagger."""

_log = logging.getLogger(__name__)


class _Entry(msgspec.Struct, frozen=True):
    monitor: Monitor
    tasks: tuple[asyncio.Task[None], ...]
    """The monitor's, then those of the task factory."""


class MonitorPool:
    """Monitors the targets that were applied last, until it is closed."""

    def __init__(
        self, monitor_factory: MonitorFactory, task_factory: TaskFactory = lambda *_: ()
    ) -> None:
        self._monitor_factory = monitor_factory
        self._task_factory = task_factory
        self._entries: dict[str, _Entry] = {}
        self._is_stopped = False
        self._started_at = asyncio.get_running_loop().time()

    @property
    def daemons(self) -> Sequence[DaemonState]:
        """The state of each daemon, in the order of the configuration."""
        return [entry.monitor.daemon for entry in self._entries.values()]

    @property
    def monitors(self) -> Sequence[Monitor]:
        """The monitor of each daemon, in the order of the configuration."""
        return [entry.monitor for entry in self._entries.values()]

    def monitor(self, name: str) -> Monitor | None:
        """Return the monitor of the daemon of this name, None if there is no such daemon."""
        entry = self._entries.get(name)
        return entry.monitor if entry else None

    async def apply(self, targets: Sequence[Target]) -> ReloadDiff:
        """Monitor these targets from now on; return what changes.

        Monitors that are kept go on at once. Those that end are awaited first, so that their
        addresses are free for other names.
        """
        changes = diff((entry.monitor.target for entry in self._entries.values()), targets)
        await self._end((*changes.restarted, *changes.removed))
        for names in row_batches(changes.removed, _BATCH):  # it takes long to free all at once
            for name in names:
                self._entries.pop(name, None)
            await yield_to_loop()
        new = {*changes.added, *changes.restarted}
        # All monitors are created before the first of them starts, whose session takes time.
        monitors: dict[str, Monitor] = {}
        for batch in row_batches(_staggered(targets), _BATCH):
            for target, stagger in batch:
                if target.name in new:
                    monitors[target.name] = self._monitor_factory(target, stagger)
            await yield_to_loop()
        await self._apply(targets, monitors, set(changes.changed))
        return changes

    async def _end(self, names: Sequence[str]) -> None:
        """End the sessions of these daemons, some at a time: it takes as long as their start."""
        for name in names:
            await begin_in_turn()
            if name in self._entries:  # else the pool was closed meanwhile
                _cancel(self._entries[name])
        await _stop([self._entries[name] for name in names if name in self._entries])

    async def _apply(
        self, targets: Sequence[Target], new: Mapping[str, Monitor], changed: Collection[str]
    ) -> None:
        """Start new monitors, reconfigure those that have changed."""
        for batch in row_batches(_staggered(targets), _BATCH):
            for target, stagger in batch:
                if self._is_stopped:
                    return
                name = target.name
                if name in new:
                    self._entries[name] = self._start(new[name], stagger)
                elif name in changed:
                    self._entries[name] = self._reconfigure(self._entries[name], target, stagger)
                else:
                    self._entries[name].monitor.retry_password()
            await yield_to_loop()
        if not self._is_stopped:
            self._entries = {target.name: self._entries[target.name] for target in targets}

    def _reconfigure(self, entry: _Entry, target: Target, stagger: float) -> _Entry:
        entry.monitor.reconfigure(target)
        monitoring, *others = entry.tasks
        for task in others:  # they keep nothing that they can't read again
            _cancel_once(task)
        return _Entry(entry.monitor, (monitoring, *self._start_tasks(entry.monitor, stagger)))

    def _start(self, monitor: Monitor, stagger: float) -> _Entry:
        others = self._start_tasks(monitor, stagger)
        return _Entry(monitor, (_start(monitor.run(), monitor.daemon), *others))

    def _start_tasks(self, monitor: Monitor, stagger: float) -> list[asyncio.Task[None]]:
        tasks = self._task_factory(monitor.daemon, stagger)
        return [_start(task, monitor.daemon) for task in tasks]

    async def refresh(self, names: Iterable[str], *, max_wait: float) -> None:
        """Poll these daemons if their status is old, and wait `max_wait` seconds at most."""
        entries = (self._entries[name] for name in names if name in self._entries)
        await refresh.refresh((entry.monitor.refresh_request for entry in entries), max_wait)

    def stop(self) -> None:
        """Cancel the tasks of all daemons, and start no more; `close` waits for their end."""
        self._is_stopped = True
        for entry in self._entries.values():
            _cancel(entry)

    async def close(self) -> None:
        """End every session."""
        self.stop()
        await _stop(self._entries.values())
        self._entries = {}

    def readiness_error(self) -> str | None:
        """Return why the metrics can't be relied on, None if they can.

        A daemon that is down is no error: the metrics show it. A monitor that has stopped is one.
        """
        now = asyncio.get_running_loop().time()
        stuck = [name for name, entry in self._entries.items() if _is_stuck(entry, now)]
        if stuck:
            return f"monitor task stopped or stuck, see the log, for: {_first_names(stuck)}"
        pending = [daemon.name for daemon in self.daemons if not daemon.was_polled]
        if pending and now - self._started_at < READY_GRACE:
            return f"first poll pending for: {_first_names(pending)}"
        return None


def _staggered(targets: Sequence[Target]) -> Iterator[tuple[Target, float]]:
    """Spread the targets over the interval, so that not all are polled at once."""
    return ((target, index / len(targets)) for index, target in enumerate(targets))


def _start(work: Coroutine[None, None, None], daemon: DaemonState) -> asyncio.Task[None]:
    task = asyncio.create_task(work, name=f"monitor {daemon.name}")
    task.add_done_callback(log_crash)
    return task


def _is_stuck(entry: _Entry, now: float) -> bool:
    # A task that was cancelled belongs to an entry that is about to be removed.
    ended = any(task.done() and not task.cancelling() for task in entry.tasks)
    return ended or entry.monitor.is_stuck(now)


def _first_names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_MAX_NAMES])
    more = len(names) - _MAX_NAMES
    return f"{shown} and {more} more" if more > 0 else shown


def log_crash(task: asyncio.Task[None]) -> None:
    """Log the exception that ended a task."""
    if not task.cancelled() and (error := task.exception()) is not None:
        event(_log, Level.ERROR, "monitor task crashed", task=task.get_name(), cause=error)


async def _stop(entries: Collection[_Entry]) -> None:
    for entry in entries:
        _cancel(entry)
    tasks = [task for entry in entries for task in entry.tasks]
    await asyncio.gather(*tasks, return_exceptions=True)


def _cancel(entry: _Entry) -> None:
    for task in entry.tasks:
        _cancel_once(task)


_cancelled: weakref.WeakSet[asyncio.Task[None]] = weakref.WeakSet()


def _cancel_once(task: asyncio.Task[None]) -> None:
    """Cancel a task: a second cancel would interrupt the graceful `quit`."""
    # Not `task.cancelling()`: `asyncio.timeout` cancels its task, too, and takes that back.
    if task not in _cancelled:
        _cancelled.add(task)
        task.cancel()
