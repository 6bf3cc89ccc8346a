"""Failures of clients that the log mentions in several lines, each counted once."""

import msgspec

from exporter.management.log_events.failures import FailureLine
from exporter.state.oldest import drop_oldest

_SECONDS = 60
"""Seconds between two lines about one failure, at most: OpenVPN's own limit of a handshake."""

_KINDS = 20
"""Kinds of lines kept of one client, the oldest of which are dropped: a failure has a few."""

_LIMIT = 1000
"""Clients kept; the one without a line for the longest time is dropped first."""


class FailureLines(msgspec.Struct, eq=False):
    """The last lines about failures, by client."""

    _seen: dict[str, dict[str, int]] = {}

    def is_repeated(self, client: str, line: FailureLine, time: int) -> bool:
        """Record a line at `time`; return whether its failure is counted by an earlier one."""
        before = self._seen.pop(client, {})
        recent = {kind: at for kind, at in before.items() if abs(time - at) <= _SECONDS}
        repeated = not line.causes.isdisjoint(recent)
        # The causes had their consequence: the next such line is another failure.
        kept = {kind: at for kind, at in recent.items() if kind not in line.causes}
        drop_oldest(kept, _KINDS - 1)
        self._seen[client] = {**kept, line.kind: time}
        drop_oldest(self._seen, _LIMIT)
        return repeated

    def forget(self, client: str) -> None:
        """Record that a client has gone: its next failure is another one."""
        self._seen.pop(client, None)
