"""The results of the probes of ports: the last ones, and how many of each outcome there were.

A probe may leave traces in the daemon that it probes: a client in a handshake, lines of the log.
They are recognised by the probe's own address and port.
"""

import re
from collections import Counter
from collections.abc import Collection, Generator, Mapping

import msgspec

from exporter.management.batches import row_batches
from exporter.management.status import ClientRow, ServerStatus
from exporter.management.values import parse_real_address
from exporter.port_probe.outcome import ProbeOutcome, ProbeResult, SkipReason
from exporter.port_probe.target import ProbeTarget
from exporter.state.revision import mutates

MAX_OWN_ADDRESSES = 1000
"""Most addresses of own probes that are kept: a trace stays for a minute (`hand-window`)."""

UNRESOLVED = ""
"""The IP version of a host whose name has never been resolved."""

_QUOTED_ADDRESS = re.compile(r"\[AF_INET6?\]([0-9a-fA-F.:]+):([0-9]{1,5})\Z")


class PortReport(msgspec.Struct, frozen=True):
    """What happened when a target was due: a result for each IP version, or why there is none.

    The IP versions are `4` and `6`, or `UNRESOLVED`.
    """

    target: ProbeTarget
    results: Mapping[str, ProbeResult] = {}
    skipped: SkipReason | None = None


class PortState(msgspec.Struct):
    """One port at one IP version.

    `last` is None while probes are skipped; `failures` is the number of probes in a row without an
    answer.
    """

    last: ProbeResult | None = None
    failures: int = 0
    outcomes: Counter[ProbeOutcome] = msgspec.field(
        default_factory=lambda: Counter(dict.fromkeys(ProbeOutcome, 0))
    )

    def record(self, result: ProbeResult) -> None:
        """Record the result of one probe."""
        self.last = result
        self.failures = 0 if result.outcome is ProbeOutcome.ANSWERED else self.failures + 1
        self.outcomes[result.outcome] += 1

    def forget(self) -> None:
        """Record that the port is not probed now; the counters stay."""
        self.last = None
        self.failures = 0


class PortProbes:
    """The ports of one daemon that are probed, or of one entry without a daemon."""

    def __init__(self) -> None:
        self.revision = 0
        self.ports: dict[tuple[ProbeTarget, str], PortState] = {}
        self.skipped: dict[ProbeTarget, SkipReason | None] = {}
        self.sent_at: dict[ProbeTarget, float] = {}
        """The event loop's time of the last probe of each target, over reloads."""
        self._own_addresses: dict[tuple[str, int], None] = {}
        self._own_hosts: Counter[str] = Counter()
        """How many of these addresses have each host."""

    @mutates
    def reconfigure(self, targets: Collection[ProbeTarget]) -> None:
        """Drop what is known of other targets than these."""
        self.ports = {port: state for port, state in self.ports.items() if port[0] in targets}
        self.skipped = {key: reason for key, reason in self.skipped.items() if key in targets}

    @mutates
    def record(self, report: PortReport) -> None:
        """Record what happened when a target was due."""
        target, results = report.target, report.results
        self.skipped[target] = report.skipped
        known = {version for port, version in self.ports if port == target}
        if report.skipped is not None:
            for version in known:  # old results say nothing of now
                self.ports[target, version].forget()
            return
        if UNRESOLVED in results:
            results = dict.fromkeys(known or {UNRESOLVED}, results[UNRESOLVED])
        for version in known - results.keys():
            del self.ports[target, version]
        for version, result in results.items():
            self.ports.setdefault((target, version), PortState()).record(result)

    def add_own_address(self, host: str, port: int) -> None:
        """Record the address of a probe that is about to be sent."""
        self._forget_own_address((host, port))
        self._own_addresses[host, port] = None
        self._own_hosts[host] += 1
        if len(self._own_addresses) > MAX_OWN_ADDRESSES:
            self._forget_own_address(next(iter(self._own_addresses)))

    def _forget_own_address(self, address: tuple[str, int]) -> None:
        if address not in self._own_addresses:
            return
        del self._own_addresses[address]
        host, _ = address
        self._own_hosts[host] -= 1
        if not self._own_hosts[host]:
            del self._own_hosts[host]

    def without_traces(self, status: ServerStatus) -> Generator[None, None, ServerStatus]:
        """Return a status without the rows of own probes among the clients in a handshake.

        It yields after each batch of rows.
        """
        if not self._own_addresses or not status.pending:
            return status
        pending: list[ClientRow] = []
        for batch in row_batches(status.pending):
            pending += [row for row in batch if not self._is_own(row.real_address)]
            yield
        return msgspec.structs.replace(status, pending=tuple(pending))

    def is_trace(self, client: str, line: str) -> bool:
        """Return whether a line of the log, about this client if any, is about an own probe."""
        if not self._own_addresses:
            return False
        if client:
            return self._is_own(client)
        quoted = _QUOTED_ADDRESS.search(line)
        return quoted is not None and (quoted[1], int(quoted[2])) in self._own_addresses

    def _is_own(self, real_address: str) -> bool:
        address = parse_real_address(real_address)
        if address.port is None:  # IPv6 up to 2.6: the host alone
            return address.host in self._own_hosts
        return (address.host, address.port) in self._own_addresses


class ProbedPort:
    """A port that is probed without a daemon that is monitored; `name` is the label `daemon`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.port_probes = PortProbes()
