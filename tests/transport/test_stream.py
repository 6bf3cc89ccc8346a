"""A stream: what is read, and when; received bytes are acknowledged at once, where possible."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from exporter.transport import stream as stream_module
from exporter.transport.connector import connector_for
from exporter.transport.stream import READ_SIZE, Stream
from tests.fake_daemon import GREETING, TEST_TIMEOUT, FakeSession, fake_daemon


@contextlib.asynccontextmanager
async def opened(unix_path: Path | None = None) -> AsyncIterator[tuple[Stream, FakeSession]]:
    async with fake_daemon(unix_path) as daemon:
        stream = await connector_for(daemon.endpoint, timeout=TEST_TIMEOUT).connect()
        try:
            yield stream, await daemon.accept()
        finally:
            stream.close()
            await stream.wait_closed(TEST_TIMEOUT)


def socket_of(stream: Stream) -> socket.socket:
    found: socket.socket = stream.transport.get_extra_info("socket")
    return found


def delays_acknowledgements(stream: Stream) -> bool:
    return not socket_of(stream).getsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK)


def delay_acknowledgements(stream: Stream) -> None:
    """Put the kernel into the state of delayed acknowledgements."""
    socket_of(stream).setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
    assert delays_acknowledgements(stream)


async def test_each_read_is_acknowledged_at_once() -> None:
    async with opened() as (stream, daemon):
        for _ in range(2):
            delay_acknowledgements(stream)
            daemon.send_lines(GREETING)
            assert await stream.read() == GREETING + b"\r\n"
            assert not delays_acknowledgements(stream)


async def test_a_platform_without_the_option_reads_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream_module, "_TCP_QUICKACK", None)
    async with opened() as (stream, daemon):
        delay_acknowledgements(stream)
        daemon.send_lines(GREETING)
        assert await stream.read() == GREETING + b"\r\n"
        assert delays_acknowledgements(stream)


async def test_a_unix_socket_has_nothing_to_acknowledge(tmp_path: Path) -> None:
    async with opened(tmp_path / "office.sock") as (stream, daemon):
        daemon.send_lines(GREETING)
        assert await stream.read() == GREETING + b"\r\n"


async def test_commands_are_not_delayed() -> None:
    async with opened() as (stream, _):
        assert socket_of(stream).getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


class PausableTransport(asyncio.Transport):
    """A transport whose bytes the test hands to the stream itself."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []

    def pause_reading(self) -> None:
        self.calls.append("pause")

    def resume_reading(self) -> None:
        self.calls.append("resume")


def unconnected() -> tuple[Stream, PausableTransport]:
    stream, transport = Stream("office"), PausableTransport()
    stream.connection_made(transport)
    return stream, transport


async def read_later(stream: Stream) -> asyncio.Task[bytes]:
    """Begin to read; the task has nothing to read yet."""
    reading = asyncio.create_task(stream.read())
    await asyncio.sleep(0)
    assert not reading.done()
    return reading


async def test_a_read_takes_all_that_has_come() -> None:
    stream, _ = unconnected()
    reading = await read_later(stream)
    stream.data_received(b"a")
    stream.data_received(b"b")
    assert await reading == b"ab"
    stream.data_received(b"c")
    assert await stream.read() == b"c"


async def test_no_more_is_received_than_is_read() -> None:
    stream, transport = unconnected()
    stream.data_received(bytes(READ_SIZE - 1))
    assert transport.calls == []
    stream.data_received(b"x")
    assert transport.calls == ["pause"]
    assert len(await stream.read()) == READ_SIZE
    assert transport.calls == ["pause", "resume"]


async def test_the_end_comes_after_what_was_received() -> None:
    stream, _ = unconnected()
    stream.data_received(b"a")
    assert stream.eof_received()
    assert [await stream.read() for _ in range(3)] == [b"a", b"", b""]


async def test_the_end_ends_a_read() -> None:
    stream, _ = unconnected()
    reading = await read_later(stream)
    stream.eof_received()
    assert await reading == b""


async def test_an_error_comes_after_what_was_received() -> None:
    stream, _ = unconnected()
    reading = await read_later(stream)
    stream.data_received(b"a")
    stream.connection_lost(ConnectionResetError())
    assert await reading == b"a"
    with pytest.raises(ConnectionResetError):
        await stream.read()
    assert await stream.read() == b""


async def test_an_error_ends_a_read() -> None:
    stream, _ = unconnected()
    reading = await read_later(stream)
    stream.connection_lost(ConnectionResetError())
    with pytest.raises(ConnectionResetError):
        await reading


async def test_a_cancelled_read_loses_no_bytes() -> None:
    stream, _ = unconnected()
    reading = await read_later(stream)
    stream.data_received(b"a")
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert await stream.read() == b"a"


async def test_bytes_and_the_end_are_taken_when_they_come() -> None:
    stream, _ = unconnected()
    taken: list[bytes] = []
    stream.on_readable = lambda: taken.append(stream.take())
    stream.data_received(b"a")
    stream.data_received(b"b")
    assert not stream.has_ended
    stream.eof_received()
    assert taken == [b"a", b"b", b""]
    assert stream.has_ended


async def test_bytes_are_left_before_the_end() -> None:
    stream, _ = unconnected()
    stream.data_received(b"a")
    stream.eof_received()
    assert not stream.has_ended
    assert stream.take() == b"a"
    assert stream.has_ended


async def test_unread_bytes_are_read_before_all_others() -> None:
    stream, _ = unconnected()
    stream.data_received(b"b")
    stream.unread(b"a")
    assert await stream.read() == b"ab"


async def test_a_connection_that_was_lost_is_closed() -> None:
    stream, _ = unconnected()
    waiting = [asyncio.create_task(stream.wait_closed(TEST_TIMEOUT)) for _ in range(2)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    stream.connection_lost(None)
    await asyncio.gather(*waiting)
    await stream.wait_closed(TEST_TIMEOUT)
