"""The clients of a server that are connected but move hardly more than keepalives.

The totals of all sessions are compared a few times in `idle_after`, not at each poll. Time is the
daemon's and the exporter's: a clock that jumps, and a status file that is not written, let none
pass.
"""

import math
from collections.abc import Generator, Iterable

import msgspec

from exporter.config.schema import ClientsConfig
from exporter.management.batches import row_batches
from exporter.state.client_session import ClientSession, TrafficMark

_COMPARISONS = 10
"""Comparisons in `idle_after`, so a client is found idle a tenth of that time late at most."""


class IdleClients(msgspec.Struct, eq=False):
    """Counts the idle clients of one daemon."""

    count: int | None = None
    """The idle clients at the last comparison; None until `idle_after` has passed."""
    _time: float = 0.0
    """Seconds that have passed by both clocks."""
    _compared_at: float = -math.inf
    """That time at the last comparison."""
    _last: tuple[float, float] | None = None

    def update(
        self,
        sessions: Iterable[ClientSession],
        now: float,
        *,
        daemon_now: float,
        config: ClientsConfig,
    ) -> Generator[None, None, None]:
        """Compare the sessions of the last status if it is time, yielding after each batch.

        Args:
            sessions: the current ones.
            now: seconds since the epoch.
            daemon_now: the same, printed in the status.
            config: has `idle_after` and `idle_rate`.
        """
        self._advance(now, daemon_now)
        if self._time < self._compared_at + config.idle_after / _COMPARISONS:
            return
        self._compared_at = self._time
        count = 0
        for batch in row_batches(sessions):
            for session in batch:
                session.traffic_mark = mark = self._compared(session, config)
                count += mark.idle
            yield
        self.count = count if self._time >= config.idle_after else None

    def _advance(self, now: float, daemon_now: float) -> None:
        if self._last is not None:
            if daemon_now == self._last[1]:  # whole seconds: several polls may have the same
                return
            passed = min(now - self._last[0], daemon_now - self._last[1])
            self._time += max(0.0, passed)
        self._last = now, daemon_now

    def _compared(self, session: ClientSession, config: ClientsConfig) -> TrafficMark:
        """Return the mark from which the next bytes of a session count.

        An idle session stays so until it has moved, since its mark, what is too much for an idle
        client in all of `idle_after`.
        """
        moved = session.received_bytes + session.sent_bytes
        mark = session.traffic_mark
        if mark is None or moved < mark.moved:
            return TrafficMark(self._time, moved, idle=False)
        since, new_bytes = self._time - mark.time, moved - mark.moved
        if since >= config.idle_after:
            return TrafficMark(self._time, moved, idle=new_bytes < config.idle_rate * since)
        if new_bytes >= config.idle_rate * config.idle_after:
            return TrafficMark(self._time, moved, idle=False)
        return mark
