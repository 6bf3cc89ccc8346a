"""`python -m bench.observed_exporter FLAG…`: the subcommand `serve`, observed from within.

The process prints its URL. Then it answers each line of standard input with an observation as one
line of JSON. Before that, the line `collect` collects garbage.
"""

import asyncio
import functools
import gc
import sys
from collections.abc import Sequence

import msgspec

from bench.loop_probe import LoopProbe
from exporter.cli import serve
from exporter.cli.main import SERVE, command_parser
from exporter.cli.options import load_config
from exporter.log import Level, LogFormat, configure

COLLECT = b"collect\n"


class Inside(msgspec.Struct, frozen=True):
    """What is in use now, and the longest use of the event loop since the last observation.

    `blocks` is the number of memory blocks that Python's objects have: unlike the memory of the
    process, it does not depend on the allocator. `hold` is the most CPU time of the loop's thread
    between two of its passes, in seconds.
    """

    tasks: int
    blocks: int
    hold: float


async def _run(flags: Sequence[str]) -> None:
    parsed = command_parser(SERVE).parse_args(flags)
    configure(Level(parsed.log_level), LogFormat(parsed.log_format))
    load = functools.partial(load_config, parsed, pipe_timeout=serve.PIPE_TIMEOUT)
    probe = LoopProbe()
    async with serve.serve_until_signal(load(), parsed, load=load) as running:
        observing = [
            asyncio.create_task(probe.run(), name="loop probe"),
            asyncio.create_task(_answer_requests(probe), name="observations"),
        ]
        _write(running.urls[0].encode())
    for task in observing:
        task.cancel()


async def _answer_requests(probe: LoopProbe) -> None:
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    try:
        while line := await reader.readline():
            if line == COLLECT:
                gc.collect()
            tasks = len(asyncio.all_tasks())
            observation = Inside(tasks, sys.getallocatedblocks(), probe.stall_cpu)
            probe.stall_cpu = 0.0
            _write(msgspec.json.encode(observation))
    finally:
        transport.close()


def _write(line: bytes) -> None:
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    asyncio.run(_run(sys.argv[1:]))
