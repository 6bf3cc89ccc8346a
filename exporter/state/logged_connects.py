"""Clients whose connect is in the log, until a status shows them.

The log has one line for each address family of a session, with the client's name and its real
address at that moment. A session may be too short for any status, and a line may arrive right
after one: a session that two statuses did not show has come and gone.
"""

from collections import Counter, deque
from collections.abc import Collection, Generator
from collections.abc import Set as AbstractSet

import msgspec

from exporter.management.batches import row_batches
from exporter.management.log_lines import ConnectLine
from exporter.state.client_session import ClientSession

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


class _LoggedClient:
    """The connects of one name: by address, and those that may have an unmatched session.

    Each session that a line adds is once in `candidates`, so that matching takes linear time.
    """

    __slots__ = ("by_address", "candidates")

    def __init__(self) -> None:
        self.by_address: dict[str, _LoggedConnect] = {}
        self.candidates: deque[_LoggedConnect] = deque()

    def consume(self, real_address: str) -> bool:
        """Match one session at an address; return whether there was one to match."""
        connect = self.by_address.get(real_address)
        return connect is not None and connect.consume()

    def consume_any(self) -> bool:
        """Match one session at any address; return whether there was one to match."""
        while self.candidates:
            if self.candidates.popleft().consume():
                return True
        return False


class LoggedConnects(msgspec.Struct, eq=False):
    """The logged connects of the current interval between two statuses, and of the last one."""

    _new: dict[str, _LoggedClient] = {}
    _old: dict[str, _LoggedClient] = {}
    _new_addresses: int = 0

    def record(self, line: ConnectLine) -> int:
        """Record one line; return the number of sessions that it adds, 0 or 1."""
        client = self._old.get(line.name)
        connect = client.by_address.get(line.real_address) if client else None
        if connect is not None and connect.is_second_family(ipv6=line.ipv6):
            return connect.add(ipv6=line.ipv6)
        return self._add(line)

    def add_matched(self, line: ConnectLine) -> None:
        """Record a line about a client that a status already shows."""
        if self._add(line):
            self._new[line.name].consume(line.real_address)

    def consume(self, name: str, real_address: str) -> bool:
        """Match a row with a connect at its real address; return whether there was one."""
        return any(
            generation[name].consume(real_address)
            for generation in (self._old, self._new)
            if name in generation
        )

    def consume_any_address(self, name: str) -> bool:
        """Match a row with a connect at any address: the client has floated since."""
        return any(
            generation[name].consume_any()
            for generation in (self._old, self._new)
            if name in generation
        )

    def rotate(self) -> int:
        """End the interval; return the number of sessions that two statuses did not show."""
        ended = sum(
            connect.unmatched
            for client in self._old.values()
            for connect in client.by_address.values()
        )
        self._old, self._new = self._new, {}
        self._new_addresses = 0
        return ended

    def _add(self, line: ConnectLine) -> int:
        """Add a line to the current interval; return the number of sessions that it adds."""
        client = self._new.get(line.name)
        connect = client.by_address.get(line.real_address) if client else None
        if connect is None:
            if self._new_addresses >= _LIMIT:
                return 0
            self._new_addresses += 1
            client = self._new.setdefault(line.name, _LoggedClient())
            connect = client.by_address[line.real_address] = _LoggedConnect()
        added = connect.add(ipv6=line.ipv6)
        if added:
            self._new[line.name].candidates.append(connect)
        return added


class ShownConnect(msgspec.Struct, frozen=True, gc=False):
    """What is kept of a session that a status, or a status file, has shown."""

    name: str
    real_address: str
    from_file: bool


class ShownConnects:
    """Sessions that a status has shown before their line in the log history was read."""

    def __init__(self) -> None:
        self._polled: dict[str, Counter[str]] = {}
        self._from_file: dict[str, Counter[str]] = {}

    def add(self, session: ShownConnect) -> None:
        """Record a session; a status file may have shown it long ago."""
        sessions = self._from_file if session.from_file else self._polled
        sessions.setdefault(session.name, Counter())[session.real_address] += 1

    def consume(self, line: ConnectLine) -> bool:
        """Match a line with a session at its real address; return whether there was one."""
        for sessions in (self._from_file, self._polled):
            addresses = sessions.get(line.name)
            if addresses is not None and addresses[line.real_address] > 0:
                addresses[line.real_address] -= 1
                return True
        return False

    def consume_any_address(self, line: ConnectLine) -> bool:
        """Match a line with a session of a file at any address: the client may have floated."""
        addresses = +self._from_file.get(line.name, Counter())
        if not addresses:
            return False
        self._from_file[line.name][next(iter(addresses))] -= 1
        return True


def shown_connect(session: ClientSession) -> ShownConnect:
    """Return what is kept of a session."""
    row = session.last_row
    return ShownConnect(row.common_name, row.real_address, session.from_file)


def shown_connects(
    sessions: Collection[ClientSession], names: AbstractSet[str]
) -> Generator[None, None, ShownConnects]:
    """Return the sessions that may have a line in this log history; no later one has it."""
    shown = ShownConnects()
    for batch in row_batches(sessions):
        for session in batch:
            if not session.logged:
                session.logged = True
                if session.last_row.common_name in names:
                    shown.add(shown_connect(session))
        yield
    return shown
