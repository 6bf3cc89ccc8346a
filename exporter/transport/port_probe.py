"""Sends the first packet of a VPN client to a port, and waits for the server's reply.

Over UDP one packet is sent, and none after the reply: an acknowledgement would make the server
keep the client. Over TCP the connection is closed at once after the reply.
"""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable, Iterator

import msgspec

from exporter import descriptors
from exporter.port_probe.outcome import ProbeOutcome, ProbeResult
from exporter.port_probe.packets import LENGTH_BYTES, MAX_REPLY_BYTES, FirstPacket, with_length
from exporter.port_probe.target import ProbeProtocol
from exporter.transport.connector import ResolvedAddress

MAX_REPLIES = 16
"""Most packets that are read in search of an answer; anyone can send to a UDP socket."""

_LOCAL_ERRORS = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EAGAIN, errno.EADDRNOTAVAIL}
)
_OUTCOMES = {
    errno.ECONNREFUSED: ProbeOutcome.REFUSED,
    errno.ECONNRESET: ProbeOutcome.CLOSED,
    errno.EPIPE: ProbeOutcome.CLOSED,
    errno.ETIMEDOUT: ProbeOutcome.NO_ANSWER,
}


class PortAddress(msgspec.Struct, frozen=True):
    """One resolved address of a port."""

    address: ResolvedAddress
    port: int
    protocol: ProbeProtocol


OnBound = Callable[[str, int], None]
"""Gets the own address and port of a probe, before its packet is sent."""


async def probe_port(
    port: PortAddress, packet: FirstPacket, *, max_wait: float, on_bound: OnBound
) -> ProbeResult:
    """Send a packet to a port once, and wait up to `max_wait` seconds for the reply.

    Raises:
        OSError: the limit of open files or another limit of this host is reached.
    """
    loop = asyncio.get_running_loop()
    started_at = loop.time()
    exchange = _Exchange(port, packet, on_bound)
    try:
        async with asyncio.timeout(max_wait):
            outcome = await exchange.run()
    except TimeoutError:
        outcome = exchange.outcome
    except OSError as error:
        if error.errno in _LOCAL_ERRORS:
            raise
        outcome = _OUTCOMES.get(error.errno or 0, ProbeOutcome.UNREACHABLE)
    return ProbeResult(outcome, loop.time() - started_at)


class _Exchange:
    """One packet, and the packets that come back; `outcome` holds if no other one follows."""

    def __init__(self, port: PortAddress, packet: FirstPacket, on_bound: OnBound) -> None:
        self.outcome = ProbeOutcome.NO_ANSWER
        self._port = port
        self._packet = packet
        self._on_bound = on_bound

    async def run(self) -> ProbeOutcome:
        """Send the packet, and return the outcome of the reply."""
        descriptors.check_available()
        is_udp = self._port.protocol is ProbeProtocol.UDP
        with _socket(self._port, socket.SOCK_DGRAM if is_udp else socket.SOCK_STREAM) as connection:
            destination = (self._port.address.host, self._port.port)
            await asyncio.get_running_loop().sock_connect(connection, destination)
            host, number, *_ = connection.getsockname()
            self._on_bound(host, number)
            return await (self._run_udp(connection) if is_udp else self._run_tcp(connection))

    async def _run_udp(self, connection: socket.socket) -> ProbeOutcome:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(connection, self._packet.content)
        for _ in range(MAX_REPLIES):
            self.outcome = self._packet.check_reply(
                await loop.sock_recv(connection, MAX_REPLY_BYTES + 1)
            )
            if self.outcome is not ProbeOutcome.INVALID_ANSWER:
                break
        return self.outcome

    async def _run_tcp(self, connection: socket.socket) -> ProbeOutcome:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(connection, with_length(self._packet.content))
        try:
            length = int.from_bytes(await _read_exactly(connection, LENGTH_BYTES), "big")
            if length > MAX_REPLY_BYTES:
                return ProbeOutcome.INVALID_ANSWER
            self.outcome = ProbeOutcome.INVALID_ANSWER  # until all of it is there
            return self._packet.check_reply(await _read_exactly(connection, length))
        except EOFError:
            return ProbeOutcome.CLOSED


async def _read_exactly(connection: socket.socket, size: int) -> bytes:
    loop = asyncio.get_running_loop()
    content = b""
    while len(content) < size:
        received = await loop.sock_recv(connection, size - len(content))
        if not received:
            raise EOFError
        content += received
    return content


@contextlib.contextmanager
def _socket(port: PortAddress, kind: socket.SocketKind) -> Iterator[socket.socket]:
    with socket.socket(port.address.family, kind) as connection:
        connection.setblocking(False)  # noqa: FBT003 -- the library's own signature
        yield connection
