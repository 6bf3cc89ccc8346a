"""The task that probes the ports of one daemon, or one port without a daemon, again and again."""

import asyncio
import logging
import secrets
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from exporter.config.port_probe import MIN_INTERVAL
from exporter.config.probe_plan import ProbePlan
from exporter.log import Level, event
from exporter.port_probe.outcome import ProbeOutcome, ProbeResult, SkipReason
from exporter.port_probe.packets import SESSION_ID_BYTES, FirstPacket
from exporter.port_probe.target import ProbeTarget
from exporter.port_probe.wrapping import client_wrapping
from exporter.state.port_probes import UNRESOLVED, PortProbes, PortReport
from exporter.transport.connector import ResolvedAddress, Resolver
from exporter.transport.port_probe import PortAddress, probe_port

START_DELAY = 2.0
"""Seconds before the first probe of a daemon: its first poll shows whether it may be probed."""

_VERSIONS = {socket.AF_INET: "4", socket.AF_INET6: "6"}

_log = logging.getLogger(__name__)


class Probed(Protocol):
    """A daemon, or a port without a daemon."""

    name: str
    port_probes: PortProbes


SkipCheck = Callable[[ProbeTarget], SkipReason | None]
"""Returns why a target may not be probed now."""


class PortProber:
    """Probes the targets of a plan, each once in an interval and all of them spread over it."""

    def __init__(
        self,
        probed: Probed,
        plan: ProbePlan,
        *,
        skip_check: SkipCheck = lambda _: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`clock` returns seconds since the epoch, which are in the packets."""
        self._probed = probed
        self._plan = plan
        self._skip_check = skip_check
        self._clock = clock
        self._wrapping = client_wrapping(plan.key, random=secrets.token_bytes, time=int(clock()))
        self._resolvers = {target: Resolver(target.host) for target in plan.targets}
        self._logged: dict[tuple[ProbeTarget, str], ProbeOutcome] = {}

    async def run(self, stagger: float) -> None:
        """Probe until cancelled; `stagger`, 0 to 1, delays the first probes within the interval."""
        loop = asyncio.get_running_loop()
        due = dict(self._first_times(loop.time() + START_DELAY, stagger))
        while True:
            target = min(due, key=lambda each: due[each])
            await asyncio.sleep(due[target] - loop.time())
            started_at = loop.time()
            report = await self.probe(target)
            self._probed.port_probes.record(report)
            self._log_changes(report)
            # What prevented the probe may soon be over, as before the first poll.
            interval = self._plan.interval if report.skipped is None else MIN_INTERVAL
            due[target] = started_at + interval

    def _first_times(self, start: float, stagger: float) -> Iterator[tuple[ProbeTarget, float]]:
        """Yield the loop's time of the first probe of each target, a reload later than the last."""
        targets = self._plan.targets
        for index, target in enumerate(targets):
            offset = (stagger + index / len(targets)) % 1 * self._plan.interval
            last = self._probed.port_probes.sent_at.get(target, -MIN_INTERVAL)
            yield target, max(start + offset, last + MIN_INTERVAL)

    async def probe(self, target: ProbeTarget) -> PortReport:
        """Probe one target now, at each of its IP versions, unless that could harm the daemon."""
        if (reason := self._skip_check(target)) is not None:
            return PortReport(target, skipped=reason)
        loop = asyncio.get_running_loop()
        started_at = self._probed.port_probes.sent_at[target] = loop.time()
        try:
            addresses = await self._addresses(target)
            if not addresses:
                result = ProbeResult(ProbeOutcome.NAME_NOT_RESOLVED, loop.time() - started_at)
                return PortReport(target, {str(target.ip_version or UNRESOLVED): result})
            results = {
                version: await self._probe_address(target, address)
                for version, address in addresses.items()
            }
        except OSError:  # of this process: no descriptor, no thread
            return PortReport(target, skipped=SkipReason.EXPORTER_LIMIT)
        return PortReport(target, results)

    async def _addresses(self, target: ProbeTarget) -> Mapping[str, ResolvedAddress]:
        """Return the first address of each IP version that is meant, none if there is none."""
        try:
            async with asyncio.timeout(self._plan.timeout):
                found = await self._resolvers[target].addresses()
        except (TimeoutError, socket.gaierror):
            return {}
        versions = {_VERSIONS[address.family]: address for address in reversed(found)}
        wanted = {str(target.ip_version)} if target.ip_version else versions.keys()
        return {version: versions[version] for version in sorted(versions) if version in wanted}

    async def _probe_address(self, target: ProbeTarget, address: ResolvedAddress) -> ProbeResult:
        session_id = secrets.token_bytes(SESSION_ID_BYTES)
        return await probe_port(
            PortAddress(address, target.port, target.protocol),
            FirstPacket(self._wrapping, session_id, int(self._clock())),
            max_wait=self._plan.timeout,
            on_bound=self._probed.port_probes.add_own_address,
        )

    def _log_changes(self, report: PortReport) -> None:
        """Log the change of an outcome, not every probe."""
        for version, result in report.results.items():
            port = report.target, version
            before = self._logged.get(port, ProbeOutcome.ANSWERED)
            self._logged[port] = result.outcome
            if result.outcome is before:
                continue
            answered = result.outcome is ProbeOutcome.ANSWERED
            event(
                _log,
                Level.INFO if answered else Level.WARN,
                "port answers" if answered else "port does not answer",
                daemon=self._probed.name,
                target=report.target,
                ip_version=version,
                outcome=result.outcome.value,
            )
