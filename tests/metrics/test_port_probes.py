"""The metrics of probes, of daemons and of ports without one."""

from exporter.metrics.catalogue import FAMILIES
from exporter.metrics.exposition import Exposition
from exporter.metrics.self_metrics import SelfMetrics
from exporter.port_probe.outcome import ProbeOutcome, ProbeResult, SkipReason
from exporter.port_probe.target import parse_target
from exporter.state.daemon import DaemonState
from exporter.state.port_probes import PortReport, ProbedPort
from tests.metrics.daemons import new_daemon, take_down

TARGET = parse_target("vpn.example.org:1194/udp")
LABELS = 'target="vpn.example.org:1194",protocol="udp",ip_version="4"'
ANSWERED = ProbeResult(ProbeOutcome.ANSWERED, 0.25)
SILENT = ProbeResult(ProbeOutcome.NO_ANSWER, 3.0)


def lines(
    *daemons: DaemonState, ports: tuple[ProbedPort, ...] = (), include_self: bool = True
) -> list[str]:
    """Return the sample lines about probes that are not 0."""
    exposition = Exposition(FAMILIES, SelfMetrics().registry, lambda: ports)
    page = exposition.page(daemons, include_self=include_self)
    text = b"".join(page.slices()).decode()
    return [
        line
        for line in text.splitlines()
        if line.startswith("openvpn_port_probe") and not line.endswith(" 0")
    ]


def branch(*results: ProbeResult) -> ProbedPort:
    port = ProbedPort("branch")
    for result in results:
        port.port_probes.record(PortReport(TARGET, {"4": result}))
    return port


def test_a_port_that_answers_has_a_duration() -> None:
    assert lines(ports=(branch(ANSWERED),)) == [
        f'openvpn_port_probe_success{{daemon="branch",{LABELS}}} 1',
        f'openvpn_port_probe_duration_seconds{{daemon="branch",{LABELS}}} 0.25',
        f'openvpn_port_probes_total{{daemon="branch",{LABELS},outcome="answered"}} 1',
    ]


def test_a_port_that_does_not_answer_has_none() -> None:
    assert lines(ports=(branch(ANSWERED, SILENT, SILENT),)) == [
        f'openvpn_port_probe_consecutive_failures{{daemon="branch",{LABELS}}} 2',
        f'openvpn_port_probes_total{{daemon="branch",{LABELS},outcome="answered"}} 1',
        f'openvpn_port_probes_total{{daemon="branch",{LABELS},outcome="no_answer"}} 2',
    ]


def test_a_probe_that_is_skipped_leaves_the_counters_and_the_reason() -> None:
    port = branch(SILENT)
    port.port_probes.record(PortReport(TARGET, skipped=SkipReason.MAX_CLIENTS))
    without_version = LABELS.replace(',ip_version="4"', "")
    assert lines(ports=(port,)) == [
        f'openvpn_port_probes_total{{daemon="branch",{LABELS},outcome="no_answer"}} 1',
        f'openvpn_port_probe_skipped{{daemon="branch",{without_version},reason="max_clients"}} 1',
    ]


def test_every_outcome_exists_at_0_from_the_first_probe() -> None:
    exposition = Exposition(FAMILIES, SelfMetrics().registry, lambda: (branch(ANSWERED),))
    text = b"".join(exposition.page(()).slices()).decode()
    for outcome in ProbeOutcome:
        assert f'{LABELS},outcome="{outcome.value}"}}' in text
    for reason in SkipReason:
        assert f'reason="{reason.value}"}} 0' in text


def test_results_of_a_daemon_stay_while_it_is_down() -> None:
    daemon = new_daemon("office")
    daemon.port_probes.record(PortReport(TARGET, {"4": SILENT}))
    take_down(daemon)
    assert f'openvpn_port_probe_consecutive_failures{{daemon="office",{LABELS}}} 1' in lines(daemon)


def test_daemons_and_other_ports_share_the_families() -> None:
    daemon = new_daemon("office")
    daemon.port_probes.record(PortReport(TARGET, {"4": ANSWERED}))
    found = lines(daemon, ports=(branch(ANSWERED),))
    assert [line.split("{")[0] for line in found[:2]] == ["openvpn_port_probe_success"] * 2
    assert len(found) == 6


def test_a_page_of_single_daemons_has_no_other_ports() -> None:
    assert lines(new_daemon(), ports=(branch(ANSWERED),), include_self=False) == []


def test_a_new_result_is_rendered() -> None:
    port = branch(ANSWERED)
    daemon = new_daemon("office")
    exposition = Exposition(FAMILIES, SelfMetrics().registry, lambda: (port,))
    before = b"".join(exposition.page((daemon,)).slices())
    daemon.port_probes.record(PortReport(TARGET, {"4": ANSWERED}))
    port.port_probes.record(PortReport(TARGET, {"4": ANSWERED}))
    after = b"".join(exposition.page((daemon,)).slices())
    answered = f'{LABELS},outcome="answered"}}'
    assert f'{{daemon="branch",{answered} 1' in before.decode()
    assert f'{{daemon="branch",{answered} 2' in after.decode()
    assert f'{{daemon="office",{answered} 1' in after.decode()
