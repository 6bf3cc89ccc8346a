"""First packets to real servers on all kinds of ports: what they answer, and what stays."""

import asyncio
import secrets
import socket
import time

import pytest

from exporter.port_probe.outcome import ProbeOutcome, ProbeResult
from exporter.port_probe.packets import SESSION_ID_BYTES, FirstPacket
from exporter.port_probe.target import ProbeProtocol
from exporter.port_probe.wrapping import PlainWrapping, Wrapping
from exporter.transport.connector import ResolvedAddress
from exporter.transport.port_probe import PortAddress, probe_port
from tests.real.client import client
from tests.real.daemon import DEADLINE, running
from tests.real.lab import Lab
from tests.real.management import LOOPBACK
from tests.real.raw_session import request
from tests.real.server import Server, server
from tests.real.tls_keys import MODES, tls_keys

HOSTS = {"4": "127.0.0.1", "6": "::1"}
FAMILIES = {"4": socket.AF_INET, "6": socket.AF_INET6}
PORTS = ("udp4", "udp6", "tcp4", "tcp6")
TIMEOUT = 10.0
TIME_LENGTH = len("2026-11-25 19:14:18 ")
V2_LINE = "Control Channel: using tls-crypt-v2 key"


async def probe(
    port: int,
    protocol: str,
    wrapping: Wrapping,
    *,
    host: str = "",
    max_wait: float = TIMEOUT,
) -> ProbeResult:
    """Probe a port, by default on loopback; ``protocol`` is one of ``PORTS``."""
    version = protocol[-1]
    address = ResolvedAddress(FAMILIES[version], host or HOSTS[version])
    packet = FirstPacket(wrapping, secrets.token_bytes(SESSION_ID_BYTES), int(time.time()))
    return await probe_port(
        PortAddress(address, port, ProbeProtocol(protocol[:-1])),
        packet,
        max_wait=max_wait,
        on_bound=lambda _host, _port: None,
    )


def listening(protocol: str) -> tuple[str, ...]:
    """Return the options of a server that listens there."""
    return ("--proto", protocol, "--local", HOSTS[protocol[-1]])


@pytest.mark.parametrize("protocol", PORTS)
@pytest.mark.parametrize("mode", MODES)
async def test_a_server_answers_in_every_mode(lab: Lab, mode: str, protocol: str) -> None:
    keys = await tls_keys(lab, mode)
    async with server(lab, *keys.server, *listening(protocol)) as office:
        result = await probe(office.port, protocol, keys.wrapping)
    assert result.outcome is ProbeOutcome.ANSWERED
    assert 0 < result.seconds < TIMEOUT


@pytest.mark.parametrize("mode", MODES[:-1])
async def test_the_first_packet_is_that_of_a_real_client(lab: Lab, mode: str) -> None:
    keys = await tls_keys(lab, mode)
    certificate = lab.authority.issue("alice", trusts=lab.authority)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server_socket:
        server_socket.bind((LOOPBACK, 0))
        server_socket.setblocking(False)  # noqa: FBT003
        port = server_socket.getsockname()[1]
        options = (
            *("--client", "--dev", "null", "--proto", "udp4", "--nobind", "--verb", "3"),
            *("--remote", LOOPBACK, str(port), *certificate.options(), *keys.client),
        )
        ready = f"link remote: [AF_INET]{LOOPBACK}:{port}"
        async with running("client", options, directory=lab.directory, ready=ready):
            async with asyncio.timeout(DEADLINE):
                packet = await asyncio.get_running_loop().sock_recv(server_socket, 2048)
    session_id = packet[1:9]
    assert FirstPacket(keys.wrapping, session_id, _time(packet, mode)).content == packet


def _time(packet: bytes, mode: str) -> int:
    """Return the time in a client's packet, 0 if it has none."""
    digests = {"plain": None, "tls-crypt": 0, "tls-crypt-v2": 0, "tls-auth-sha256": 32}
    size = digests.get(mode, 20)
    start = 9 + 4 + (size or 0)
    return 0 if size is None else int.from_bytes(packet[start : start + 4], "big")


async def new_lines(office: Server, mark: int) -> list[str]:
    """Return the lines of the log since then, without those about management clients.

    A command is answered after everything that came before it.
    """
    await request(office.management.address, "pid")
    await office.daemon.wait_for_log("MANAGEMENT: CMD 'pid'", since=mark)
    lines = office.daemon.log.split("\n")[mark:]
    return [line[TIME_LENGTH:] for line in lines if "MANAGEMENT: " not in line]


def without_prefix(line: str) -> str:
    return line.removeprefix("Connection Attempt ")


async def client_rows(office: Server) -> list[str]:
    """Return the rows of all clients, those in a handshake included."""
    (status,) = await request(office.management.address, "status 3")
    return [line for line in status.split("\n") if line.startswith("CLIENT_LIST\t")]


@pytest.mark.parametrize("protocol", ["udp4", "udp6"])
@pytest.mark.parametrize("mode", MODES)
async def test_nothing_stays_of_a_probe_over_udp(lab: Lab, mode: str, protocol: str) -> None:
    keys = await tls_keys(lab, mode)
    # One client would fill the server, and a second handshake would be over the limit.
    limits = ("--max-clients", "1", "--connect-freq", "1", "3600")
    async with server(lab, *keys.server, *limits, *listening(protocol)) as office:
        mark = office.daemon.mark()
        results = [await probe(office.port, protocol, keys.wrapping) for _ in range(5)]
        rows = await client_rows(office)
        lines = await new_lines(office, mark)
        host = HOSTS[protocol[-1]]
        remote = ("--proto", protocol, "--remote", host, str(office.port))
        async with client(office, "alice", *keys.client, *remote):
            rows_of_a_client = await client_rows(office)
    assert [result.outcome for result in results] == [ProbeOutcome.ANSWERED] * 5
    assert rows == []
    assert set(map(without_prefix, lines)) == ({V2_LINE} if "v2" in mode else set())
    assert len(rows_of_a_client) == 1


@pytest.mark.parametrize("protocol", ["tcp4", "tcp6"])
async def test_a_probe_over_tcp_leaves_four_lines_and_no_row(lab: Lab, protocol: str) -> None:
    async with server(lab, *listening(protocol)) as office:
        mark = office.daemon.mark()
        result = await probe(office.port, protocol, PlainWrapping())
        await office.daemon.wait_for_log("client-instance restarting", since=mark)
        rows = await client_rows(office)
        lines = [
            line
            for line in await new_lines(office, mark)
            if not line.startswith("Socket flags: TCP_NODELAY")  # 2.7
        ]
    assert result.outcome is ProbeOutcome.ANSWERED
    assert rows == []
    starts = (
        *("TCP connection established with", "TLS: Initial packet from"),
        *("Connection reset, restarting [0]", "SIGUSR1[soft,connection-reset] received"),
    )
    assert len(lines) == len(starts)
    assert all(start in line for start, line in zip(starts, lines, strict=True))


@pytest.mark.parametrize("protocol", ["udp4", "tcp6"])
@pytest.mark.parametrize("mode", MODES[1:])
async def test_another_key_gets_no_answer_over_udp_and_the_end_over_tcp(
    lab: Lab, mode: str, protocol: str
) -> None:
    keys, others = await tls_keys(lab, mode), await tls_keys(lab, mode)
    async with server(lab, *keys.server, *listening(protocol)) as office:
        result = await probe(office.port, protocol, others.wrapping, max_wait=0.2)
        await office.daemon.wait_for_log("TLS Error")
    assert result.outcome is (
        ProbeOutcome.CLOSED if protocol[:3] == "tcp" else ProbeOutcome.NO_ANSWER
    )


@pytest.mark.parametrize("protocol", PORTS)
@pytest.mark.parametrize("mode", ["tls-auth", "tls-auth-sha256", "tls-crypt"])
async def test_a_server_without_a_key_is_recognised(lab: Lab, mode: str, protocol: str) -> None:
    keys = await tls_keys(lab, mode)
    async with server(lab, *listening(protocol)) as office:
        result = await probe(office.port, protocol, keys.wrapping)
    # Over TCP the server closes the connection after a packet that it can't parse.
    outcomes = {ProbeOutcome.ANSWERED_WITHOUT_KEY}
    assert result.outcome in (
        outcomes | {ProbeOutcome.CLOSED} if protocol[:3] == "tcp" else outcomes
    )


@pytest.mark.parametrize("protocol", PORTS)
async def test_a_stopped_server_refuses(lab: Lab, protocol: str) -> None:
    async with server(lab, *listening(protocol)) as office:
        pass
    result = await probe(office.port, protocol, PlainWrapping())
    assert result.outcome is ProbeOutcome.REFUSED


@pytest.mark.parametrize("protocol", ["udp4", "tcp4"])
async def test_packets_that_are_dropped_get_no_answer(lab: Lab, protocol: str) -> None:
    async with server(lab, "--verb", "3") as office:
        # Nothing comes back from the tunnel's network: the server has no client.
        dropped = str(office.network.network_address + 77)
        result = await probe(office.port, protocol, PlainWrapping(), host=dropped, max_wait=0.3)
    assert result.outcome is ProbeOutcome.NO_ANSWER


@pytest.mark.parametrize("protocol", ["udp4", "tcp4"])
@pytest.mark.parametrize("route", ["blackhole", "unreachable", "prohibit"])
async def test_a_route_that_rejects_packets_is_unreachable(
    lab: Lab, protocol: str, route: str
) -> None:
    network = "198.51.100.0/24"
    await ip("route", "add", route, network)
    try:
        result = await probe(lab.port(), protocol, PlainWrapping(), host="198.51.100.7")
    finally:
        await ip("route", "del", route, network)
    assert result.outcome is ProbeOutcome.UNREACHABLE


async def ip(*arguments: str) -> None:
    """Change the network of the namespace."""
    process = await asyncio.create_subprocess_exec("ip", *arguments)
    assert await process.wait() == 0
