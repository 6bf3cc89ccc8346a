"""What the proxy passes on, and what its faults make of it, without an exporter."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from exporter.management.endpoint import TcpEndpoint
from tests.fake_daemon import TEST_TIMEOUT, FakeSession, connect_fake_daemon, fake_daemon
from tests.faults.faults import (
    Anywhere,
    Cut,
    Delay,
    Duplicate,
    Fault,
    Flood,
    Garble,
    LineStart,
    Manner,
    Place,
    Split,
    Stall,
    Status,
    Strike,
    Way,
)
from tests.faults.proxy import Proxy

SAID = b">INFO:hello\r\nSUCCESS: one\r\nTITLE\tx\r\nEND\r\n"


@contextlib.asynccontextmanager
async def session(
    *strikes: Strike,
) -> AsyncIterator[tuple[Proxy, asyncio.StreamReader, FakeSession]]:
    """Let a client say `pid` through a proxy that is going to strike; give its ear, too."""
    async with fake_daemon() as daemon:
        assert isinstance(daemon.endpoint, TcpEndpoint)
        async with Proxy.before(daemon.endpoint) as proxy:
            proxy.arm(*strikes)
            where = proxy.endpoint
            reader, writer = await asyncio.open_connection(where.host, where.port)
            try:
                writer.write(b"pid\n")
                yield proxy, reader, await daemon.accept()
            finally:
                writer.close()


async def hears(reader: asyncio.StreamReader) -> bytes:
    """Return all that is said until the end."""
    async with asyncio.timeout(TEST_TIMEOUT):
        return await reader.read()


async def passes(fault: Fault, place: Place) -> bytes:
    """Return what becomes of `SAID` on its way to the client."""
    async with session(Strike(fault, Way.ANSWERS, place)) as (proxy, reader, daemon):
        daemon.send_bytes(SAID)
        daemon.close()
        heard = await hears(reader)
        assert [strike.fault for strike in proxy.struck] == [fault]
        return heard


async def test_without_a_strike_everything_passes() -> None:
    async with session() as (_, reader, daemon):
        assert await daemon.read_line() == b"pid"
        daemon.send_bytes(SAID)
        daemon.close()
        assert await hears(reader) == SAID


async def test_the_end_of_the_client_reaches_the_daemon() -> None:
    async with fake_daemon() as daemon:
        assert isinstance(daemon.endpoint, TcpEndpoint)
        async with Proxy.before(daemon.endpoint) as proxy:
            async with connect_fake_daemon(proxy.endpoint.host, proxy.endpoint.port) as client:
                visit = await daemon.accept()
                client.send_bytes(b"pid\n")
            assert await visit.read_line() == b"pid"
            assert await visit.read_line() == b""


@pytest.mark.parametrize("fault", [Delay(0.001), Split(1, 1000), Split(3, 2)], ids=str)
@pytest.mark.parametrize("place", [Anywhere(0), Anywhere(7), LineStart(3), Status(2)], ids=str)
async def test_slowness_changes_nothing(fault: Fault, place: Place) -> None:
    assert await passes(fault, place) == SAID


@pytest.mark.parametrize(
    ("place", "rest"),
    [
        (Anywhere(0), SAID),
        (Anywhere(5), SAID[5:]),
        (LineStart(0), b"SUCCESS: one\r\nTITLE\tx\r\nEND\r\n"),
        (LineStart(20), b"TITLE\tx\r\nEND\r\n"),
        (Status(0), b"TITLE\tx\r\nEND\r\n"),
        (Status(7), b"\r\nEND\r\n"),
    ],
    ids=str,
)
async def test_a_cut_ends_what_is_said_at_its_place(place: Place, rest: bytes) -> None:
    assert await passes(Cut(Manner.CLOSE), place) == SAID.removesuffix(rest)
    assert await passes(Cut(Manner.HALF_CLOSE), place) == SAID.removesuffix(rest)


async def test_a_reset_fails_the_next_read() -> None:
    with pytest.raises(ConnectionResetError):
        await passes(Cut(Manner.RESET), Anywhere(0))


async def test_garbling_puts_other_bytes_in_the_place_of_some() -> None:
    assert await passes(Garble(3, b"??"), LineStart(0)) == SAID.replace(b"SUC", b"??")


async def test_a_duplicate_repeats_lines() -> None:
    twice = b"TITLE\tx\r\nEND\r\n"
    assert await passes(Duplicate(2), Status(0)) == SAID + twice
    assert await passes(Duplicate(1), Status(5)) == SAID.replace(b"\tx\r\n", b"\tx\r\n\tx\r\n")


async def test_a_flood_comes_between_lines() -> None:
    heard = await passes(Flood(3, b">LOG:x"), LineStart(0))
    assert heard == SAID.replace(b"SUC", b">LOG:x\r\n" * 3 + b"SUC")


@pytest.mark.parametrize("way", Way)
async def test_a_stall_keeps_everything_back_until_it_is_released(way: Way) -> None:
    async with session(Strike(Stall(), way, Anywhere(2))) as (proxy, reader, daemon):
        daemon.send_bytes(SAID)
        await proxy.has_struck()
        proxy.releases()
        assert await daemon.read_line() == b"pid"
        daemon.close()
        assert await hears(reader) == SAID


async def test_strikes_come_one_after_the_other() -> None:
    garbled = [Strike(Garble(1, letter), Way.ANSWERS, LineStart(1)) for letter in (b"a", b"b")]
    async with session(*garbled) as (_, reader, daemon):
        daemon.send_bytes(SAID)
        daemon.close()
        assert await hears(reader) == SAID.replace(b"S", b"a", 1).replace(b"T", b"b", 1)


async def test_a_strike_that_a_session_did_not_come_to_waits_for_the_next() -> None:
    strike = Strike(Cut(Manner.CLOSE), Way.ANSWERS, Anywhere(len(SAID) + 4))
    async with session(strike) as (proxy, reader, daemon):
        daemon.send_bytes(SAID)
        daemon.close()
        assert await hears(reader) == SAID
        assert not proxy.struck


async def test_a_proxy_that_is_shut_refuses_and_opens_again_at_its_port() -> None:
    async with session() as (proxy, _, _):
        before = proxy.endpoint
        proxy.closes()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(before.host, before.port)
        await proxy.opens()
        assert proxy.endpoint == before
        _, writer = await asyncio.open_connection(before.host, before.port)
        writer.close()
