"""`python -m bench.hostile_server KIND`: a daemon that sends what costs its reader the most.

The program prints its address and an empty line. It ends at the end of its input.
"""

import asyncio
import contextlib
import itertools
import sys
from collections.abc import Callable, Iterator, Mapping

_GREETING = b">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info\r\n"
_NOW = 1_795_600_000
_COLUMNS = (
    "Common Name,Real Address,Virtual Address,Virtual IPv6 Address,Bytes Received,Bytes Sent,"
    "Connected Since,Connected Since (time_t),Username,Client ID,Peer ID,Data Channel Cipher"
)
_START = ("TITLE,OpenVPN 2.6.14 x", f"TIME,x,{_NOW}", f"HEADER,CLIENT_LIST,{_COLUMNS}")
_START_3 = tuple(line.replace(",", "\t") for line in _START)
_LONG = 16_000
_TEXT = 2_000
_BLOCK = 1 << 20


def _lines(*lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode()


def _row(name: str, number: int, address: str = "") -> str:
    address = address or f"192.0.{number >> 8 & 255}.{number & 255}:{number}"
    virtual = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    counters = f"{number}\t1\tx\t{_NOW}"
    return f"CLIENT_LIST\t{name}\t{address}\t{virtual}\t\t{counters}\tUNDEF\t{number}\t0\tC"


_REPLIES = {
    "pid": _lines("SUCCESS: pid=42"),
    "version": _lines("OpenVPN Version: OpenVPN 2.6.14 x", "Management Version: 5", "END"),
    "verb": _lines("SUCCESS: verb=3"),
    "hold": _lines("SUCCESS: hold=0"),
    "state on": _lines("SUCCESS: state on"),
    "state all": _lines(f"{_NOW},CONNECTED,SUCCESS,10.8.0.1,,,,", "END"),
    "state": _lines(f"{_NOW},CONNECTED,SUCCESS,10.8.0.1,,,,", "END"),
    "log on": _lines("SUCCESS: log on"),
    "log off": _lines("SUCCESS: log off"),
    "log all": _lines("END"),
    "load-stats": _lines("SUCCESS: nclients=1,bytesin=1,bytesout=1"),
    "status 3": _lines(*_START_3, _row("alice", 1), "END"),
}


def _history(difference: int, size: int = 60_000) -> bytes:
    """Return a log of equal lines but one."""
    lines = ["1,,a"] * size
    lines[difference] = "1,,b"
    return _lines(*lines, "END")


def _connect_lines() -> bytes:
    text = "MULTI: primary virtual IP for"
    return _lines(*(f">LOG:{_NOW},,{text} x/10.1.1.1:{number}: 10.8.0.2" for number in range(9000)))


_STATUS: Mapping[str, Callable[[], Iterator[bytes]]] = {
    "commas in names": lambda: itertools.repeat(
        _lines(
            *_START,
            *(f"CLIENT_LIST,{',' * _LONG}x" for _ in range(64)),
            *(f"CLIENT_LIST,{'1,' * 60}x,1:1,1.1.1.1,,1,2,x,3,b,1,1,c" for _ in range(20_000)),
            "END",
        )
    ),
    "rows that look alike": lambda: itertools.repeat(
        _lines(
            "OpenVPN CLIENT LIST",
            "Updated,2026-11-23 03:53:03",
            "Common Name,Real Address,Bytes Received,Bytes Sent,Connected Since",
            *["x,::1,1,2,2026-11-23 03:53:03"] * 10_000,
            "Virtual Address,Common Name,Real Address,Last Ref",
            *["10.8.0.2,x,::1,2026-11-23 03:53:03"] * 10_000,
            "END",
        )
    ),
    "statistics of many lines": lambda: itertools.repeat(
        _lines("OpenVPN STATISTICS", *["x"] * 300_000, "END")
    ),
    "floating clients": lambda: itertools.chain(
        [_lines(*_START_3, "END")],
        itertools.repeat(
            _lines(
                *_START_3,
                *(_row("x", number, f"10.2.2.2:{number}") for number in range(9000)),
                "END",
            )
        ),
    ),
    "10,000 clients": lambda: itertools.repeat(
        _lines(*_START_3, *(_row(f"client-{number}", number) for number in range(10_000)), "END")
    ),
}
"""The replies to `status 3`, by kind."""

_HISTORIES: Mapping[str, tuple[str, Callable[[], Iterator[bytes]]]] = {
    "states": (
        "state all",
        lambda: itertools.repeat(_lines(*[f"{_NOW},WAIT,,,,,,"] * 300_000, "END")),
    ),
    "log caches": (
        "log all",
        lambda: map(_history, itertools.cycle([59_999, 30_000])),
    ),
}
"""A command and its replies, by kind; each session ends after a poll."""

_FLOODS: Mapping[str, bytes] = {
    "long log lines": _lines(
        f">LOG:{_NOW},,{(' MULTI: primary virtual IP for /' * 510)[:_LONG]}",
        f">LOG:{_NOW},,{'/' * _TEXT}",
        f">LOG:{_NOW},,peer 0 ({') floated from ' * 130}",
    ),
    "empty lines": b"\n",
    "lines of an environment": _lines(">CLIENT:ENV,a=b"),
    "messages": _lines(">STATE:1,A," + "," * 4000),
    "floating clients": _connect_lines(),
}
"""What is sent again and again after the first poll, by kind."""

_ONCE = frozenset({"floating clients"})

KINDS = tuple(dict.fromkeys([*_STATUS, *_HISTORIES, *_FLOODS]))


class _Daemon:
    def __init__(self, kind: str) -> None:
        self._replies: dict[str, Iterator[bytes]] = {
            command: itertools.repeat(reply) for command, reply in _REPLIES.items()
        }
        self._replies |= {"status 3": _STATUS[kind]()} if kind in _STATUS else {}
        if kind in _HISTORIES:
            command, replies = _HISTORIES[kind]
            self._replies[command] = replies()
        self._ends_sessions = kind in _HISTORIES
        self._flood = _FLOODS.get(kind, b"")
        self._floods = itertools.repeat(None, 1 if kind in _ONCE else 1_000_000)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(_GREETING)
        with contextlib.suppress(OSError):
            while line := await reader.readline():
                command = line.decode().strip()
                writer.write(next(self._replies.get(command, iter([b"ERROR: unknown\r\n"]))))
                await writer.drain()
                if command == "status 3":
                    if self._ends_sessions:
                        break
                    await self._send_flood(writer)
        writer.close()

    async def _send_flood(self, writer: asyncio.StreamWriter) -> None:
        block = self._flood * max(1, _BLOCK // max(1, len(self._flood)))
        for _ in self._floods if self._flood else ():
            writer.write(block)
            await writer.drain()


async def _run(kind: str) -> None:
    server = await asyncio.start_server(_Daemon(kind).serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    sys.stdout.write(f"{host}:{port}\n\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_run(sys.argv[1]))
