"""The monitors of all daemons: started, adjusted and ended as the configuration says."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence

import msgspec

from exporter.config.reload_diff import ReloadDiff, diff
from exporter.config.target import Target
from exporter.log import Level, event
from exporter.monitor import refresh
from exporter.monitor.monitor import Monitor
from exporter.state.daemon import DaemonState

READY_GRACE = 15.0
"""Seconds after which a daemon that still was not asked keeps nobody from being ready."""

MonitorFactory = Callable[[Target, float], Monitor]
"""Makes a monitor that doesn't run yet; the number is its phase, from 0 to 1."""

TaskFactory = Callable[[Target, DaemonState, float], Iterable[Coroutine[None, None, None]]]
"""Gives what else is done for a daemon, for ever: reading its files into its record.

The number is its phase, as for a monitor.
"""

_log = logging.getLogger(__name__)


class _Member(msgspec.Struct, frozen=True):
    watch: Target
    monitor: Monitor
    tasks: tuple[asyncio.Task[None], ...]
    """The monitor's, and one for each errand."""


class MonitorPool:
    """Watches what it was last told to, until it is closed."""

    def __init__(self, make: MonitorFactory, errands: TaskFactory = lambda *_: ()) -> None:
        """Watch nothing yet."""
        self._make = make
        self._errands = errands
        self._members: dict[str, _Member] = {}
        self._began = asyncio.get_running_loop().time()

    @property
    def daemons(self) -> Sequence[DaemonState]:
        """What is known of each daemon, in the order of the configuration."""
        return [member.monitor.daemon for member in self._members.values()]

    def monitor(self, name: str) -> Monitor | None:
        """Return who watches the daemon of this name, None where there is no such daemon."""
        member = self._members.get(name)
        return member.monitor if member else None

    async def apply(self, watches: Sequence[Target]) -> ReloadDiff:
        """Watch these from now on; return what that changed.

        Whoever goes on does so at once. One that ends is left first, so that its address is free
        for another name.
        """
        plan = diff((member.watch for member in self._members.values()), watches)
        await _end(self._members[name] for name in (*plan.restarted, *plan.removed))
        self._members = {
            watch.daemon.name: self._go_on(watch, plan, phase) or self._begin(watch, phase)
            for watch, phase in _in_phase(watches)
        }
        return plan

    def _go_on(self, watch: Target, plan: ReloadDiff, phase: float) -> _Member | None:
        """Keep the member of this name, None where there is none to keep."""
        name = watch.daemon.name
        if name in plan.unchanged:
            self._members[name].monitor.retry_password()
            return self._members[name]
        if name in plan.changed:
            member = self._members[name]
            member.monitor.reconfigure(
                watch.daemon, watch.clients, watch.events, poll_interval=watch.poll_interval
            )
            monitoring, *errands = member.tasks
            for task in errands:  # they know nothing that they couldn't read again
                _cancel(task)
            tasks = (monitoring, *self._run_errands(watch, member.monitor.daemon, phase))
            return msgspec.structs.replace(member, watch=watch, tasks=tasks)
        return None

    def _begin(self, watch: Target, phase: float) -> _Member:
        monitor = self._make(watch, phase)
        errands = self._run_errands(watch, monitor.daemon, phase)
        tasks = (_start(monitor.run(), watch), *errands)
        return _Member(watch, monitor, tasks)

    def _run_errands(
        self, watch: Target, record: DaemonState, phase: float
    ) -> list[asyncio.Task[None]]:
        return [_start(errand, watch) for errand in self._errands(watch, record, phase)]

    async def refresh(self, names: Iterable[str], *, patience: float) -> None:
        """Have these daemons polled where their readings are old, `patience` seconds at most."""
        asked = (
            self._members[name].monitor.refresh_request for name in names if name in self._members
        )
        await refresh.refresh(asked, patience=patience)

    def stop(self) -> None:
        """Begin to leave every daemon; `close` waits until all are left."""
        for member in self._members.values():
            for task in member.tasks:
                _cancel(task)

    async def close(self) -> None:
        """Leave every daemon."""
        await _end(self._members.values())
        self._members = {}

    def readiness_error(self) -> str | None:
        """Say why not to rely on what is shown, None where all is well.

        Daemons may be down, that is shown; what counts is whether somebody looks.
        """
        now = asyncio.get_running_loop().time()
        stuck = [name for name, member in self._members.items() if _is_stuck(member, now)]
        if stuck:
            return f"nobody looks after these daemons any more; the log may say why: {_some(stuck)}"
        unasked = [record.name for record in self.daemons if not record.was_polled]
        if unasked and now - self._began < READY_GRACE:
            return f"these daemons were not asked yet: {_some(unasked)}"
        return None


def _in_phase(watches: Sequence[Target]) -> Iterator[tuple[Target, float]]:
    """Spread the daemons, so that not all are asked at the same time."""
    return ((watch, index / len(watches)) for index, watch in enumerate(watches))


def _start(work: Coroutine[None, None, None], watch: Target) -> asyncio.Task[None]:
    task = asyncio.create_task(work, name=f"watch {watch.daemon.name}")
    task.add_done_callback(_report_crash)
    return task


def _is_stuck(member: _Member, now: float) -> bool:
    # Who was told to end is about to be taken from the list.
    ended = any(task.done() and not task.cancelling() for task in member.tasks)
    return ended or member.monitor.is_stuck(now)


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:10])
    return f"{shown} and {len(names) - 10} more" if len(names) > 10 else shown  # noqa: PLR2004


def _report_crash(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        event(_log, Level.ERROR, "bug: a daemon is not watched any more", cause=error)


async def _end(members: Iterable[_Member]) -> None:
    tasks = [task for member in members for task in member.tasks]
    for task in tasks:
        _cancel(task)
    await asyncio.gather(*tasks, return_exceptions=True)


def _cancel(task: asyncio.Task[None]) -> None:
    """Cancel a task once: a second time would cut a farewell short."""
    if not task.cancelling():
        task.cancel()
