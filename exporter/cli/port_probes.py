"""The ports of `check --connect --port-probe`: each is probed once."""

import asyncio
from collections.abc import Iterator, Sequence

import msgspec

from exporter.cli.output import table
from exporter.config import Config
from exporter.config.probe_plan import ProbePlan, entry_plan
from exporter.monitor.port_prober import PortProber, Probed, SkipCheck
from exporter.port_probe.outcome import ProbeOutcome
from exporter.state.daemon import DaemonState
from exporter.state.port_probes import PortReport, ProbedPort
from exporter.state.probe_safety import ProbeSafety

_HEADS = ("daemon", "target", "ip version", "port", "duration")


class PortCheck(msgspec.Struct, frozen=True):
    """The ports as a table, "" without any, and whether each was answered or skipped."""

    text: str
    ok: bool


def check_ports(config: Config, daemons: Sequence[DaemonState]) -> PortCheck:
    """Probe the ports of these daemons, which were just polled, and those without a daemon."""
    reports = asyncio.run(_probe_all(config, daemons))
    rows = [row for name, report in reports for row in _rows(name, report)]
    outcomes = {result.outcome for _, report in reports for result in report.results.values()}
    return PortCheck(table(_HEADS, rows) if rows else "", outcomes <= {ProbeOutcome.ANSWERED})


async def _probe_all(
    config: Config, daemons: Sequence[DaemonState]
) -> list[tuple[str, PortReport]]:
    return [
        (probed.name, await prober.probe(target))
        for probed, plan, skip_check in _plans(config, daemons)
        for prober in [PortProber(probed, plan, skip_check=skip_check)]
        for target in plan.targets
    ]


def _plans(
    config: Config, daemons: Sequence[DaemonState]
) -> Iterator[tuple[Probed, ProbePlan, SkipCheck]]:
    for daemon in daemons:
        if (plan := daemon.target.daemon.probe_plan) is not None:
            yield daemon, plan, ProbeSafety(daemon, plan).skip_reason
    for entry in config.port_probes:
        yield ProbedPort(entry.name), entry_plan(entry), lambda _: None


def _rows(name: str, report: PortReport) -> Iterator[Sequence[str]]:
    target = str(report.target)
    if report.skipped is not None:
        yield name, target, "", f"skipped: {report.skipped.value}", ""
    for version, result in report.results.items():
        yield name, target, version, result.outcome.value, f"{result.seconds:.4f}s"
