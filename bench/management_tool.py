"""A tool that reads the management interface as a status page does: connect, ask, leave."""

import socket
import threading
import time
from typing import Self

PAGE = ("version", "state", "load-stats", "status 3")
"""The commands of openvpn-monitor for one page."""

_TIMEOUT = 30.0


class ManagementTool:
    """One connection to a management interface without a password."""

    def __init__(self, address: str) -> None:
        """Connect to `HOST:PORT` or `unix:PATH`, and read the greeting."""
        kind, _, rest = address.rpartition(":")
        if kind == "unix":
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.settimeout(_TIMEOUT)
            self._socket.connect(rest)
        else:
            self._socket = socket.create_connection((kind, int(rest)), timeout=_TIMEOUT)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._until(b"help' for more info\r\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, command: str) -> float:
        """Send a command; return the seconds until its reply is complete."""
        started_at = time.perf_counter()
        self._socket.sendall(f"{command}\n".encode())
        is_line = command in ("load-stats", "pid")
        self._until(b"\r\n" if is_line else b"END\r\n")
        return time.perf_counter() - started_at

    def _until(self, end: bytes) -> None:
        received = b""
        while not received.endswith(end):
            received = received[-len(end) :] + self._socket.recv(1 << 20)


def poll_each_second(address: str, tools: int, seconds: float) -> int:
    """Let some tools open a page each second; return how many pages they got."""
    pages: list[int] = []
    threads = [threading.Thread(target=_poll, args=(address, seconds, pages)) for _ in range(tools)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if not threads:
        time.sleep(seconds)
    return sum(pages)


def _poll(address: str, seconds: float, pages: list[int]) -> None:
    due = time.monotonic()
    end, count = due + seconds, 0
    while due < end:
        open_page(address)
        count += 1
        due += 1.0
        time.sleep(max(0.0, due - time.monotonic()))
    pages.append(count)


def open_page(address: str) -> None:
    """Connect, ask what a page shows, and leave."""
    with ManagementTool(address) as tool:
        for command in PAGE:
            tool.ask(command)
