"""The processes that are measured, and those they are measured against.

Each lives as long as the block that started it, and is ended by its process id.
"""

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import msgspec

from bench.watched import Observation

_ROOT = Path(__file__).parent.parent
_PATIENCE = 10.0


class Server(msgspec.Struct, frozen=True):
    """A running process and its URL, which may not answer yet."""

    pid: int
    url: str


class _Child(msgspec.Struct, frozen=True):
    """A process of ours, and the pipes to it."""

    process: subprocess.Popen[bytes]
    stdin: IO[bytes]
    stdout: IO[bytes]

    def line(self) -> bytes:
        """Return the next line that the process prints."""
        line = self.stdout.readline()
        if not line:
            raise ChildProcessError(f"{self.process.args!r} ended with {self.process.wait()}")
        return line.rstrip(b"\n")


class Watched:
    """A running exporter with a probe in its event loop."""

    def __init__(self, child: _Child) -> None:
        """Read the URL that the process prints first."""
        self._child = child
        self.url = child.line().decode()

    def observe(self) -> Observation:
        """Return what happened since the last time."""
        self._child.stdin.write(b"\n")
        self._child.stdin.flush()
        return msgspec.json.decode(self._child.line(), type=Observation)


def free_port() -> int:
    """Return a port of loopback that nobody uses now."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port: int = reserved.getsockname()[1]
        return port


@contextlib.contextmanager
def simulated(*, servers: int = 1, clients: int) -> Iterator[tuple[str, ...]]:
    """Run simulated servers in one process; give their addresses."""
    arguments = ("exporter.simulator", "--servers", str(servers), "--clients", str(clients))
    with _python(arguments) as child:
        yield tuple(line.decode() for line in iter(child.line, b""))


@contextlib.contextmanager
def mute(count: int) -> Iterator[tuple[str, ...]]:
    """Run daemons that greet and then hang; give their addresses."""
    with _python(("bench.mute", str(count))) as child:
        yield tuple(line.decode() for line in iter(child.line, b""))


@contextlib.contextmanager
def exporter(addresses: Sequence[str], port: int) -> Iterator[Server]:
    """Run the exporter as users do."""
    watching = [part for address in addresses for part in ("--openvpn.management", address)]
    address = f"127.0.0.1:{port}"
    quiet = ("--log.level", "error")
    with _python(("exporter", "--web.listen-address", address, *quiet, *watching)) as child:
        yield Server(child.process.pid, f"http://{address}")


@contextlib.contextmanager
def watched(*addresses: str, interval: float, probe: bool) -> Iterator[Watched]:
    """Run the exporter of `bench.watched`; it serves when this block begins."""
    options = ("--interval", str(interval), *(("--probe",) if probe else ()))
    with _python(("bench.watched", *options, *addresses)) as child:
        yield Watched(child)


@contextlib.contextmanager
def bare(port: int, file: Path | None = None) -> Iterator[Server]:
    """Run the server of `bench.bare`."""
    with _python(("bench.bare", str(port), *((str(file),) if file else ()))) as child:
        yield Server(child.process.pid, f"http://127.0.0.1:{port}")


@contextlib.contextmanager
def _python(arguments: Sequence[str]) -> Iterator[_Child]:
    process = subprocess.Popen(  # noqa: S603 -- our own modules with our own arguments
        [sys.executable, "-m", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=_ROOT,
    )
    try:
        yield _Child(process, _pipe(process.stdin), _pipe(process.stdout))
    finally:
        _end(process)


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise ValueError("a process without the pipes it was started with")
    return pipe


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.communicate(timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
