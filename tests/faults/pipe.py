"""One direction of a session through the proxy, and how each fault is applied to it."""

import asyncio
from asyncio import StreamReader, StreamWriter
from typing import Protocol

from tests.faults.faults import (
    Corrupt,
    Delay,
    Direction,
    Disconnect,
    DisconnectKind,
    Duplicate,
    Fault,
    Flood,
    Split,
    Stall,
    SurvivableFault,
)
from tests.faults.trigger import Trigger

_READ_SIZE = 64 * 1024


class FaultSource(Protocol):
    """The owner of the armed injections."""

    def next_trigger(self, direction: Direction) -> Trigger | None:
        """Return the trigger of the next injection if it applies to this direction."""

    def fire(self) -> Fault:
        """Mark the next injection as injected and return its fault."""


class Pipe:
    """Copies bytes from `source` to `sink`, and injects the armed faults."""

    def __init__(
        self, faults: FaultSource, direction: Direction, source: StreamReader, sink: StreamWriter
    ) -> None:
        self._faults = faults
        self._direction = direction
        self._source = source
        self._sink = sink
        self._at_line_start = True
        self._held: bytearray | None = None

    async def run(self) -> DisconnectKind | None:
        """Copy bytes until the end of the stream or a disconnect; return the kind of disconnect."""
        try:
            while data := await self._source.read(_READ_SIZE):
                kind = await self._forward(data)
                if kind is DisconnectKind.HALF_CLOSE:
                    break
                if kind is not None:
                    return kind
            self._sink.write_eof()
        except OSError:  # one side has reset the connection
            return DisconnectKind.RESET
        return None

    def release(self) -> None:
        """End a stall: send the held bytes."""
        if self._held is not None:
            held, self._held = bytes(self._held), None
            self._sink.write(held)

    async def _forward(self, data: bytes) -> DisconnectKind | None:
        while data:
            trigger = self._faults.next_trigger(self._direction)
            at = None if trigger is None else trigger.find(data, at_line_start=self._at_line_start)
            if at is None:
                await self._send(data)
                return None
            await self._send(data[:at])
            fault = self._faults.fire()
            if isinstance(fault, Disconnect):
                return fault.kind
            data = await self._apply(fault, data[at:])
        return None

    async def _apply(self, fault: SurvivableFault, data: bytes) -> bytes:
        """Apply a fault; return the bytes that still have to be copied."""
        match fault:
            case Delay(seconds):
                await asyncio.sleep(seconds)
            case Split(size, pieces):
                return await self._split(data, size, pieces)
            case Stall():
                self._held = bytearray() if self._held is None else self._held
            case Corrupt(removed, inserted):
                await self._send(inserted)
                return data[removed:]
            case Duplicate(lines):
                await self._send(b"".join(data.splitlines(keepends=True)[:lines]))
            case Flood(messages, message):
                await self._send((message + b"\r\n") * messages)
        return data

    async def _split(self, data: bytes, size: int, pieces: int) -> bytes:
        for _ in range(pieces):
            piece, data = data[:size], data[size:]
            await self._send(piece)
            await asyncio.sleep(0)  # one pass of the loop: the other side reads the piece
        return data

    async def _send(self, data: bytes) -> None:
        if not data:
            return
        self._at_line_start = data.endswith(b"\n")
        if self._held is not None:
            self._held += data
        else:
            self._sink.write(data)
            await self._sink.drain()
