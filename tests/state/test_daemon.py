"""The state of a daemon when it is polled, restarts and goes down."""

from pathlib import Path

import msgspec
import pytest

from exporter.certificates.source import (
    CertificateDirective,
    CertificateFileState,
    CertificateSource,
)
from exporter.config.schema import ClientsConfig, DaemonConfig
from exporter.config.target import Target
from exporter.management.batches import MAX_ROWS, WAITING, run_batches
from exporter.management.endpoint import TcpEndpoint
from exporter.management.errors import (
    ConnectionRefused,
    DownReason,
    ReplyError,
    SessionClosed,
    SlotBusy,
)
from exporter.management.notifications import Fatal, Greeting, StateChange
from exporter.management.replies import DaemonInfo, LoadStats, Poll, Version
from exporter.management.state import Mode, State, StateName
from exporter.management.status import ClientRow, ServerStatus, Status, TunnelStatus
from exporter.openvpn_config import Pattern, discover
from exporter.state.daemon import DaemonState
from exporter.state.process import HISTORY_LIMIT
from exporter.state.status_order import StatusFileContent

NOW = 1795406000.0
START = State(1795400000, StateName.CONNECTING, "")
CONNECTED = State(1795400002, StateName.CONNECTED, "SUCCESS", "10.8.0.1")
RECONNECTING = State(1795400500, StateName.RECONNECTING, "ping-restart")


def record() -> DaemonState:
    daemon = DaemonConfig(name="office", management=TcpEndpoint("127.0.0.1", 7505))
    return DaemonState(Target(daemon), absolute=True)


def introduce(
    known: DaemonState, *, pid: int = 4711, history: tuple[State, ...] = (START, CONNECTED)
) -> None:
    """Let a session begin, in the order in which the monitor asks."""
    known.on_connect()
    known.on_notification("INFO", Greeting(5))
    known.on_pid(pid)
    known.on_state_history(history)
    version = Version("2.6.14", "x86_64-pc-linux-gnu", "5")
    known.on_info(DaemonInfo(version=version, pid=pid, verbosity=3))


def server(
    *, received: int = 0, sent: int = 0, dco: bool | None = False, unparsed: int = 0
) -> ServerStatus:
    """Return a status with one client that has moved so many bytes."""
    client = ClientRow(
        common_name="alice",
        real_address="192.0.2.7:51820",
        virtual_address="10.8.0.2",
        virtual_ipv6_address="",
        received_bytes=received,
        sent_bytes=sent,
        connected_since=1795405800,
        client_id=0,
    )
    return ServerStatus(
        updated=1795405983,
        clients=(client,),
        pending=(),
        route_count=0,
        dco_enabled=dco,
        unparsed=unparsed,
    )


def poll(
    status: Status | None, *, received: int = 0, sent: int = 0, fallback: bool = False
) -> Poll:
    return Poll(LoadStats(1, received, sent), status, fallback)


def take(known: DaemonState, *polls: Poll) -> None:
    for one in polls:
        known.on_status_received()
        run_batches(known.on_poll(one, now=NOW, duration=0.01))


def begun(*, pid: int = 4711) -> DaemonState:
    known = record()
    introduce(known, pid=pid)
    return known


def test_a_daemon_is_not_up_before_the_first_poll() -> None:
    known = record()
    assert not known.up
    assert not known.management_up
    assert known.down_reason is None
    assert (known.management_connects, known.polls, known.process.restarts) == (0, 0, 0)


def test_a_poll_makes_it_up() -> None:
    known = begun()
    take(known, poll(server()))
    assert known.up
    assert known.management_up
    assert known.mode is Mode.SERVER
    assert known.poll_durations.last == 0.01


def test_a_daemon_without_a_status_is_up_without_a_mode() -> None:
    known = begun()
    take(known, poll(None))
    assert known.up
    assert known.mode is None


def tunnel(*, read: int = 1) -> TunnelStatus:
    return TunnelStatus(updated=1795405983, tcp_udp_read=read)


def test_a_tunnel_that_starts_under_the_monitor_shows_its_mode() -> None:
    known = record()
    introduce(known, history=(START,))
    take(known, poll(tunnel()))
    modes = [known.mode]
    known.on_state(State(START.time + 1, StateName.ASSIGN_IP, ""))
    assert [*modes, known.mode] == [Mode.CLIENT, Mode.P2P]


def test_the_mode_of_a_discovered_tunnel_is_known_from_the_start(tmp_path: Path) -> None:
    (tmp_path / "uplink.conf").write_text("management 127.0.0.1 7505\ndev tun\nsecret key\n")
    (found,) = discover([Pattern("*.conf")], tmp_path).daemons
    daemon = DaemonConfig(name="uplink", openvpn_config=found.config)
    known = DaemonState(Target(daemon))
    file = StatusFileContent(tunnel(), written_at=NOW - 1, digest=b"")
    run_batches(known.on_status_file(file, now=NOW, duration=0.01))
    assert known.mode is Mode.P2P


@pytest.mark.parametrize(
    ("configured", "version", "size"),
    [(None, "2.6.14", 2), (None, "2.7.8", 13), (None, None, None), (5, "2.6.14", 5)],
)
def test_size_of_a_discovered_pool_depends_on_the_version(
    tmp_path: Path, configured: int | None, version: str | None, size: int | None
) -> None:
    (tmp_path / "office.conf").write_text("server 10.8.0.0 255.255.255.240\n")
    (found,) = discover([Pattern("*.conf")], tmp_path).daemons
    daemon = DaemonConfig(name="office", address_pool_size=configured, openvpn_config=found.config)
    known = DaemonState(Target(daemon))
    if version is not None:
        known.on_info(DaemonInfo(version=Version(version, "", ""), pid=1, verbosity=3))
    assert known.address_pool_size == size


def test_gauges_go_away_with_the_session_and_counters_stay() -> None:
    known = begun()
    take(known, poll(server(received=7), received=70, sent=30))
    known.on_down(SessionClosed("closed"))
    assert not known.up
    assert not known.management_up
    assert known.down_reason is DownReason.CLOSED
    assert (known.info, known.state, known.status, known.mode) == (None,) * 4
    assert (known.traffic.received_bytes, known.traffic.sent_bytes) == (70, 30)
    assert (known.management_connects, known.polls) == (1, 1)


def test_the_down_reason_goes_away_when_the_daemon_is_up() -> None:
    known = begun()
    known.on_down(ConnectionRefused("refused"))
    introduce(known)
    take(known, poll(server()))
    assert known.down_reason is None
    assert known.down_message == ""


def test_failures_are_counted_by_reason() -> None:
    known = record()
    for error in (SlotBusy("busy"), SlotBusy("busy"), ConnectionRefused("refused")):
        known.on_poll_error(error)
    assert known.polls == 3
    assert known.poll_failures == {DownReason.BUSY: 2, DownReason.REFUSED: 1}


def test_another_process_is_a_restart() -> None:
    known = begun(pid=4711)
    introduce(known, pid=4711)
    assert known.process.restarts == 0
    introduce(known, pid=4712)
    assert known.process.restarts == 1


def test_the_first_entry_of_a_history_that_goes_back_to_it_is_the_start() -> None:
    known = begun()
    assert known.process.start_time == START.time


def test_a_full_history_does_not_show_the_start() -> None:
    known = record()
    introduce(known, history=(CONNECTED,) * HISTORY_LIMIT)
    assert known.process.start_time is None


def test_the_start_is_kept_when_the_history_is_full() -> None:
    known = begun()
    known.on_down(SessionClosed("closed"))
    introduce(known, history=(CONNECTED,) * HISTORY_LIMIT)
    assert known.process.start_time == START.time


def test_another_process_has_another_start() -> None:
    known = begun()
    introduce(known, pid=4712, history=(CONNECTED,) * HISTORY_LIMIT)
    assert known.process.start_time is None


def test_the_state_follows_the_messages() -> None:
    known = begun()
    assert known.state == CONNECTED
    known.on_notification("STATE", StateChange(RECONNECTING))
    assert known.state == RECONNECTING


def test_the_fatal_error_is_in_the_down_message() -> None:
    known = begun()
    known.on_notification("FATAL", Fatal("Cannot open TUN/TAP dev"))
    known.on_down(SessionClosed("closed"))
    assert known.down_message == "closed; fatal error: Cannot open TUN/TAP dev"


def test_the_fatal_error_of_one_session_is_not_in_the_next() -> None:
    known = begun()
    known.on_notification("FATAL", Fatal("Cannot open TUN/TAP dev"))
    known.on_down(SessionClosed("closed"))
    known.on_connect()
    known.on_down(SessionClosed("closed"))
    assert known.down_message == "closed"


def test_totals_continue_over_a_restart_of_the_process() -> None:
    known = begun(pid=4711)
    take(known, poll(server(), received=100, sent=10))
    introduce(known, pid=4712)
    take(known, poll(server(), received=150, sent=5))
    assert (known.traffic.received_bytes, known.traffic.sent_bytes) == (250, 15)


def test_totals_are_not_counted_again_after_a_lost_session() -> None:
    known = begun()
    take(known, poll(server(), received=100, sent=10))
    known.on_down(SessionClosed("closed"))
    introduce(known)
    take(known, poll(server(), received=101, sent=11))
    assert (known.traffic.received_bytes, known.traffic.sent_bytes) == (101, 11)


def test_under_dco_totals_are_sums_over_clients() -> None:
    known = begun()
    take(known, poll(server(received=500, sent=50, dco=True), received=3, sent=2))
    take(known, poll(server(received=700, sent=70, dco=True), received=4, sent=3))
    assert (known.traffic.received_bytes, known.traffic.sent_bytes) == (700, 70)


def test_dco_is_kept_over_a_status_that_does_not_show_it() -> None:
    """`status 1` has no row for it, and a daemon that restarts has no status."""
    known = begun()
    take(known, poll(server(received=500, sent=50, dco=True), received=3, sent=2))
    take(known, poll(server(received=700, sent=70, dco=None), received=9, sent=8, fallback=True))
    assert (known.traffic.received_bytes, known.traffic.sent_bytes) == (700, 70)
    take(known, poll(None, received=20, sent=20))
    assert (known.traffic.received_bytes, known.traffic.sent_bytes) == (700, 70)


def test_tunnel_counters_continue_over_reconnects() -> None:
    known = begun()
    take(known, poll(TunnelStatus(updated=1, tcp_udp_read=100)))
    known.on_notification("STATE", StateChange(RECONNECTING))
    take(known, poll(TunnelStatus(updated=2, tcp_udp_read=150)))
    assert known.tunnel.totals == {"tcp_udp_read": 250}


def test_a_reconnect_reported_twice_counts_once() -> None:
    known = begun()
    known.on_notification("STATE", StateChange(RECONNECTING))
    take(known, poll(TunnelStatus(updated=1, tcp_udp_read=100)))
    known.on_state(RECONNECTING)  # asked for, as a check on the messages
    take(known, poll(TunnelStatus(updated=2, tcp_udp_read=150)))
    assert known.tunnel.totals == {"tcp_udp_read": 150}


def test_a_reconnect_is_kept_over_a_status_that_could_not_be_parsed() -> None:
    known = begun()
    take(known, poll(TunnelStatus(updated=1, tcp_udp_read=100)))
    known.on_notification("STATE", StateChange(RECONNECTING))
    known.on_status_received()
    known.on_poll_error(ReplyError("garbled"))
    take(known, poll(TunnelStatus(updated=3, tcp_udp_read=150)))
    assert known.tunnel.totals == {"tcp_udp_read": 250}


def test_a_tunnel_that_becomes_a_server_and_back_counts_both_on() -> None:
    known = begun(pid=1)
    take(known, poll(TunnelStatus(updated=1, tcp_udp_read=100), received=100))
    introduce(known, pid=2)
    take(known, poll(server(received=30, sent=20, dco=True), received=3))
    assert (known.modes.is_tunnel, known.clients.received_bytes) == (False, 30)
    assert known.traffic.received_bytes == 130
    introduce(known, pid=3)
    take(known, poll(TunnelStatus(updated=2, tcp_udp_read=150), received=150))
    assert (known.modes.is_tunnel, known.tunnel.totals) == (True, {"tcp_udp_read": 250})
    assert known.traffic.received_bytes == 280
    introduce(known, pid=4)
    take(known, poll(server(received=40), received=7))
    assert known.clients.totals["alice"].received_bytes == 70
    assert known.traffic.received_bytes == 287


def test_a_tunnel_does_not_keep_the_data_path_of_a_server() -> None:
    """`load-stats` sees the bytes of a daemon that was reloaded as a tunnel without offload."""
    known = begun()
    take(known, poll(server(received=30, dco=True), received=3))
    known.on_notification("STATE", StateChange(RECONNECTING))
    take(known, poll(TunnelStatus(updated=1, tcp_udp_read=9), received=3))
    take(known, poll(TunnelStatus(updated=2, tcp_udp_read=19), received=13))
    assert known.traffic.received_bytes == 40


def test_fallbacks_and_unparsed_lines_are_counted() -> None:
    known = begun()
    take(known, poll(server(unparsed=2), fallback=True), poll(server(unparsed=1)))
    assert known.status_fallbacks == 1
    assert known.unparsed_lines == 3
    take(known, poll(TunnelStatus(updated=1, unparsed=4)))
    assert known.unparsed_lines == 7


def test_every_mutating_method_advances_the_revision() -> None:
    """Text made of a record is kept until the record says that it changed."""
    shown_with_the_next_poll = {"set_pki"}
    feeding = {
        name
        for name, member in vars(DaemonState).items()
        if callable(member) and not name.startswith("_")
    } - shown_with_the_next_poll
    assert feeding
    assert [
        name for name in sorted(feeding) if not hasattr(vars(DaemonState)[name], "__wrapped__")
    ] == []


def test_certificates_removed_from_the_configuration_are_not_shown() -> None:
    certified = DaemonConfig(name="office", cert=Path("/etc/openvpn/office.crt"))
    record = DaemonState(Target(certified))
    record.set_certificates(
        [
            CertificateFileState(
                CertificateSource(CertificateDirective.CERT, Path("/etc/openvpn/office.crt"))
            )
        ]
    )
    record.reconfigure(Target(certified, ClientsConfig()))
    assert record.certificates
    record.reconfigure(Target(DaemonConfig(name="office")))
    assert not record.certificates


def test_a_reconfiguration_advances_the_revision() -> None:
    daemon = DaemonConfig(name="office", management=TcpEndpoint("127.0.0.1", 7505))
    record = DaemonState(Target(daemon))
    before = record.revision
    record.add_unparsed(3)
    assert (record.revision, record.unparsed_lines) == (before + 1, 3)


def test_changes_in_batches_exclude_each_other() -> None:
    known = begun()
    recorded = known.on_poll(poll(server()), now=NOW, duration=0.1)
    next(recorded)
    forgotten = known.forget(NOW)
    assert [next(forgotten), next(forgotten)] == [WAITING, WAITING]
    run_batches(recorded)
    assert next(forgotten, None) is not WAITING


def test_a_poll_of_many_clients_is_recorded_in_batches() -> None:
    """Text is rendered again when all of them are there."""
    known = begun()
    row = ClientRow("x", "192.0.2.7:4", "10.8.0.2", "", 1, 2, 3, client_id=0)
    rows = tuple(
        msgspec.structs.replace(row, common_name=f"client-{number}", client_id=number)
        for number in range(5 * MAX_ROWS)
    )
    before = known.revision, known.client_revision
    steps = 0
    for _ in known.on_poll(
        poll(msgspec.structs.replace(server(), clients=rows)), now=NOW, duration=0.1
    ):
        assert (known.revision, known.client_revision) == before
        steps += 1
    assert steps >= 15
    assert known.revision > before[0]
    assert known.client_revision > before[1]
    assert len(known.clients.totals) == len(rows)


def test_no_attribute_is_in_a_dictionary() -> None:
    """With its many attributes that takes 1 KiB for each daemon."""
    assert not hasattr(record(), "__dict__")
