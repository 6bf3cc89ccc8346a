"""Clients whose connect is in the log, until a status shows them.

The log has one line for each address family of a session, with the client's name and its real
address at that moment. A session may be too short for any status, and a line may arrive right
after one: a session that two statuses did not show has come and gone.
"""

from exporter.management.log_lines import ConnectLine

_LIMIT = 10_000
"""Addresses kept for one interval between two statuses; later ones are only polled."""


class _LoggedConnect:
    """The connects that the log shows for one name and real address."""

    __slots__ = ("ipv4", "ipv6", "matched")

    def __init__(self) -> None:
        self.ipv4 = 0
        self.ipv6 = 0
        self.matched = 0

    @property
    def sessions(self) -> int:
        return max(self.ipv4, self.ipv6)

    @property
    def unmatched(self) -> int:
        """The sessions that no status has shown yet."""
        return self.sessions - self.matched

    def add(self, *, ipv6: bool) -> int:
        """Count one line; return the number of sessions that it adds, 0 or 1."""
        before = self.sessions
        self.ipv6 += ipv6
        self.ipv4 += not ipv6
        return self.sessions - before

    def is_second_family(self, *, ipv6: bool) -> bool:
        """Return whether a line of this family belongs to a session with a line of the other."""
        return self.ipv6 < self.ipv4 if ipv6 else self.ipv4 < self.ipv6

    def consume(self) -> bool:
        """Match one session with a row; return whether there was one to match."""
        if not self.unmatched:
            return False
        self.matched += 1
        return True


_ByAddress = dict[str, _LoggedConnect]


class LoggedConnects:
    """The logged connects of the current interval between two statuses, and of the last one."""

    def __init__(self) -> None:
        self._new: dict[str, _ByAddress] = {}
        self._old: dict[str, _ByAddress] = {}
        self._capacity = _LIMIT

    def record(self, line: ConnectLine) -> int:
        """Record one line; return the number of sessions that it adds, 0 or 1."""
        connect = self._old.get(line.name, {}).get(line.real_address)
        if connect is None or not connect.is_second_family(ipv6=line.ipv6):
            connect = self._get_or_add(line)
        return 0 if connect is None else connect.add(ipv6=line.ipv6)

    def add_matched(self, line: ConnectLine) -> None:
        """Record a line about a client that a status already shows."""
        connect = self._get_or_add(line)
        if connect is not None:
            connect.matched += connect.add(ipv6=line.ipv6)

    def consume(self, name: str, real_address: str) -> bool:
        """Match a row with a connect at its real address; return whether there was one."""
        return any(
            generation[name][real_address].consume()
            for generation in (self._old, self._new)
            if real_address in generation.get(name, {})
        )

    def consume_any_address(self, name: str) -> bool:
        """Match a row with a connect at any address: the client has floated since."""
        return any(
            connect.consume()
            for generation in (self._old, self._new)
            for connect in generation.get(name, {}).values()
        )

    def rotate(self) -> int:
        """End the interval; return the number of sessions that two statuses did not show."""
        ended = sum(
            connect.unmatched
            for by_address in self._old.values()
            for connect in by_address.values()
        )
        self._old, self._new = self._new, {}
        self._capacity = _LIMIT
        return ended

    def _get_or_add(self, line: ConnectLine) -> _LoggedConnect | None:
        by_address = self._new.setdefault(line.name, {})
        if line.real_address not in by_address:
            if not self._capacity:
                return None
            self._capacity -= 1
            by_address[line.real_address] = _LoggedConnect()
        return by_address[line.real_address]
