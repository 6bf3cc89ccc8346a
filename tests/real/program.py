"""A program other than OpenVPN: started, and ended by its process id."""

import asyncio
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.real.waiting import DEADLINE


@asynccontextmanager
async def program(*command: str, log: Path) -> AsyncIterator[Process]:
    """Run a command until the block ends; its output goes to ``log`` and into exceptions."""
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=DEVNULL, stdout=output, stderr=STDOUT
        )
    try:
        yield process
    except BaseException as error:
        error.add_note(_log_note(command, log))
        raise
    finally:
        if process.returncode is None:
            process.terminate()
        await end(process)


def _log_note(command: Sequence[str], log: Path) -> str:
    return f"--- log of {' '.join(command)} ---\n{log.read_text(errors='replace')}"


async def end(process: Process) -> int:
    """Wait until a process has ended; kill it if that takes too long."""
    try:
        async with asyncio.timeout(DEADLINE):
            return await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
