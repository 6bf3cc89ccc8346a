"""One direction of a session through the proxy, and what a fault does to it."""

import asyncio
from asyncio import StreamReader, StreamWriter
from typing import Protocol

from tests.faults.aim import Aim
from tests.faults.faults import (
    Cut,
    Delay,
    Duplicate,
    Fault,
    Flood,
    Garble,
    Manner,
    Passing,
    Split,
    Stall,
    Way,
)

_READ_SIZE = 64 * 1024


class Archer(Protocol):
    """Who knows what is going to happen."""

    def aims_at(self, way: Way) -> Aim | None:
        """Return the strike that is next, if it concerns this direction."""

    def hits(self) -> Fault:
        """Note that this strike happens now; return what it does."""


class Lane:
    """Passes bytes from `source` to `sink`, strikes apart."""

    def __init__(self, archer: Archer, way: Way, source: StreamReader, sink: StreamWriter) -> None:
        self._archer = archer
        self._way = way
        self._source = source
        self._sink = sink
        self._line_starts = True
        self._held: bytearray | None = None

    async def run(self) -> Manner | None:
        """Pass on what is said and its end, or until a cut; return the cut's manner."""
        try:
            while data := await self._source.read(_READ_SIZE):
                manner = await self._pass(data)
                if manner is Manner.HALF_CLOSE:
                    break
                if manner is not None:
                    return manner
            self._sink.write_eof()
        except OSError:  # one side has hung up hard
            return Manner.RESET
        return None

    def releases(self) -> None:
        """Send what a stall kept back, and keep back nothing more."""
        if self._held is not None:
            held, self._held = bytes(self._held), None
            self._sink.write(held)

    async def _pass(self, data: bytes) -> Manner | None:
        while data:
            aim = self._archer.aims_at(self._way)
            at = None if aim is None else aim.find(data, line_starts=self._line_starts)
            if at is None:
                await self._send(data)
                return None
            await self._send(data[:at])
            fault = self._archer.hits()
            if isinstance(fault, Cut):
                return fault.manner
            data = await self._suffer(fault, data[at:])
        return None

    async def _suffer(self, fault: Passing, data: bytes) -> bytes:
        """Let a fault happen; return what is still to be passed on."""
        match fault:
            case Delay(seconds):
                await asyncio.sleep(seconds)
            case Split(size, pieces):
                return await self._split(data, size, pieces)
            case Stall():
                self._held = bytearray() if self._held is None else self._held
            case Garble(lost, put):
                await self._send(put)
                return data[lost:]
            case Duplicate(lines):
                await self._send(b"".join(data.splitlines(keepends=True)[:lines]))
            case Flood(messages, message):
                await self._send((message + b"\r\n") * messages)
        return data

    async def _split(self, data: bytes, size: int, pieces: int) -> bytes:
        for _ in range(pieces):
            piece, data = data[:size], data[size:]
            await self._send(piece)
            await asyncio.sleep(0)  # a turn of the loop, in which the other side reads it
        return data

    async def _send(self, data: bytes) -> None:
        if not data:
            return
        self._line_starts = data.endswith(b"\n")
        if self._held is not None:
            self._held += data
        else:
            self._sink.write(data)
            await self._sink.drain()
