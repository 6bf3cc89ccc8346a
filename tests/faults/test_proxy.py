"""What the proxy forwards, with and without faults; no exporter takes part."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from exporter.management.endpoint import TcpEndpoint
from tests.fake_daemon import TEST_TIMEOUT, FakeSession, connect_fake_daemon, fake_daemon
from tests.faults.faults import (
    ByteOffset,
    Corrupt,
    Delay,
    Direction,
    Disconnect,
    DisconnectKind,
    Duplicate,
    Fault,
    Flood,
    Injection,
    LineStart,
    Position,
    Split,
    Stall,
    StatusOffset,
)
from tests.faults.proxy import Proxy

SENT = b">INFO:hello\r\nSUCCESS: one\r\nTITLE\tx\r\nEND\r\n"


@contextlib.asynccontextmanager
async def proxied_session(
    *injections: Injection,
) -> AsyncIterator[tuple[Proxy, asyncio.StreamReader, FakeSession]]:
    """Send `pid` through a proxy with armed injections; yield both ends, too."""
    async with fake_daemon() as daemon:
        assert isinstance(daemon.endpoint, TcpEndpoint)
        async with Proxy.start(daemon.endpoint) as proxy:
            proxy.arm(*injections)
            reader, writer = await asyncio.open_connection(proxy.endpoint.host, proxy.endpoint.port)
            try:
                writer.write(b"pid\n")
                yield proxy, reader, await daemon.accept()
            finally:
                writer.close()


async def read_all(reader: asyncio.StreamReader) -> bytes:
    """Return all bytes until the end of the stream."""
    async with asyncio.timeout(TEST_TIMEOUT):
        return await reader.read()


async def send_through(fault: Fault, position: Position) -> bytes:
    """Return what the client receives when the daemon sends `SENT`."""
    async with proxied_session(Injection(fault, Direction.REPLIES, position)) as (
        proxy,
        reader,
        daemon,
    ):
        daemon.send_bytes(SENT)
        daemon.close()
        received = await read_all(reader)
        assert [injection.fault for injection in proxy.injected] == [fault]
        return received


async def test_proxy_without_injections_forwards_everything() -> None:
    async with proxied_session() as (_, reader, daemon):
        assert await daemon.read_line() == b"pid"
        daemon.send_bytes(SENT)
        daemon.close()
        assert await read_all(reader) == SENT


async def test_close_by_the_client_reaches_the_daemon() -> None:
    async with fake_daemon() as daemon:
        assert isinstance(daemon.endpoint, TcpEndpoint)
        async with Proxy.start(daemon.endpoint) as proxy:
            async with connect_fake_daemon(proxy.endpoint.host, proxy.endpoint.port) as client:
                session = await daemon.accept()
                client.send_bytes(b"pid\n")
            assert await session.read_line() == b"pid"
            assert await session.read_line() == b""


@pytest.mark.parametrize("fault", [Delay(0.001), Split(1, 1000), Split(3, 2)], ids=str)
@pytest.mark.parametrize(
    "position", [ByteOffset(0), ByteOffset(7), LineStart(3), StatusOffset(2)], ids=str
)
async def test_delay_and_split_change_no_bytes(fault: Fault, position: Position) -> None:
    assert await send_through(fault, position) == SENT


@pytest.mark.parametrize(
    ("position", "rest"),
    [
        (ByteOffset(0), SENT),
        (ByteOffset(5), SENT[5:]),
        (LineStart(0), b"SUCCESS: one\r\nTITLE\tx\r\nEND\r\n"),
        (LineStart(20), b"TITLE\tx\r\nEND\r\n"),
        (StatusOffset(0), b"TITLE\tx\r\nEND\r\n"),
        (StatusOffset(7), b"\r\nEND\r\n"),
    ],
    ids=str,
)
async def test_disconnect_ends_the_stream_at_its_position(position: Position, rest: bytes) -> None:
    assert await send_through(Disconnect(DisconnectKind.CLOSE), position) == SENT.removesuffix(rest)
    assert await send_through(Disconnect(DisconnectKind.HALF_CLOSE), position) == SENT.removesuffix(
        rest
    )


async def test_reset_fails_the_next_read() -> None:
    with pytest.raises(ConnectionResetError):
        await send_through(Disconnect(DisconnectKind.RESET), ByteOffset(0))


async def test_corruption_replaces_bytes() -> None:
    assert await send_through(Corrupt(3, b"??"), LineStart(0)) == SENT.replace(b"SUC", b"??")


async def test_duplicate_repeats_lines() -> None:
    twice = b"TITLE\tx\r\nEND\r\n"
    assert await send_through(Duplicate(2), StatusOffset(0)) == SENT + twice
    assert await send_through(Duplicate(1), StatusOffset(5)) == SENT.replace(
        b"\tx\r\n", b"\tx\r\n\tx\r\n"
    )


async def test_flood_is_sent_between_lines() -> None:
    received = await send_through(Flood(3, b">LOG:x"), LineStart(0))
    assert received == SENT.replace(b"SUC", b">LOG:x\r\n" * 3 + b"SUC")


@pytest.mark.parametrize("direction", Direction)
async def test_stall_holds_all_bytes_until_release(direction: Direction) -> None:
    async with proxied_session(Injection(Stall(), direction, ByteOffset(2))) as (
        proxy,
        reader,
        daemon,
    ):
        daemon.send_bytes(SENT)
        await proxy.wait_injected()
        proxy.release()
        assert await daemon.read_line() == b"pid"
        daemon.close()
        assert await read_all(reader) == SENT


async def test_injections_are_applied_in_order() -> None:
    corruptions = [
        Injection(Corrupt(1, letter), Direction.REPLIES, LineStart(1)) for letter in (b"a", b"b")
    ]
    async with proxied_session(*corruptions) as (_, reader, daemon):
        daemon.send_bytes(SENT)
        daemon.close()
        assert await read_all(reader) == SENT.replace(b"S", b"a", 1).replace(b"T", b"b", 1)


async def test_injection_beyond_the_end_of_a_session_stays_armed() -> None:
    injection = Injection(
        Disconnect(DisconnectKind.CLOSE), Direction.REPLIES, ByteOffset(len(SENT) + 4)
    )
    async with proxied_session(injection) as (proxy, reader, daemon):
        daemon.send_bytes(SENT)
        daemon.close()
        assert await read_all(reader) == SENT
        assert not proxy.injected


async def test_proxy_refuses_until_it_listens_again_on_its_port() -> None:
    async with proxied_session() as (proxy, _, _):
        before = proxy.endpoint
        proxy.stop_listening()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(before.host, before.port)
        await proxy.listen()
        assert proxy.endpoint == before
        _, writer = await asyncio.open_connection(before.host, before.port)
        writer.close()
