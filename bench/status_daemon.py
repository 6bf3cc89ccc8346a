"""`python -m bench.status_daemon CLIENTS CHURN STATUSES`: a daemon whose statuses are ready.

The counters of all clients grow from one status to the next, and the part CHURN of the clients is
replaced. The program prints its address, then a line for each status that it sends. After the last
one it sends that again. It ends at the end of its input.
"""

import asyncio
import contextlib
import itertools
import sys
from collections.abc import Iterator, Sequence

from tests.management.status.status_printer import ROUTE_COLUMNS, Layout

_GREETING = b">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info\r\n"
_STATE = b"1795161600,CONNECTED,SUCCESS,10.8.0.1,,,,\r\nEND\r\n"
_REPLIES = {
    b"pid": b"SUCCESS: pid=42\r\n",
    b"version": b"OpenVPN Version: OpenVPN 2.6.14 x86_64-pc-linux-gnu\r\n"
    b"Management Version: 5\r\nEND\r\n",
    b"verb": b"SUCCESS: verb=3\r\n",
    b"hold": b"SUCCESS: hold=0\r\n",
    b"state on": b"SUCCESS: real-time state notification set to ON\r\n",
    b"state all": _STATE,
    b"state": _STATE,
    b"log on": b"SUCCESS: real-time log notification set to ON\r\n",
    b"log all": b"END\r\n",
    b"load-stats": b"SUCCESS: nclients=1,bytesin=5,bytesout=6\r\n",
}
_UNKNOWN = b"ERROR: unknown command, enter 'help' for more options\r\n"
_PROLOGUE = (
    "TITLE\tOpenVPN 2.6.14 x86_64-pc-linux-gnu [SSL (OpenSSL)] [LZO] [LZ4] [EPOLL] [AEAD] [DCO]",
    "TIME\t2026-11-23 08:00:00\t{time}",
    "\t".join(("HEADER", "CLIENT_LIST", *Layout.V2_5.value)),
)
_ROUTES_HEADER = "\t".join(("HEADER", "ROUTING_TABLE", *ROUTE_COLUMNS))
_EPILOGUE = (
    "GLOBAL_STATS\tMax bcast/mcast queue length\t1",
    "GLOBAL_STATS\tdco_enabled\t0",
    "END",
    "",
)
_START = 1_795_161_600
_INTERVAL = 15


def statuses(clients: int, churn: float, count: int) -> Iterator[bytes]:
    """Yield the replies to successive `status 3`."""
    lives = [0] * clients
    replaced = round(clients * churn)
    for number in range(count):
        for index in range(number * replaced, (number + 1) * replaced):
            lives[index % clients] += number > 0
        yield _status(lives, number)


def common_name(index: int) -> str:
    """Return the name of a client by its number."""
    return f"user-{index:06d}"


def _status(lives: Sequence[int], number: int) -> bytes:
    rows: list[str] = []
    routes: list[str] = []
    for index, life in enumerate(lives):
        name = common_name(index)
        address = f"198.51.{index >> 8 & 255}.{index & 255}:{20000 + (index * 7 + life) % 40000}"
        ipv4, ipv6 = f"10.{8 + (index >> 16)}.{index >> 8 & 255}.{index & 255}", f"fd::{index:x}"
        received, sent = 1_000_000 + number * 1000 + index, 5_000_000 + number * 3000 + index
        rows.append(
            f"CLIENT_LIST\t{name}\t{address}\t{ipv4}\t{ipv6}\t{received}\t{sent}\t"
            f"2026-11-20 08:00:00\t{_START + life}\t{name}\t{index + life * len(lives)}\t{index}\t"
            "AES-256-GCM"
        )
        routes += (
            f"ROUTING_TABLE\t{own}\t{name}\t{address}\t2026-11-23 08:00:00\t{_START}"
            for own in (ipv4, ipv6)
        )
    prologue = [line.format(time=_START + number * _INTERVAL) for line in _PROLOGUE]
    return "\r\n".join([*prologue, *rows, _ROUTES_HEADER, *routes, *_EPILOGUE]).encode()


class _Daemon:
    def __init__(self, replies: Iterator[bytes]) -> None:
        self._replies = replies

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(_GREETING)
        with contextlib.suppress(OSError):
            while (line := (await reader.readline()).strip()) not in {b"", b"quit"}:
                writer.write(self._answer(line))
                await writer.drain()
        writer.close()

    def _answer(self, command: bytes) -> bytes:
        if command != b"status 3":
            return _REPLIES.get(command, _UNKNOWN)
        sys.stdout.write("\n")
        sys.stdout.flush()
        return next(self._replies)


async def _run(clients: int, churn: float, count: int) -> None:
    ready = list(statuses(clients, churn, count))
    daemon = _Daemon(itertools.chain(ready, itertools.repeat(ready[-1])))
    server = await asyncio.start_server(daemon.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    sys.stdout.write(f"{host}:{port}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_run(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])))
