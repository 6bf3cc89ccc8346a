"""One OpenVPN process: started, watched through its log, and ended by its process id.

Nothing here sleeps: whoever waits, waits for a line of the log or for the end of the process.
"""

import asyncio
import re
import signal
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

OPENVPN = "openvpn"
# Said by every daemon that carries traffic now: a server that serves, a client that got in.
INITIALISED = "Initialization Sequence Completed"
# Said by a daemon under --management-hold.
HELD = "Need hold release from management interface"
DEADLINE = 15.0


class DaemonError(Exception):
    """A daemon did not do what was waited for."""


class Daemon:
    """A running OpenVPN and every line it has logged so far (at the ``--verb`` it was given)."""

    def __init__(self, name: str, process: Process, *, copy: Path) -> None:
        self.name = name
        self._process = process
        self._lines: list[str] = []
        self._log_closed = False
        self._changed = asyncio.Condition()
        self._reading = asyncio.create_task(self._read(copy))

    @property
    def pid(self) -> int:
        """The process id, also after the process has gone."""
        return self._process.pid

    @property
    def log(self) -> str:
        """All that was logged so far."""
        return "\n".join(self._lines)

    def mark(self) -> int:
        """Remember how long the log is now, as a ``since`` for waiting later."""
        return len(self._lines)

    async def wait_for_log(
        self, wanted: str | re.Pattern[str], *, since: int = 0, deadline: float = DEADLINE
    ) -> str:
        """Wait for the first line that contains the text or matches the pattern; give that line.

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
        """Wait until the process has ended by itself; give its exit code.

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
        """End the process at once, so that it says goodbye to nobody; wait until it is gone."""
        self._process.kill()
        await self.wait_for_end()

    async def stop(self) -> None:
        """End the process with ``SIGTERM``, unless it has ended; kill it if it does not listen."""
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
    name: str, options: Sequence[str], *, directory: Path, ready: str
) -> AsyncIterator[Daemon]:
    """Run ``openvpn`` with these options; give it once it has logged ``ready``; end it after.

    The log is copied to ``NAME.log`` in ``directory``, and into whatever error passes here.

    Raises:
        DaemonError: It did not get ready, or had to be killed at the end.
    """
    process = await asyncio.create_subprocess_exec(
        *(OPENVPN, *options), stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, cwd=directory
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
