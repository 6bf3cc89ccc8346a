"""A program that is no OpenVPN: started, and ended by its process id."""

import asyncio
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.real.waiting import DEADLINE


@asynccontextmanager
async def program(*command: str, log: Path) -> AsyncIterator[Process]:
    """Run a command while the block runs; what it writes goes to ``log``, and into errors."""
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=DEVNULL, stdout=output, stderr=STDOUT
        )
    try:
        yield process
    except BaseException as error:
        error.add_note(_last_words(command, log))
        raise
    finally:
        if process.returncode is None:
            process.terminate()
        await end(process)


def _last_words(command: Sequence[str], log: Path) -> str:
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
