"""A stream acknowledges received bytes at once, where the platform can."""

import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from exporter.transport import stream as stream_module
from exporter.transport.connector import connector_for
from exporter.transport.stream import Stream
from tests.fake_daemon import GREETING, TEST_TIMEOUT, FakeSession, fake_daemon


@contextlib.asynccontextmanager
async def opened(unix_path: Path | None = None) -> AsyncIterator[tuple[Stream, FakeSession]]:
    async with fake_daemon(unix_path) as daemon:
        stream = await connector_for(daemon.endpoint, timeout=TEST_TIMEOUT).connect()
        try:
            yield stream, await daemon.accept()
        finally:
            stream.writer.close()
            await stream.writer.wait_closed()


def socket_of(stream: Stream) -> socket.socket:
    found: socket.socket = stream.writer.get_extra_info("socket")
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
