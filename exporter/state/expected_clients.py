"""The clients that are expected on any of several servers, as the states of these show them.

All of it is read from the states when the metrics are: a poll has no part in it.
"""

import heapq
import itertools
from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from types import MappingProxyType
from weakref import WeakKeyDictionary

import msgspec

from exporter.certificates.issued import IssuedCertificates
from exporter.config.expected_clients import NamePatterns, ccd_names
from exporter.config.schema import Config
from exporter.management.batches import row_batches
from exporter.management.status import ServerStatus
from exporter.state.daemon import DaemonState
from exporter.state.privacy import Privacy, strictest_privacy

_EMPTY: Mapping[str, float] = MappingProxyType({})


class _Presence(msgspec.Struct, frozen=True):
    """The expected clients that one server shows as connected.

    `key` tells which of its statuses, and which names, it was made of.
    """

    key: tuple[int, int]
    connected: frozenset[str]


class ExpectedClients:
    """Which of the expected clients are connected to any server, and when they last were.

    A client is connected if one of the servers shows it, and missing if all were asked and none
    does. While one can't be asked, the others decide only for the clients that they show.
    """

    def __init__(self) -> None:
        self.connected: Mapping[str, float] = _EMPTY
        """1 or 0 by shown name; a client of which that is unknown is left out."""
        self.last_seen: Mapping[str, float] = _EMPTY
        """The time of the last poll that found a client, by shown name; only while none does."""
        self.not_exported = 0
        """The names that patterns match beyond `clients.limit`."""
        self.is_configured = False
        self._items = NamePatterns()
        self._ccd_names: Sequence[str] = ()
        self._limit = 0
        self._privacy: Privacy | None = None
        self._shown: dict[str, str] = {}
        self._names_key: object = None
        self._names_revision = 0
        self._presences: WeakKeyDictionary[DaemonState, _Presence] = WeakKeyDictionary()
        self._last_seen: dict[str, float] = {}

    @property
    def names(self) -> Collection[str]:
        """The clients that are expected now, as they are shown."""
        return self._shown.values()

    def configure(self, config: Config) -> None:
        """Expect the clients of this configuration; what is known of a client stays."""
        self.is_configured = bool(config.expected_clients)
        self._items = NamePatterns.of(config.expected_clients)
        self._ccd_names = ccd_names(config.discovery) if self._items.patterns else ()
        self._limit = config.clients.limit
        self._privacy = strictest_privacy(config)
        self._names_key = None

    def update(self, daemons: Iterable[DaemonState]) -> Generator[None, None, None]:
        """Read the states of all daemons, yielding after each batch of names."""
        if not self.is_configured:
            self.connected = self.last_seen = _EMPTY
            return
        servers = [daemon for daemon in daemons if daemon.modes.may_be_server]
        yield from self._resolve(servers)
        for server in servers:
            yield from self._read(server)
        self._combine(servers)

    def _resolve(self, servers: Iterable[DaemonState]) -> Generator[None, None, None]:
        """Find the names that are expected now, and how each is shown."""
        lists = _valid_names(servers) if self._items.patterns else {}
        key, privacy = tuple(lists), self._privacy
        if self._names_key == key or privacy is None:
            return
        found, self.not_exported = yield from self._find((self._ccd_names, *lists.values()))
        names = found if privacy.shows_clients else set[str]()
        parts: list[list[str]] = []
        for batch in row_batches(names):  # in one call, it would take long to sort many
            parts.append(sorted(batch))
            yield
        shown: dict[str, str] = {}
        for batch in row_batches(heapq.merge(*parts)):
            shown.update((name, privacy.name(name)) for name in batch)
            yield
        self._last_seen = {name: at for name, at in self._last_seen.items() if name in shown}
        self._shown, self._names_key = shown, key
        self._names_revision += 1

    def _find(self, lists: Iterable[Sequence[str]]) -> Generator[None, None, tuple[set[str], int]]:
        """Return the expected names, and the number of those beyond the limit."""
        matches = self._items.matcher()
        found, surplus = set(self._items.names), set[str]()
        for batch in itertools.chain.from_iterable(map(row_batches, lists)):
            for name in filter(matches, batch):
                if len(found) < self._limit or name in found:
                    found.add(name)
                else:
                    surplus.add(name)
            yield
        return found, len(surplus)

    def _read(self, server: DaemonState) -> Generator[None, None, None]:
        """Read which of the clients a server shows, if that may have changed."""
        key = server.client_revision, self._names_revision
        last = self._presences.get(server)
        # During a change the state is incomplete: a restart ends all sessions first.
        if server.is_updating or (last is not None and last.key == key):
            return
        connected: set[str] = set()
        names, totals = self._shown, server.clients.totals
        for batch in row_batches(list(names if len(names) < len(totals) else totals)):
            for name in batch:
                client = totals.get(name)
                if client is None or name not in names:
                    continue
                if client.sessions:
                    connected.add(name)
                    self._see(name, server.polled_at)
                else:
                    self._see(name, client.last_seen)
            yield
        if server.clients.not_exported:  # the table is not complete
            for sessions in row_batches(server.clients.sessions.current):
                for session in sessions:
                    if session.name in names:
                        connected.add(session.name)
                        self._see(session.name, server.polled_at)
                yield
        self._presences[server] = _Presence(key, frozenset(connected))

    def _see(self, name: str, now: float | None) -> None:
        if now is not None:
            self._last_seen[name] = max(now, self._last_seen.get(name, 0))

    def _combine(self, servers: Sequence[DaemonState]) -> None:
        known = [presence for server in servers if (presence := self._known(server))]
        connected = frozenset[str]().union(*(presence.connected for presence in known))
        all_known = bool(servers) and len(known) == len(servers)
        self.connected = {
            shown: int(name in connected)
            for name, shown in self._shown.items()
            if all_known or name in connected
        }
        self.last_seen = {
            shown: self._last_seen[name]
            for name, shown in self._shown.items()
            if name not in connected and name in self._last_seen
        }

    def _known(self, server: DaemonState) -> _Presence | None:
        """Return what the last status of a server shows, None if it can't be asked now."""
        if not server.up or not isinstance(server.status, ServerStatus):
            return None
        presence = self._presences.get(server)
        return presence if presence and presence.key[1] == self._names_revision else None


_NameList = tuple[IssuedCertificates, int | None]
"""The certificates of a CA, and the moment until which none of them expires."""


def _valid_names(servers: Iterable[DaemonState]) -> Mapping[_NameList, Sequence[str]]:
    """Return the names with a valid certificate; several servers may have one CA."""
    lists: dict[_NameList, Sequence[str]] = {}
    for server in servers:
        pki = server.client_certificates.pki
        if pki is not None and pki.issued is not None:
            key = pki.issued, pki.issued.next_change(pki.now)
            if key not in lists:
                lists[key] = pki.issued.valid_names(pki.now)
    return lists
