"""Whether a probe of a daemon's port could harm it, by what is known of the daemon now."""

import re

from exporter.config.probe_plan import ProbePlan
from exporter.management.status import ServerStatus
from exporter.port_probe.outcome import SkipReason
from exporter.port_probe.target import ProbeProtocol, ProbeTarget
from exporter.state.daemon import DaemonState

_TRACELESS = (2, 6)
"""The first version that answers over UDP without keeping anything."""

_LIMIT_EVENT = "handshake_rate_limited"

_RESERVED_SHARE = 20
"""One of so many clients of `max-clients` that must be free, but one at least besides the probe."""


class ProbeSafety:
    """Decides for each probe of one daemon; it remembers the events that it has seen."""

    def __init__(self, daemon: DaemonState, plan: ProbePlan) -> None:
        self._daemon = daemon
        self._plan = plan
        self._limit_events = self._count_limit_events()

    def skip_reason(self, target: ProbeTarget) -> SkipReason | None:
        """Return why the target may not be probed now, None if it may."""
        if reason := self._version_reason(target):
            return reason
        events, self._limit_events = self._limit_events, self._count_limit_events()
        if not self._plan.fits_limits or events != self._limit_events:
            return SkipReason.CONNECT_FREQ
        return SkipReason.MAX_CLIENTS if self._is_nearly_full() else None

    def _version_reason(self, target: ProbeTarget) -> SkipReason | None:
        if self._plan.allow_traces:
            return None
        version = self._daemon.version
        numbers = re.match(r"(\d+)\.(\d+)", version.version) if version else None
        if numbers is None:
            return SkipReason.VERSION_UNKNOWN
        is_traceless = (int(numbers[1]), int(numbers[2])) >= _TRACELESS
        if target.protocol is ProbeProtocol.UDP and is_traceless:
            return None
        return SkipReason.LEAVES_TRACES

    def _is_nearly_full(self) -> bool:
        limit, status = self._daemon.max_clients, self._daemon.status
        if limit is None or not isinstance(status, ServerStatus):
            return False
        free = limit - len(status.clients) - len(status.pending)
        return free <= max(1, limit // _RESERVED_SHARE)

    def _count_limit_events(self) -> int:
        return self._daemon.events.log_events[_LIMIT_EVENT]
