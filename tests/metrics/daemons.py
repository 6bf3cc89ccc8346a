"""States of daemons for tests, made by the calls that a monitor makes."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from exporter.certificates.issued import IssuedCertificate, IssuedCertificates
from exporter.certificates.pki import PkiSource, PkiState
from exporter.certificates.source import (
    Certificate,
    CertificateDirective,
    CertificateFileState,
    CertificateSource,
    FileProblem,
    RevocationList,
)
from exporter.config.pki import PkiConfig
from exporter.config.schema import ClientsConfig, DaemonConfig
from exporter.config.share import ShareConfig
from exporter.config.target import Target
from exporter.management.batches import run_batches
from exporter.management.endpoint import UnixEndpoint, parse_endpoint
from exporter.management.errors import ConnectionRefused
from exporter.management.replies import DaemonInfo, LoadStats, Poll, Version
from exporter.management.state import State, StateName
from exporter.management.status import ClientRow, RouteRow, ServerStatus, Status, TunnelStatus
from exporter.port_probe.outcome import ProbeOutcome, ProbeResult
from exporter.port_probe.target import parse_target
from exporter.state.daemon import DaemonState
from exporter.state.port_probes import PortReport

NOON = 1_795_435_200
"""2026-11-23 12:00:00 UTC."""

PID = 1873

OFFICE_CLIENT = ClientRow(
    common_name="alice",
    real_address="192.0.2.7:51234",
    virtual_address="10.8.0.6",
    virtual_ipv6_address="fd00::6",
    received_bytes=5000,
    sent_bytes=7000,
    connected_since=NOON - 3600,
    username="alice@office",
    client_id=4,
    cipher="AES-256-GCM",
)

CERTIFICATES = (
    CertificateFileState(
        CertificateSource(CertificateDirective.CERT, Path("/etc/openvpn/office.crt")),
        (Certificate("office", "2a", not_before=NOON - 86_400, not_after=NOON),),
    ),
    CertificateFileState(
        CertificateSource(CertificateDirective.CA, Path("/etc/openvpn/office.conf"), inline=True),
        problem=FileProblem.INVALID,
    ),
    CertificateFileState(
        CertificateSource(CertificateDirective.CRL, Path("/etc/openvpn/crl.pem")),
        (
            RevocationList("ca", NOON - 60, NOON + 5),
            RevocationList("ca", NOON - 120, NOON),
            RevocationList("old-ca", NOON - 60, None),
        ),
    ),
)

PKI = PkiState(
    PkiSource(Path("/etc/easy-rsa/pki/index.txt")),
    NOON,
    IssuedCertificates(
        [
            IssuedCertificate("alice", 1, NOON + 20 * 86_400, revoked=True),
            IssuedCertificate("bob", 2, NOON + 20 * 86_400, revoked=False),
            IssuedCertificate("carol", 3, NOON + 80 * 86_400, revoked=False),
            IssuedCertificate("dave", 4, NOON - 20 * 86_400, revoked=False),
            IssuedCertificate("erin", 5, NOON - 40 * 86_400, revoked=False),
        ]
    ),
)

PORT_REPORT = PortReport(
    parse_target("192.0.2.9:1194/udp"), {"4": ProbeResult(ProbeOutcome.ANSWERED, 0.004)}
)

TUNNEL = TunnelStatus(
    updated=NOON,
    tun_tap_read=1,
    tun_tap_write=2,
    tcp_udp_read=3,
    tcp_udp_write=4,
    auth_read=5,
    pre_compress=6,
    post_compress=7,
    pre_decompress=8,
    post_decompress=9,
)


def server_status(
    clients: Sequence[ClientRow] = (), routes: Sequence[RouteRow] = ()
) -> ServerStatus:
    return ServerStatus(
        updated=NOON,
        clients=tuple(clients),
        pending=(),
        route_count=len(routes),
        routes=tuple(routes),
        max_queue_length=2,
        dco_enabled=False,
    )


def office_daemon(name: str = "office", *, expected: Sequence[str] = ()) -> DaemonConfig:
    return DaemonConfig(
        name=name,
        management=parse_endpoint("127.0.0.1:7505"),
        expected_clients=tuple(expected),
        max_clients=200,
        address_pool_size=250,
    )


def new_daemon(name: str = "office", *, expected: Sequence[str] = ()) -> DaemonState:
    """Return the state of a daemon before its first session, whose values all count."""
    pki = PkiConfig(index=PKI.source.path, series=True)
    target = Target(office_daemon(name, expected=expected), ClientsConfig(routes=True), pki=pki)
    return DaemonState(target, absolute=True)


def start_session(daemon: DaemonState, *, version: str = "2.6.14") -> None:
    connected = State(time=NOON - 7200, name=StateName.CONNECTED, description="SUCCESS")
    reported = Version(version=version, platform="x86_64-pc-linux-gnu", management_version="5")
    daemon.on_connect()
    daemon.on_pid(PID)
    daemon.on_info(DaemonInfo(version=reported, pid=PID, verbosity=3))
    daemon.on_state_history([connected])


def poll(daemon: DaemonState, status: Status | None, *, now: float = NOON) -> None:
    stats = LoadStats(clients=1, received_bytes=9000, sent_bytes=8000)
    run_batches(daemon.on_poll(Poll(stats, status), now=now, duration=0.025))


def server(
    name: str = "office",
    clients: Sequence[ClientRow] = (OFFICE_CLIENT,),
    *,
    expected: Sequence[str] = ("alice", "bob"),
) -> DaemonState:
    """Return the state of a server after one poll."""
    daemon = new_daemon(name, expected=expected)
    routes = [
        RouteRow(
            virtual_address=client.virtual_address,
            common_name=client.common_name,
            real_address=client.real_address,
            last_reference=NOON - 60,
        )
        for client in clients
    ]
    start_session(daemon)
    daemon.set_certificates(CERTIFICATES)
    daemon.set_pki(PKI)
    poll(daemon, server_status(clients, routes))
    daemon.port_probes.record(PORT_REPORT)
    daemon.clients.idle.count = 0  # known after an hour
    return daemon


def tunnel(name: str = "uplink") -> DaemonState:
    """Return the state of a daemon in client mode after one poll."""
    daemon = new_daemon(name)
    start_session(daemon)
    poll(daemon, TUNNEL)
    return daemon


def shared(name: str = "shared") -> DaemonState:
    """Return the state of a daemon with a shared management interface, whose client has left."""
    share = ShareConfig(listen=(UnixEndpoint("/run/openvpn-exporter/office.sock"),))
    daemon = DaemonState(Target(msgspec.structs.replace(office_daemon(name), share=share)))
    start_session(daemon)
    poll(daemon, server_status([OFFICE_CLIENT]))
    poll(daemon, server_status(), now=NOON + 15)
    return daemon


def take_down(daemon: DaemonState) -> None:
    daemon.on_down(ConnectionRefused("127.0.0.1:7505: Connection refused"))
