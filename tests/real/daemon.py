"""One OpenVPN process: started, observed through its log, and ended by its process id.

Nothing here sleeps: every wait is for a line of the log or for the end of the process.
"""

import asyncio
import functools
import os
import re
import signal
import subprocess
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

OPENVPN = "openvpn"
# Logged by every daemon that is ready for traffic: a started server, a connected client.
INITIALISED = "Initialization Sequence Completed"
# Logged by a daemon with --management-hold.
HELD = "Need hold release from management interface"
DEADLINE = 15.0
# Time zones in POSIX' spelling, which needs no database of them.
UTC = "UTC0"
KATHMANDU = "<+0545>-5:45"
ST_JOHNS = "NST3:30NDT,M3.2.0,M11.1.0"


@functools.cache
def version() -> tuple[int, int, int]:
    """Return the version of the OpenVPN under test."""
    done = subprocess.run([OPENVPN, "--version"], capture_output=True, check=False)  # noqa: S603
    found = re.match(rb"OpenVPN (\d+)\.(\d+)\.(\d+)", done.stdout)
    assert found
    return int(found[1]), int(found[2]), int(found[3])


class DaemonError(Exception):
    """A daemon did not reach the expected state."""


class Daemon:
    """A running OpenVPN process and every line that it has logged so far, at its ``--verb``."""

    def __init__(self, name: str, process: Process, *, copy: Path) -> None:
        self.name = name
        self._process = process
        self._lines: list[str] = []
        self._log_closed = False
        self._changed = asyncio.Condition()
        self._reading = asyncio.create_task(self._read(copy))

    @property
    def pid(self) -> int:
        """The process id, also after the process has ended."""
        return self._process.pid

    @property
    def log(self) -> str:
        """The log so far."""
        return "\n".join(self._lines)

    def mark(self) -> int:
        """Return the current length of the log, for ``since`` in a later wait."""
        return len(self._lines)

    async def wait_for_log(
        self, wanted: str | re.Pattern[str], *, since: int = 0, deadline: float = DEADLINE
    ) -> str:
        """Wait for the first line that contains the text or matches the pattern; return the line.

        Raises:
            DaemonError: The process ended, or ``deadline`` seconds went by, without such a line.
        """
        pattern = re.compile(re.escape(wanted)) if isinstance(wanted, str) else wanted
        try:
            async with asyncio.timeout(deadline):
                line = await self._line(pattern, since)
        except TimeoutError:
            raise DaemonError(f"{self.name} did not log {wanted!r} in {deadline} s") from None
        if line is None:
            raise DaemonError(f"{self.name} ended and never logged {wanted!r}")
        return line

    async def wait_for_end(self, *, deadline: float = DEADLINE) -> int:
        """Wait until the process has ended by itself; return its exit code.

        Raises:
            DaemonError: It still runs after ``deadline`` seconds.
        """
        try:
            async with asyncio.timeout(deadline):
                await asyncio.shield(self._reading)
                return await self._process.wait()
        except TimeoutError:
            raise DaemonError(f"{self.name} still runs after {deadline} s") from None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, such as ``SIGUSR1`` for a restart."""
        self._process.send_signal(number)

    async def kill(self) -> None:
        """Kill the process, so that it sends no exit notification; wait until it has ended."""
        self._process.kill()
        await self.wait_for_end()

    async def stop(self) -> None:
        """Terminate the process unless it has ended; kill it if ``SIGTERM`` does not end it."""
        if self._process.returncode is None:
            self._process.terminate()
        try:
            await self.wait_for_end()
        except DaemonError:
            await self.kill()
            raise

    async def _line(self, pattern: re.Pattern[str], position: int) -> str | None:
        async with self._changed:
            while True:
                for line in self._lines[position:]:
                    if pattern.search(line):
                        return line
                if self._log_closed:
                    return None
                position = len(self._lines)
                await self._changed.wait()

    async def _read(self, copy: Path) -> None:
        assert self._process.stdout
        with copy.open("w", buffering=1) as file:
            async for raw in self._process.stdout:
                line = raw.decode(errors="replace").rstrip("\r\n")
                file.write(f"{line}\n")
                self._lines.append(line)
                await self._notify()
        self._log_closed = True
        await self._notify()

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()


@asynccontextmanager
async def running(
    name: str, options: Sequence[str], *, directory: Path, ready: str, zone: str = UTC
) -> AsyncIterator[Daemon]:
    """Run ``openvpn`` with these options until the block ends, which starts after ``ready``.

    ``ready`` is the text of a log line, ``zone`` a value of ``TZ``. The log is copied to
    ``NAME.log`` in ``directory``, and added to every exception from the block.

    Raises:
        DaemonError: The daemon did not log ``ready``, or had to be killed at the end.
    """
    process = await asyncio.create_subprocess_exec(
        *(OPENVPN, *options),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        cwd=directory,
        env={**os.environ, "TZ": zone},
    )
    daemon = Daemon(name, process, copy=directory / f"{name}.log")
    try:
        await daemon.wait_for_log(ready)
        yield daemon
    except BaseException as error:
        error.add_note(f"--- log of {name}, {' '.join(options)} ---\n{daemon.log}")
        raise
    finally:
        await daemon.stop()
