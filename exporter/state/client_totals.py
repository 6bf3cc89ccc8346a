"""The totals of one identity of a server's clients. Times are in seconds since the epoch."""

import msgspec


class ClientTotals(msgspec.Struct, gc=False):
    """The totals of one identity.

    `sessions` counts the current ones, `connected_since` is the start of the oldest; None without
    one. `last_seen` is the time of the last poll that found a session, for an identity that has
    none now; None for an expected client that has never connected. `last_count` is the number of
    the last count of all sessions that found one.
    """

    received_bytes: int = 0
    sent_bytes: int = 0
    sessions: int = 0
    connected_since: int | None = None
    last_seen: float | None = None
    last_traffic: float = 0.0
    last_count: int = 0

    def add_session(self, since: int, *, count: int) -> None:
        """Count a session that began at `since`, in or after the count of that number."""
        if self.last_count != count:
            self.last_count = count
            self.sessions = 1
            self.connected_since = since
        else:
            self.sessions += 1
            self.connected_since = min(since, self.connected_since or since)

    def disconnect(self, last_seen: float) -> None:
        """Record that the identity has no session any more; it had one at `last_seen`."""
        self.last_seen = last_seen
        self.sessions = 0
        self.connected_since = None
