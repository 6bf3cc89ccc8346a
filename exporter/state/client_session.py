"""One session of a server's client. Times are the daemon's, in seconds since the epoch."""

import operator
from collections.abc import Iterable

import msgspec

from exporter.management.peer import PeerInfo
from exporter.management.status import ClientRow
from exporter.state.client_totals import ClientTotals
from exporter.state.session_keys import SessionKey
from exporter.state.traffic import ByteRate

_without_counters = operator.attrgetter(
    *(name for name in ClientRow.__struct_fields__ if name not in {"received_bytes", "sent_bytes"})
)


class TrafficMark(msgspec.Struct, gc=False):
    """What a session had moved at a time, and whether it was idle until then.

    The time is that of `IdleClients`.
    """

    time: float
    moved: int
    idle: bool


class ClientSession(msgspec.Struct, gc=False, eq=False):
    """One session: its identity, its last row, and its growth in the last status.

    There are ten thousand of these for as long as the process lives. They refer to nothing that
    refers back to them, so the garbage collector need not look at them.
    """

    key: SessionKey
    name: str
    last_row: ClientRow
    """Its last row, but for the counters: the object stays while nothing else has changed."""
    peer_info: PeerInfo
    last_seen: int
    """The time of the last status that showed the session."""
    received_bytes: int = 0
    sent_bytes: int = 0
    received_growth: int = 0
    sent_growth: int = 0
    growth_seconds: int = 0
    """Seconds in which it grew, in the daemon's time; 0 if that is unknown."""
    missing_once: bool = False
    logged: bool = False
    """The log has shown its connect, or can't any more."""
    from_file: bool = False
    """A status file has shown it first."""
    traffic_mark: TrafficMark | None = None
    """The last one that was compared with its traffic, None before the first."""
    totals: ClientTotals | None = None
    """Those of its identity, which count it; None while it is new or over the limit."""

    @property
    def duration(self) -> int:
        """Seconds from its start to the last status that showed it, in the times of that one."""
        return self.last_seen - self.last_row.connected_since

    def start(self, row: ClientRow, now: int) -> None:
        """Take a first row, of a status printed at `now`, whose bytes are none of the growth."""
        self.received_bytes = row.received_bytes
        self.sent_bytes = row.sent_bytes
        self.last_seen = now

    def update(self, row: ClientRow, now: int) -> bool:
        """Update the session from its row of a status printed at `now`.

        Return whether more of the row has changed than its counters.
        """
        self.missing_once = False
        update_counters((self,), (row,), now, seconds=now - self.last_seen)
        return self.replace_row(row)

    def replace_row(self, row: ClientRow) -> bool:
        """Take a row if more of it has changed than its counters; return whether it has."""
        last = self.last_row
        changed = row is not last and _without_counters(row) != _without_counters(last)
        if changed:
            self.last_row = row
        return changed

    def drop_growth(self) -> None:
        """Count nothing of the last row: its growth may be another session's."""
        self.received_growth = self.sent_growth = self.growth_seconds = 0

    @property
    def rate(self) -> ByteRate | None:
        """Bytes per second between its last two rows, or since its start; None if unknown."""
        if not self.growth_seconds:
            return None
        return ByteRate(
            self.received_growth / self.growth_seconds, self.sent_growth / self.growth_seconds
        )


def update_counters(
    sessions: Iterable[ClientSession | None],
    rows: Iterable[ClientRow],
    now: int,
    *,
    seconds: int,
) -> None:
    """Update sessions from their rows of a status printed at `now`; a row may have none.

    The last status was printed `seconds` before. A counter that fell started again at 0, so all of
    it is growth. There is one loop for all: a call for each would take as long as the update.
    """
    growth_seconds = max(0, seconds)
    for session, row in zip(sessions, rows, strict=True):
        if session is None:
            continue
        received, sent = row.received_bytes, row.sent_bytes
        growth = received - session.received_bytes
        session.received_growth = growth if growth >= 0 else received
        session.received_bytes = received
        growth = sent - session.sent_bytes
        session.sent_growth = growth if growth >= 0 else sent
        session.sent_bytes = sent
        session.growth_seconds = growth_seconds
        session.last_seen = now
