"""Clients that the log says were let in, until a status shows them.

A line of the log tells of a session once for each address family, and names the client and its
address of that moment. A session may be too short for any status, and a line may come right
behind one, so what two statuses did not show has come and gone. Pure.
"""

from exporter.management.log_lines import ConnectLine

_LIMIT = 10_000
"""Addresses remembered from one interval between two statuses; later ones are only polled."""


class _Announcement:
    """How often the log named a client at an address."""

    __slots__ = ("ipv4", "ipv6", "met")

    def __init__(self) -> None:
        self.ipv4 = 0
        self.ipv6 = 0
        self.met = 0

    @property
    def sessions(self) -> int:
        """The sessions that were announced."""
        return max(self.ipv4, self.ipv6)

    @property
    def unmet(self) -> int:
        """The sessions that no status has shown yet."""
        return self.sessions - self.met

    def take(self, *, ipv6: bool) -> int:
        """Take one line; return by how many sessions it is more."""
        before = self.sessions
        self.ipv6 += ipv6
        self.ipv4 += not ipv6
        return self.sessions - before

    def expects(self, *, ipv6: bool) -> bool:
        """Tell whether a line of this family belongs to a session that is known by the other."""
        return self.ipv6 < self.ipv4 if ipv6 else self.ipv4 < self.ipv6


_ByAddress = dict[str, _Announcement]


class LoggedConnects:
    """The announced clients of the interval under way, and of the one before."""

    def __init__(self) -> None:
        """Begin with nobody announced."""
        self._new: dict[str, _ByAddress] = {}
        self._old: dict[str, _ByAddress] = {}
        self._capacity = _LIMIT

    def record(self, client: ConnectLine) -> int:
        """Take one line; return how many sessions it tells of, 0 or 1."""
        known = self._old.get(client.name, {}).get(client.real_address)
        if known is None or not known.expects(ipv6=client.ipv6):
            known = self._at(client)
        return 0 if known is None else known.take(ipv6=client.ipv6)

    def add_matched(self, client: ConnectLine) -> None:
        """Take a line about a client that needs no announcement."""
        known = self._at(client)
        if known is not None:
            known.met += known.take(ipv6=client.ipv6)

    def consume(self, name: str, real_address: str) -> bool:
        """Meet an announced client where it was announced; tell whether there was one."""
        return any(
            _meet(announced[name].get(real_address))
            for announced in (self._old, self._new)
            if name in announced
        )

    def consume_any_address(self, name: str) -> bool:
        """Meet an announced client at any address: it went on from another one meanwhile."""
        return any(
            _meet(announcement)
            for announced in (self._old, self._new)
            for announcement in announced.get(name, {}).values()
        )

    def rotate(self) -> int:
        """End the interval; return how many sessions two statuses did not show."""
        gone = sum(
            announcement.unmet for known in self._old.values() for announcement in known.values()
        )
        self._old, self._new = self._new, {}
        self._capacity = _LIMIT
        return gone

    def _at(self, client: ConnectLine) -> _Announcement | None:
        known = self._new.setdefault(client.name, {})
        if client.real_address not in known:
            if not self._capacity:
                return None
            self._capacity -= 1
            known[client.real_address] = _Announcement()
        return known[client.real_address]


def _meet(announcement: _Announcement | None) -> bool:
    if announcement is None or not announcement.unmet:
        return False
    announcement.met += 1
    return True
