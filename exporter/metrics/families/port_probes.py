"""The probes of ports: of the daemons, and of servers that are not monitored."""

from collections.abc import Callable

from exporter.metrics.family import CollectPorts, Samples, counter, gauge
from exporter.port_probe.outcome import ProbeOutcome, SkipReason
from exporter.port_probe.target import ProbeTarget
from exporter.state.port_probes import PortProbes, PortState

_LABELS = ("target", "protocol", "ip_version")


def _by_port(value: Callable[[PortState], float | None]) -> CollectPorts:
    """Read a value of each port; None where a port has none."""

    def collect(probes: PortProbes) -> Samples:
        values = {_labels(*port): value(state) for port, state in probes.ports.items()}
        return {labels: found for labels, found in values.items() if found is not None}

    return CollectPorts(collect)


def _labels(target: ProbeTarget, ip_version: str) -> tuple[str, ...]:
    return target.address, target.protocol.value, ip_version


def _success(state: PortState) -> float | None:
    return None if state.last is None else state.last.outcome is ProbeOutcome.ANSWERED


def _duration(state: PortState) -> float | None:
    return state.last.seconds if state.last and _success(state) else None


def _outcomes(probes: PortProbes) -> Samples:
    return {
        (*_labels(*port), outcome.value): count
        for port, state in probes.ports.items()
        for outcome, count in state.outcomes.items()
    }


def _skipped(probes: PortProbes) -> Samples:
    return {
        (*_labels(target, str(target.ip_version or "")), reason.value): int(reason is skipped)
        for target, skipped in probes.skipped.items()
        for reason in SkipReason
    }


FAMILIES = (
    gauge(
        "openvpn_port_probe_success",
        "1 if the port answered the last probe as an OpenVPN server with the right key, else 0; "
        "absent while probes are skipped.",
        _by_port(_success),
        labels=_LABELS,
        while_up=False,
    ),
    gauge(
        "openvpn_port_probe_duration_seconds",
        "Duration of the last probe in seconds, from the packet to the answer, if there was one.",
        _by_port(_duration),
        labels=_LABELS,
        while_up=False,
    ),
    gauge(
        "openvpn_port_probe_consecutive_failures",
        "Probes of the port in a row that were not answered; absent while probes are skipped.",
        _by_port(lambda state: state.failures if state.last else None),
        labels=_LABELS,
        while_up=False,
    ),
    counter(
        "openvpn_port_probes_total",
        "Probes of the port, by outcome.",
        CollectPorts(_outcomes),
        labels=(*_LABELS, "outcome"),
    ),
    gauge(
        "openvpn_port_probe_skipped",
        "1 for the reason why the last probe that was due was skipped, else 0.",
        CollectPorts(_skipped),
        labels=(*_LABELS, "reason"),
        while_up=False,
    ),
)
