"""The load of a soak: configurations that are reloaded, files, and HTTP clients that hang."""

import contextlib
import http.client
import json
import os
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from exporter.management.protocol import REPLY_LIMIT

INTERVAL = 1.0
"""Seconds between polls."""

_HANGING_CLIENTS = 50
_RELOAD_TIMEOUT = 60.0
_INVALID_EVERY = 4
"""Every fourth configuration is invalid."""


class Configuration:
    """The configuration file: steady daemons, and with an attack the hostile ones twice.

    One hostile daemon of each kind keeps its name. The name of the other is new at each reload.
    """

    def __init__(
        self, directory: Path, steady: Sequence[str], hostile: Mapping[str, Sequence[str]]
    ) -> None:
        self.path = directory / "config.json"  # JSON is valid YAML
        self.steady = tuple(f"steady-{number}" for number in range(len(steady)))
        self._steady = steady
        self._hostile = hostile
        self._files = _status_files(directory)
        self._patterns = [f"{directory}/*.conf"]

    def write_steady(self) -> None:
        """Write the configuration without hostile daemons."""
        self._write(self._steady_daemons(0), [])

    def write_attack(self, generation: int) -> None:
        """Write a configuration with hostile daemons; the generation changes names and settings."""
        hostile = [
            {"name": f"{kind}{suffix}", "management": address, "timeout": "2s"}
            for kind, addresses in self._hostile.items()
            for suffix, address in zip(("", f"-{generation}"), addresses, strict=True)
        ]
        files = [{"name": path.name, "status_file": str(path)} for path in self._files]
        daemons = [*self._steady_daemons(generation), *hostile, *files]
        self._write(daemons, self._patterns)

    def write_invalid(self) -> None:
        """Write a configuration that the exporter refuses."""
        _replace(self.path, '{"poll_interval": "never"}')

    def _steady_daemons(self, generation: int) -> list[Mapping[str, str]]:
        privacy = "none" if generation % 2 else "plain"
        timeout = f"{3 + generation % 2}s"
        return [
            {
                "name": name,
                "management": address,
                "timeout": timeout,
                "privacy": privacy if name == self.steady[-1] else "plain",
            }
            for name, address in zip(self.steady, self._steady, strict=True)
        ]

    def _write(self, daemons: Sequence[Mapping[str, str]], discover: Sequence[str]) -> None:
        # What is kept of clients that left must not grow over the attack.
        clients = {"limit": 500, "forget_after": "10s", "routes": True}
        config = {"poll_interval": f"{INTERVAL:g}s", "clients": clients, "daemons": daemons}
        _replace(self.path, json.dumps({**config, "discover": discover}))


def _status_files(directory: Path) -> Sequence[Path]:
    """Make the files: 64 MiB of newlines, one without an end, a directory, and a pipe."""
    newlines, endless = directory / "file-of-newlines", directory / "file-without-end"
    newlines.write_bytes(b"\n" * (REPLY_LIMIT - 16) + b"\nEND\n")
    endless.write_bytes(b"CLIENT_LIST,alice\n" * 100_000)
    folder, pipe = directory / "file-is-a-directory", directory / "file-is-a-pipe"
    folder.mkdir()
    (directory / "folder.conf").mkdir()
    os.mkfifo(pipe)
    return (newlines, endless, folder, pipe)


def _replace(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


class Reloads:
    """Reloads the configuration again and again, in turn by SIGHUP and by HTTP."""

    def __init__(self, url: str, configuration: Configuration, sighup: Callable[[], None]) -> None:
        self._address = url.removeprefix("http://")
        self._configuration = configuration
        self._sighup = sighup
        self._stopped = threading.Event()
        self.generation = 0
        self.unexpected: list[str] = []
        """Responses to reloads by HTTP other than the expected one."""
        self.responses = 0
        self.slowest = 0.0

    @contextlib.contextmanager
    def running(self, pause: float) -> Iterator[None]:
        """Reload in a thread until the block ends, with pauses of so many seconds."""
        thread = threading.Thread(target=self._run, args=(pause,))
        thread.start()
        try:
            yield
        finally:
            self._stopped.set()
            thread.join()

    def reload_steady(self) -> None:
        """Remove all hostile daemons."""
        self._configuration.write_steady()
        self.post()

    def start_attack(self) -> None:
        """Add the hostile daemons."""
        self.generation += 1
        self._configuration.write_attack(self.generation)
        self.post()

    def _run(self, pause: float) -> None:
        while not self._stopped.wait(pause):
            self.generation += 1
            if self.generation % _INVALID_EVERY == 0:
                self._configuration.write_invalid()
                self.post(expected=http.client.INTERNAL_SERVER_ERROR)
                continue
            self._configuration.write_attack(self.generation)
            if self.generation % 2:
                self._sighup()
            else:
                self.post()

    def post(self, *, expected: int = http.client.OK) -> None:
        """Reload by HTTP, and compare the status of the response."""
        started_at = time.monotonic()
        try:
            connection = http.client.HTTPConnection(self._address, timeout=_RELOAD_TIMEOUT)
            with contextlib.closing(connection):
                connection.request("POST", "/-/reload", body=b"")
                response = connection.getresponse()
                body = response.read().decode()
        except OSError as error:
            self.unexpected.append(f"reload {self.generation}: {error}")
            return
        self.responses += 1
        self.slowest = max(self.slowest, time.monotonic() - started_at)
        if response.status != expected:
            self.unexpected.append(f"reload {self.generation}: {response.status} {body.strip()}")


class HangingClients:
    """HTTP clients that send a part of a request, or read nothing of a response."""

    def __init__(self, url: str) -> None:
        host, _, port = url.removeprefix("http://").rpartition(":")
        self._address = (host, int(port))
        self._open: deque[socket.socket] = deque()

    def add(self) -> None:
        """Connect two more; close the oldest beyond a number."""
        for request in (b"GET /metrics HTTP/1.1\r\nHost: ", b"GET /metrics HTTP/1.0\r\n\r\n"):
            client = socket.create_connection(self._address, timeout=_RELOAD_TIMEOUT)
            client.sendall(request)
            self._open.append(client)
        while len(self._open) > _HANGING_CLIENTS:
            self._open.popleft().close()

    def close(self) -> None:
        """Close all."""
        while self._open:
            self._open.popleft().close()
