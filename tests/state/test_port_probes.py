"""The results of probes, and the traces that the exporter's own probes leave."""

import msgspec
import pytest

from exporter.management.batches import run_batches
from exporter.management.notifications import LogLine
from exporter.management.status import ClientRow, ServerStatus
from exporter.port_probe.outcome import ProbeOutcome, ProbeResult, SkipReason
from exporter.port_probe.target import parse_target
from exporter.state.port_probes import MAX_OWN_ADDRESSES, PortProbes, PortReport, PortState
from tests.metrics.daemons import new_daemon, poll, server_status, start_session

TARGET = parse_target("vpn.example.org:1194/udp")
OTHER = parse_target("192.0.2.9:443/tcp")
ANSWERED = ProbeResult(ProbeOutcome.ANSWERED, 0.25)
SILENT = ProbeResult(ProbeOutcome.NO_ANSWER, 3.0)
UNRESOLVED = ProbeResult(ProbeOutcome.NAME_NOT_RESOLVED, 3.0)


def report(**results: ProbeResult) -> PortReport:
    """Return a report about TARGET; `v4=…`, `v6=…` or `unresolved=…`."""
    versions = {"v4": "4", "v6": "6", "unresolved": ""}
    return PortReport(TARGET, {versions[key]: result for key, result in results.items()})


@pytest.fixture
def probes() -> PortProbes:
    return PortProbes()


def states(probes: PortProbes) -> dict[str, PortState]:
    return {version: state for (target, version), state in probes.ports.items() if target == TARGET}


def test_failures_count_in_a_row_and_outcomes_for_ever(probes: PortProbes) -> None:
    for result in (SILENT, SILENT, ANSWERED, SILENT):
        probes.record(report(v4=result))
    (state,) = states(probes).values()
    assert (state.last, state.failures) == (SILENT, 1)
    assert state.outcomes[ProbeOutcome.NO_ANSWER] == 3
    assert state.outcomes[ProbeOutcome.ANSWERED] == 1
    assert state.outcomes.keys() == set(ProbeOutcome)


def test_every_change_advances_the_revision(probes: PortProbes) -> None:
    probes.record(report(v4=ANSWERED))
    probes.record(PortReport(TARGET, skipped=SkipReason.MAX_CLIENTS))
    probes.reconfigure([])
    assert probes.revision == 3


def test_ip_versions_are_those_of_the_last_lookup(probes: PortProbes) -> None:
    probes.record(report(v4=ANSWERED, v6=SILENT))
    assert states(probes).keys() == {"4", "6"}
    probes.record(report(v4=ANSWERED))
    assert states(probes).keys() == {"4"}


def test_a_name_that_is_no_longer_resolved_fails_for_each_ip_version(probes: PortProbes) -> None:
    probes.record(report(v4=ANSWERED, v6=ANSWERED))
    probes.record(report(unresolved=UNRESOLVED))
    assert {version: state.last for version, state in states(probes).items()} == {
        "4": UNRESOLVED,
        "6": UNRESOLVED,
    }


def test_a_name_that_was_never_resolved_has_no_ip_version(probes: PortProbes) -> None:
    probes.record(report(unresolved=UNRESOLVED))
    probes.record(report(unresolved=UNRESOLVED))
    assert [(version, state.failures) for version, state in states(probes).items()] == [("", 2)]
    probes.record(report(v6=ANSWERED))
    assert states(probes).keys() == {"6"}


def test_a_probe_that_is_skipped_ends_the_row_of_failures(probes: PortProbes) -> None:
    probes.record(report(v4=SILENT))
    probes.record(PortReport(TARGET, skipped=SkipReason.VERSION_UNKNOWN))
    (state,) = states(probes).values()
    assert (state.last, state.failures, state.outcomes[ProbeOutcome.NO_ANSWER]) == (None, 0, 1)
    assert probes.skipped == {TARGET: SkipReason.VERSION_UNKNOWN}
    probes.record(report(v4=SILENT))
    assert probes.skipped == {TARGET: None}
    assert state.failures == 1


def test_other_targets_are_dropped_when_the_configuration_changes(probes: PortProbes) -> None:
    probes.record(report(v4=SILENT))
    probes.record(PortReport(OTHER, {"4": ANSWERED}))
    probes.reconfigure([OTHER])
    assert {target for target, _ in probes.ports} == probes.skipped.keys() == {OTHER}


@pytest.mark.parametrize(
    ("own", "row", "is_own"),
    [
        (("192.0.2.1", 40000), "192.0.2.1:40000", True),
        (("192.0.2.1", 40000), "192.0.2.1:40001", False),
        (("192.0.2.1", 40000), "192.0.2.10:40000", False),
        (("192.0.2.1", 40000), "udp4:192.0.2.1:40000", True),
        (("::1", 40000), "tcp6-server:[::1]:40000", True),
        (("::1", 40000), "udp6:[::1]:40001", False),
        (("::1", 40000), "::1", True),  # IPv6 has no port up to 2.6
        (("::1", 40000), "::2", False),
    ],
)
def test_the_row_of_an_own_probe_is_no_pending_client(
    probes: PortProbes,
    own: tuple[str, int],
    row: str,
    is_own: bool,  # noqa: FBT001
) -> None:
    other = pending("198.51.100.7:1194")
    status = msgspec.structs.replace(server_status(), pending=(pending(row), other))
    assert run_batches(probes.without_traces(status)) is status
    probes.add_own_address(*own)
    left = run_batches(probes.without_traces(status))
    assert left.pending == ((other,) if is_own else status.pending)


def pending(address: str) -> ClientRow:
    return ClientRow("", address, "", "", 0, 0, 0)


@pytest.mark.parametrize(
    ("client", "line", "is_trace"),
    [
        ("192.0.2.1:40000", "192.0.2.1:40000 TLS Error: TLS handshake failed", True),
        ("192.0.2.2:40000", "192.0.2.2:40000 TLS Error: TLS handshake failed", False),
        ("", "TLS Error: tls-crypt unwrapping failed from [AF_INET]192.0.2.1:40000", True),
        ("", "TLS Error: tls-crypt unwrapping failed from [AF_INET]192.0.2.1:4000", False),
        ("", "TLS Error: tls-crypt unwrapping failed from [AF_INET6]2001:db8::1:50000", True),
        ("", "TLS Error: x from [AF_INET]192.0.2.1:40000 (si=3 op=P_CONTROL_V1)", False),
        ("", "TLS Error: TLS handshake failed", False),
        ("192.0.2.2:1", "192.0.2.2:1 TLS Error: x from [AF_INET]192.0.2.1:40000", False),
    ],
)
def test_a_line_about_an_own_probe_is_a_trace(
    probes: PortProbes,
    client: str,
    line: str,
    is_trace: bool,  # noqa: FBT001
) -> None:
    assert not probes.is_trace(client, line)
    probes.add_own_address("192.0.2.1", 40000)
    probes.add_own_address("2001:db8::1", 50000)
    assert probes.is_trace(client, line) is is_trace


def test_the_last_own_addresses_are_kept(probes: PortProbes) -> None:
    for port in range(1, MAX_OWN_ADDRESSES + 1):
        probes.add_own_address("192.0.2.1", port)
    probes.add_own_address("192.0.2.1", 1)  # used again: it is the newest now
    probes.add_own_address("192.0.2.1", MAX_OWN_ADDRESSES + 1)
    assert probes.is_trace("192.0.2.1:1", "")
    assert not probes.is_trace("192.0.2.1:2", "")


def test_traces_count_neither_as_pending_clients_nor_as_events() -> None:
    daemon = new_daemon()
    start_session(daemon)
    for _ in daemon.on_log_history([]):
        pass
    daemon.port_probes.add_own_address("192.0.2.1", 40000)
    rows = (pending("192.0.2.1:40000"), pending("192.0.2.1:40001"))
    poll(daemon, msgspec.structs.replace(server_status(), pending=rows))
    for port in (40000, 40001):
        text = f"192.0.2.1:{port} TLS Error: TLS handshake failed"
        daemon.events.add("LOG", LogLine(1, "N", text))
    assert isinstance(daemon.status, ServerStatus)
    assert daemon.status.pending == rows[1:]
    assert daemon.events.log_events["tls_handshake_failed"] == 1


def test_a_host_is_own_as_long_as_one_of_its_addresses_is_kept(probes: PortProbes) -> None:
    """A daemon chooses how many rows it sends: each takes as long with a thousand addresses."""

    def is_own(host: str) -> bool:
        return probes.is_trace(host, "")

    probes.add_own_address("2001:db8::1", 1)
    probes.add_own_address("2001:db8::2", 2)
    for _ in range(2):
        probes.add_own_address("2001:db8::1", 3)
    assert is_own("2001:db8::1")
    for port in range(MAX_OWN_ADDRESSES - 1):
        probes.add_own_address("2001:db8::3", port + 1)
    assert is_own("2001:db8::1")
    assert not is_own("2001:db8::2")
    probes.add_own_address("2001:db8::3", MAX_OWN_ADDRESSES)
    assert not is_own("2001:db8::1")
    assert is_own("2001:db8::3")
