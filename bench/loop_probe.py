"""`python -m bench.loop_probe ADDRESS…`: the exporter with a probe in its event loop.

The process prints its URL. Then it answers each line of standard input with an observation as one
line of JSON. It ends at the end of its input.
"""

import argparse
import asyncio
import sys
import time
from pathlib import Path

import msgspec

from exporter import app
from exporter.config import Config, DaemonConfig, from_flags
from exporter.config.loader import load
from exporter.garbage import collecting
from exporter.web.listener import ListenAddress

TICK = 0.001
"""Seconds that the probe sleeps. Any other ready task waits as long as the probe oversleeps."""


class Observation(msgspec.Struct, frozen=True):
    """What was observed since the last observation, in seconds.

    `cpu` is the CPU time of the process. `stall` is the longest time between two passes of the
    event loop, `stall_cpu` the most CPU time in one; both are 0 without a probe.
    """

    cpu: float
    stall: float
    stall_cpu: float


class LoopProbe:
    """A task that should run once per tick."""

    def __init__(self) -> None:
        self.stall = 0.0
        self.stall_cpu = 0.0

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            wall, cpu = time.perf_counter(), time.thread_time()
            await asyncio.sleep(TICK)
            self.stall = max(self.stall, time.perf_counter() - wall - TICK)
            self.stall_cpu = max(self.stall_cpu, time.thread_time() - cpu)


class _Observer:
    """Makes observations of the probe and the CPU time of the process."""

    def __init__(self, probe: LoopProbe) -> None:
        self._probe = probe
        self._cpu = 0.0

    def observe(self) -> Observation:
        cpu = time.process_time()
        observation = Observation(cpu - self._cpu, self._probe.stall, self._probe.stall_cpu)
        self._cpu = cpu
        self._probe.stall = self._probe.stall_cpu = 0.0
        return observation


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m bench.loop_probe")
    parser.add_argument("addresses", nargs="*")
    parser.add_argument("--status-file", type=Path, help="also watch a daemon by this file")
    parser.add_argument("--interval", type=float, default=15.0, help="seconds between polls")
    parser.add_argument("--config", type=Path, help="a configuration file instead of all these")
    parser.add_argument(
        "--probe", action="store_true", help="measure stalls of the event loop; costs CPU time"
    )
    arguments = parser.parse_args()
    asyncio.run(_run(_config(arguments), arguments.probe))


def _config(arguments: argparse.Namespace) -> Config:
    if arguments.config is not None:
        return load(arguments.config)
    config = from_flags(arguments.addresses) if arguments.addresses else Config()
    if arguments.status_file is not None:
        daemon = DaemonConfig(name="file", status_file=arguments.status_file)
        config = msgspec.structs.replace(config, daemons=(*config.daemons, daemon))
    return msgspec.structs.replace(config, poll_interval=arguments.interval)


async def _run(config: Config, with_probe: bool) -> None:  # noqa: FBT001
    listen = [ListenAddress("127.0.0.1", 0)]
    probe = LoopProbe()
    async with (
        collecting() as exempt,
        app.run_app(config, listen=listen, telemetry_path="/metrics") as serving,
        asyncio.TaskGroup() as tasks,
    ):
        exempt()
        ticking = tasks.create_task(probe.run()) if with_probe else None
        _write(serving.urls[0].encode())
        await _answer_requests(_Observer(probe))
        if ticking is not None:
            ticking.cancel()


async def _answer_requests(observer: _Observer) -> None:
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
