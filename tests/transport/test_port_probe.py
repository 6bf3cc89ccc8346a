"""Probes of ports that answer wrongly, late, endlessly or not at all."""

import asyncio
import contextlib
import errno
import os
import resource
import socket
from collections.abc import AsyncIterator, Callable
from typing import cast

import pytest

from exporter import descriptors
from exporter.port_probe.outcome import ProbeOutcome, ProbeResult
from exporter.port_probe.packets import MAX_REPLY_BYTES, FirstPacket, with_length
from exporter.port_probe.target import ProbeProtocol
from exporter.port_probe.wrapping import PlainWrapping
from exporter.transport import port_probe
from exporter.transport.connector import ResolvedAddress
from exporter.transport.port_probe import MAX_REPLIES, PortAddress, probe_port
from tests.blocking import forbid_blocking
from tests.fake_daemon import TEST_TIMEOUT

__all__ = ["forbid_blocking"]

SESSION = b"session!"
PACKET = FirstPacket(PlainWrapping(), SESSION, time=1)
ANSWER = b"\x40" + bytes(8) + b"\1" + bytes(4) + SESSION + bytes(4)
SHORT = 0.2
"""Seconds: the timeout of probes that get no answer on purpose."""


class UdpServer(asyncio.DatagramProtocol):
    """Sends these packets in reply to each packet."""

    def __init__(self, *replies: bytes) -> None:
        self._replies = replies
        self.received: list[tuple[bytes, tuple[str, int]]] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.received.append((data, addr))
        for reply in self._replies:
            self._transport.sendto(reply, addr)


@contextlib.asynccontextmanager
async def udp_server(*replies: bytes) -> AsyncIterator[tuple[int, UdpServer]]:
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(
        lambda: UdpServer(*replies), local_addr=("127.0.0.1", 0)
    )
    try:
        yield transport.get_extra_info("sockname")[1], server
    finally:
        transport.close()


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]


@contextlib.asynccontextmanager
async def tcp_server(handle: Handler) -> AsyncIterator[int]:
    writers = []

    def on_connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        handle(reader, writer)

    async with await asyncio.start_server(on_connected, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
        for writer in writers:
            writer.close()


def sends(*chunks: bytes) -> Handler:
    """Return a handler that sends these bytes and keeps the connection open."""
    return lambda _, writer: writer.writelines(chunks)


async def probe(
    port: int,
    protocol: ProbeProtocol = ProbeProtocol.UDP,
    *,
    max_wait: float = TEST_TIMEOUT,
    own: list[tuple[str, int]] | None = None,
) -> ProbeResult:
    def on_bound(host: str, number: int) -> None:
        if own is not None:
            own.append((host, number))

    address = PortAddress(ResolvedAddress(socket.AF_INET, "127.0.0.1"), port, protocol)
    return await probe_port(address, PACKET, max_wait=max_wait, on_bound=on_bound)


async def test_one_packet_is_sent_over_udp_and_the_first_answer_counts() -> None:
    own: list[tuple[str, int]] = []
    async with udp_server(b"", b"garbage", ANSWER, ANSWER) as (port, server):
        result = await probe(port, own=own)
        assert server.received == [(PACKET.content, own[0])]
    assert result.outcome is ProbeOutcome.ANSWERED
    assert 0 < result.seconds < TEST_TIMEOUT


async def test_a_port_that_sends_endless_garbage_is_read_up_to_a_limit() -> None:
    async with udp_server(*[b"garbage"] * MAX_REPLIES, ANSWER) as (port, _):
        assert (await probe(port)).outcome is ProbeOutcome.INVALID_ANSWER
    async with udp_server(*[b"garbage"] * (MAX_REPLIES - 1), ANSWER) as (port, _):
        assert (await probe(port)).outcome is ProbeOutcome.ANSWERED


async def test_an_answer_that_is_too_long_is_invalid() -> None:
    async with udp_server(ANSWER.ljust(MAX_REPLY_BYTES + 1)) as (port, _):
        assert (await probe(port, max_wait=SHORT)).outcome is ProbeOutcome.INVALID_ANSWER


async def test_a_silent_port_has_the_whole_timeout() -> None:
    async with udp_server() as (port, _):
        result = await probe(port, max_wait=SHORT)
    assert result.outcome is ProbeOutcome.NO_ANSWER
    assert result.seconds >= SHORT


@pytest.mark.parametrize("protocol", ProbeProtocol)
async def test_a_closed_port_refuses(protocol: ProbeProtocol) -> None:
    kinds = {ProbeProtocol.UDP: socket.SOCK_DGRAM, ProbeProtocol.TCP: socket.SOCK_STREAM}
    with socket.socket(socket.AF_INET, kinds[protocol]) as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    assert (await probe(port, protocol)).outcome is ProbeOutcome.REFUSED


@pytest.mark.parametrize(
    "handle",
    [
        sends(with_length(ANSWER)),
        sends(*(bytes([byte]) for byte in with_length(ANSWER))),
        sends(with_length(ANSWER) + b"more"),
    ],
)
async def test_the_answer_over_tcp_has_a_length(handle: Handler) -> None:
    async with tcp_server(handle) as port:
        assert (await probe(port, ProbeProtocol.TCP)).outcome is ProbeOutcome.ANSWERED


async def test_the_connection_is_closed_after_one_packet_and_the_answer() -> None:
    received: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def read_all(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        packet = await reader.readexactly(len(with_length(PACKET.content)))
        writer.write(with_length(ANSWER))
        received.set_result(packet + await reader.read())

    tasks = []
    async with tcp_server(
        lambda *streams: tasks.append(asyncio.create_task(read_all(*streams)))
    ) as port:
        assert (await probe(port, ProbeProtocol.TCP)).outcome is ProbeOutcome.ANSWERED
        async with asyncio.timeout(TEST_TIMEOUT):
            assert await received == with_length(PACKET.content)


async def test_a_server_that_reads_the_packet_and_closes_the_connection_has_closed_it() -> None:
    async def read_and_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(len(with_length(PACKET.content)))
        writer.close()

    tasks = []

    def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.create_task(read_and_close(reader, writer)))

    async with tcp_server(handle) as port:
        assert (await probe(port, ProbeProtocol.TCP)).outcome is ProbeOutcome.CLOSED


@pytest.mark.parametrize(
    ("handle", "outcome"),
    [
        (lambda _, writer: writer.close(), ProbeOutcome.CLOSED),
        (lambda _, writer: writer.transport.abort(), ProbeOutcome.CLOSED),
        (sends(), ProbeOutcome.NO_ANSWER),
        (sends(b"\0"), ProbeOutcome.NO_ANSWER),
        (sends(with_length(ANSWER)[:-1]), ProbeOutcome.INVALID_ANSWER),
        (sends(b"HTTP/1.1 400 Bad Request\r\n\r\n"), ProbeOutcome.INVALID_ANSWER),
        (sends(b"\0\0"), ProbeOutcome.INVALID_ANSWER),
        (sends(with_length(b"garbage")), ProbeOutcome.INVALID_ANSWER),
    ],
)
async def test_other_replies_over_tcp_are_no_answer(handle: Handler, outcome: ProbeOutcome) -> None:
    async with tcp_server(handle) as port:
        assert (await probe(port, ProbeProtocol.TCP, max_wait=SHORT)).outcome is outcome


@pytest.mark.parametrize(
    ("number", "outcome"),
    [
        (errno.ENETUNREACH, ProbeOutcome.UNREACHABLE),
        (errno.EHOSTUNREACH, ProbeOutcome.UNREACHABLE),
        (errno.EACCES, ProbeOutcome.UNREACHABLE),
        (errno.EPERM, ProbeOutcome.UNREACHABLE),
        (errno.EAFNOSUPPORT, ProbeOutcome.UNREACHABLE),
        (errno.EINVAL, ProbeOutcome.UNREACHABLE),
        (errno.ECONNRESET, ProbeOutcome.CLOSED),
        (errno.EPIPE, ProbeOutcome.CLOSED),
        (errno.ETIMEDOUT, ProbeOutcome.NO_ANSWER),
    ],
)
async def test_an_error_of_the_network_is_an_outcome(
    monkeypatch: pytest.MonkeyPatch, number: int, outcome: ProbeOutcome
) -> None:
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(port_probe, "_socket", fail)
    assert (await probe(1)).outcome is outcome


async def test_the_descriptors_of_the_web_server_are_not_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    monkeypatch.setattr(descriptors, "daemon_limit", lambda: 0)
    with pytest.raises(OSError, match="too many open files"):
        await probe(1)
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (soft, hard)


async def test_no_descriptor_stays_open() -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    async with udp_server() as (port, _):
        await probe(port, max_wait=0.01)
        task = asyncio.create_task(probe(port))
        await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    await asyncio.sleep(0)
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
