"""Child processes: the exporter, the simulator, and servers to compare with.

Each runs until the `with` block that started it ends.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

import msgspec

from bench.loop_probe import Observation
from bench.observed_exporter import COLLECT, Inside

_ROOT = Path(__file__).parent.parent
_TERMINATION_TIMEOUT = 10.0
# As installed: compiled modules are kept.
_ENVIRONMENT = {
    name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
}


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
        self.pid = child.process.pid

    def observe(self) -> Observation:
        """Return what was observed since the last call."""
        self._child.stdin.write(b"\n")
        self._child.stdin.flush()
        return msgspec.json.decode(self._child.line(), type=Observation)


class ObservedExporter:
    """The exporter of `bench.observed_exporter`."""

    def __init__(self, child: _Child) -> None:
        self._child = child
        self.url = child.line().decode()  # the first line that it prints
        self.pid = child.process.pid

    def observe(self, *, collect: bool = False) -> Inside:
        """Return what was observed since the last call; `collect` collects garbage before."""
        self._child.stdin.write(COLLECT if collect else b"\n")
        self._child.stdin.flush()
        return msgspec.json.decode(self._child.line(), type=Inside)

    def reload(self) -> None:
        """Reload the configuration by SIGHUP."""
        self._child.process.send_signal(signal.SIGHUP)

    def stop(self) -> float:
        """Send SIGTERM; return the seconds until the process ends."""
        started_at = time.monotonic()
        _terminate(self._child.process)
        return time.monotonic() - started_at


class StatusDaemon:
    """The daemon of `bench.status_daemon`."""

    def __init__(self, child: _Child) -> None:
        self._child = child
        self.address = child.line().decode()  # the first line that it prints

    def wait(self) -> None:
        """Wait until it is asked for one more status."""
        self._child.line()


def free_port() -> int:
    """Return a loopback port that is free now."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port: int = reserved.getsockname()[1]
        return port


@contextlib.contextmanager
def simulated_daemons(
    *, servers: int = 1, clients: int, session: float | None = None
) -> Iterator[tuple[str, ...]]:
    """Run simulated servers in one process; yield their addresses.

    With `session`, clients connect and disconnect: it is the mean length of a session in seconds.
    """
    arguments = ("exporter.simulator", "--servers", str(servers), "--clients", str(clients))
    churn = () if session is None else ("--churn", "--session", str(session))
    with _run_module((*arguments, *churn)) as child:
        yield tuple(line.decode() for line in iter(child.line, b""))


@contextlib.contextmanager
def status_daemon(clients: int, churn: float, statuses: int) -> Iterator[StatusDaemon]:
    """Run a daemon with so many statuses, in each of which a part of the clients is replaced."""
    with _run_module(("bench.status_daemon", str(clients), str(churn), str(statuses))) as child:
        yield StatusDaemon(child)


@contextlib.contextmanager
def hung_servers(count: int) -> Iterator[tuple[str, ...]]:
    """Run daemons that stop responding after the greeting; yield their addresses."""
    with _run_module(("bench.hung_server", str(count))) as child:
        yield tuple(line.decode() for line in iter(child.line, b""))


@contextlib.contextmanager
def hostile_daemons() -> Iterator[Mapping[str, Sequence[str]]]:
    """Run the daemons of `bench.hostile_daemons`; yield their addresses by the kind of attack."""
    with _run_module(("bench.hostile_daemons",)) as child:
        rows = (line.decode().split() for line in iter(child.line, b""))
        yield {kind: addresses for kind, *addresses in rows}


@contextlib.contextmanager
def exporter_process(
    addresses: Sequence[str], port: int, *, config: Path | None = None
) -> Iterator[Server]:
    """Run the exporter as from the command line, with addresses or a configuration file."""
    targets = [part for address in addresses for part in ("--openvpn.management", address)]
    if config is not None:
        targets += ("--config.file", str(config))
    address = f"127.0.0.1:{port}"
    quiet = ("--log.level", "error")
    with _run_module(("exporter", "--web.listen-address", address, *quiet, *targets)) as child:
        yield Server(child.process.pid, f"http://{address}")


@contextlib.contextmanager
def probed_exporter(
    *addresses: str,
    probe: bool,
    interval: float | None = None,
    status_file: Path | None = None,
    config: Path | None = None,
) -> Iterator[ProbedExporter]:
    """Run the exporter of `bench.loop_probe`; it serves when the block starts.

    The interval and the addresses come from a configuration file or from the arguments.
    """
    options: tuple[str, ...] = ("--probe",) if probe else ()
    if interval is not None:
        options += ("--interval", str(interval))
    if status_file is not None:
        options += ("--status-file", str(status_file))
    if config is not None:
        options += ("--config", str(config))
    with _run_module(("bench.loop_probe", *options, *addresses)) as child:
        yield ProbedExporter(child)


@contextlib.contextmanager
def observed_exporter(arguments: Sequence[str], log: Path) -> Iterator[ObservedExporter]:
    """Run the exporter of `bench.observed_exporter`, with its log in a file."""
    with (
        log.open("wb") as stderr,
        _run_module(("bench.observed_exporter", *arguments), stderr) as child,
    ):
        yield ObservedExporter(child)


@contextlib.contextmanager
def baseline_server(port: int, file: Path | None = None) -> Iterator[Server]:
    """Run the server of `bench.baseline`."""
    with _run_module(("bench.baseline", str(port), *((str(file),) if file else ()))) as child:
        yield Server(child.process.pid, f"http://127.0.0.1:{port}")


@contextlib.contextmanager
def _run_module(arguments: Sequence[str], stderr: IO[bytes] | None = None) -> Iterator[_Child]:
    process = subprocess.Popen(  # noqa: S603 -- modules and arguments are constants
        [sys.executable, "-m", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        cwd=_ROOT,
        env=_ENVIRONMENT,
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
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.communicate(timeout=_TERMINATION_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
