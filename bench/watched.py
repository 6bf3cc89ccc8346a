"""`python -m bench.watched ADDRESS…`: the exporter with a probe in its event loop.

Prints its URL and then, for each line of standard input, one JSON line: what was measured since
the line before. Ends with its input.
"""

import argparse
import asyncio
import gc
import sys
import time

import msgspec

from exporter import app
from exporter.config import from_flags
from exporter.web.listening import ListenAddress

TICK = 0.001
"""Seconds that the probe sleeps; what it oversleeps, every other task would have waited, too."""


class Observation(msgspec.Struct, frozen=True):
    """What happened since the last one; all in seconds.

    `stall` is the longest time for which the loop could not turn, and `stall_processor` the most
    of it that was our own work rather than another process's. Both are 0 without a probe.
    """

    processor: float
    stall: float
    stall_processor: float


class _Probe:
    """A task that wants to run every tick."""

    def __init__(self) -> None:
        self.stall = 0.0
        self.stall_processor = 0.0

    async def run(self) -> None:
        while True:
            wall, processor = time.perf_counter(), time.thread_time()
            await asyncio.sleep(TICK)
            self.stall = max(self.stall, time.perf_counter() - wall - TICK)
            self.stall_processor = max(self.stall_processor, time.thread_time() - processor)


class _Observer:
    """Turns the probe and the process's clock into observations."""

    def __init__(self, probe: _Probe) -> None:
        self._probe = probe
        self._processor = 0.0

    def observe(self) -> Observation:
        processor = time.process_time()
        observation = Observation(
            processor - self._processor, self._probe.stall, self._probe.stall_processor
        )
        self._processor = processor
        self._probe.stall = self._probe.stall_processor = 0.0
        return observation


def main() -> None:
    """Serve and observe until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m bench.watched")
    parser.add_argument("addresses", nargs="+")
    parser.add_argument("--interval", type=float, default=15.0, help="seconds between polls")
    parser.add_argument("--probe", action="store_true", help="watch the loop; costs processor time")
    arguments = parser.parse_args()
    asyncio.run(_run(arguments.addresses, arguments.interval, arguments.probe))


async def _run(addresses: list[str], interval: float, probing: bool) -> None:  # noqa: FBT001
    config = msgspec.structs.replace(from_flags(addresses), poll_interval=interval)
    listen = [ListenAddress("127.0.0.1", 0)]
    probe = _Probe()
    async with (
        app.serving(config, listen=listen, telemetry_path="/metrics") as serving,
        asyncio.TaskGroup() as tasks,
    ):
        gc.freeze()  # as the program does
        ticking = tasks.create_task(probe.run()) if probing else None
        _write(serving.urls[0].encode())
        await _answer(_Observer(probe))
        if ticking is not None:
            ticking.cancel()


async def _answer(observer: _Observer) -> None:
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while await reader.readline():
        _write(msgspec.json.encode(observer.observe()))
    transport.close()


def _write(line: bytes) -> None:
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
