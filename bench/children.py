"""Child processes: the exporter, the simulator, and servers to compare with.

Each runs until the `with` block that started it ends.
"""

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import msgspec

from bench.loop_probe import Observation

_ROOT = Path(__file__).parent.parent
_TERMINATION_TIMEOUT = 10.0


class Server(msgspec.Struct, frozen=True):
    """The process of a web server and its URL; it may not accept connections yet."""

    pid: int
    url: str


class _Child(msgspec.Struct, frozen=True):
    """A child process and the pipes to it."""

    process: subprocess.Popen[bytes]
    stdin: IO[bytes]
    stdout: IO[bytes]

    def line(self) -> bytes:
        """Return the next line that the process prints."""
        line = self.stdout.readline()
        if not line:
            raise ChildProcessError(f"{self.process.args!r} ended with {self.process.wait()}")
        return line.rstrip(b"\n")


class ProbedExporter:
    """A running exporter that is observed from within: see `bench.loop_probe`."""

    def __init__(self, child: _Child) -> None:
        self._child = child
        self.url = child.line().decode()  # the first line that it prints

    def observe(self) -> Observation:
        """Return what was observed since the last call."""
        self._child.stdin.write(b"\n")
        self._child.stdin.flush()
        return msgspec.json.decode(self._child.line(), type=Observation)


def free_port() -> int:
    """Return a loopback port that is free now."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port: int = reserved.getsockname()[1]
        return port


@contextlib.contextmanager
def simulated_daemons(*, servers: int = 1, clients: int) -> Iterator[tuple[str, ...]]:
    """Run simulated servers in one process; yield their addresses."""
    arguments = ("exporter.simulator", "--servers", str(servers), "--clients", str(clients))
    with _run_module(arguments) as child:
        yield tuple(line.decode() for line in iter(child.line, b""))


@contextlib.contextmanager
def hung_servers(count: int) -> Iterator[tuple[str, ...]]:
    """Run daemons that stop responding after the greeting; yield their addresses."""
    with _run_module(("bench.hung_server", str(count))) as child:
        yield tuple(line.decode() for line in iter(child.line, b""))


@contextlib.contextmanager
def hostile_server(kind: str) -> Iterator[tuple[str, ...]]:
    """Run a daemon that sends what costs its reader the most; yield its address."""
    with _run_module(("bench.hostile_server", kind)) as child:
        yield tuple(line.decode() for line in iter(child.line, b""))


@contextlib.contextmanager
def exporter_process(addresses: Sequence[str], port: int) -> Iterator[Server]:
    """Run the exporter as from the command line."""
    targets = [part for address in addresses for part in ("--openvpn.management", address)]
    address = f"127.0.0.1:{port}"
    quiet = ("--log.level", "error")
    with _run_module(("exporter", "--web.listen-address", address, *quiet, *targets)) as child:
        yield Server(child.process.pid, f"http://{address}")


@contextlib.contextmanager
def probed_exporter(
    *addresses: str, interval: float, probe: bool, status_file: Path | None = None
) -> Iterator[ProbedExporter]:
    """Run the exporter of `bench.loop_probe`; it serves when the block starts."""
    options = ("--interval", str(interval), *(("--probe",) if probe else ()))
    if status_file is not None:
        options += ("--status-file", str(status_file))
    with _run_module(("bench.loop_probe", *options, *addresses)) as child:
        yield ProbedExporter(child)


@contextlib.contextmanager
def baseline_server(port: int, file: Path | None = None) -> Iterator[Server]:
    """Run the server of `bench.baseline`."""
    with _run_module(("bench.baseline", str(port), *((str(file),) if file else ()))) as child:
        yield Server(child.process.pid, f"http://127.0.0.1:{port}")


@contextlib.contextmanager
def _run_module(arguments: Sequence[str]) -> Iterator[_Child]:
    process = subprocess.Popen(  # noqa: S603 -- modules and arguments are constants
        [sys.executable, "-m", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=_ROOT,
    )
    try:
        yield _Child(process, _pipe(process.stdin), _pipe(process.stdout))
    finally:
        _terminate(process)


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise ValueError("the process has no pipe")
    return pipe


def _terminate(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.communicate(timeout=_TERMINATION_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
