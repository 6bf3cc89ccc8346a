"""The clients that the daemon has let in, which no row of a status may prove.

A client on a bridge has a route only while it sends; one without an address never has. It is
connected once the daemon has let it in, and stays so while its row is there.
"""

from collections.abc import Generator, Mapping
from collections.abc import Set as AbstractSet

import msgspec

from exporter.management.batches import row_batches
from exporter.management.status import ClientRow, ServerStatus
from exporter.state.client_session import ClientSession
from exporter.state.logged_logins import LoggedLogins, has_port, unique_rows
from exporter.state.oldest import drop_oldest
from exporter.state.session_keys import SessionKey, session_key
from exporter.state.session_matching import session_start, session_starts

_LIMIT = 10_000
"""Logins that are kept until a status shows them; the oldest are dropped."""

_NO_STARTS: AbstractSet[tuple[str, str, int]] = frozenset()


class EstablishedLogins(msgspec.Struct, eq=False):
    """The logins by `>CLIENT:ESTABLISHED`: before the last status was received, and after it.

    A message may arrive while a status is parsed. It is news to that status: the row of its client
    may not have a name yet.
    """

    _known: dict[SessionKey, None] = {}
    _later: dict[SessionKey, None] = {}

    def add(self, key: SessionKey) -> None:
        """Record a login."""
        self._later[key] = None
        drop_oldest(self._later, _LIMIT)

    def on_status_received(self) -> None:
        """Record that a status was received: it shows all logins so far."""
        self._known |= self._later
        self._later.clear()
        drop_oldest(self._known, _LIMIT)

    def __contains__(self, key: SessionKey) -> bool:
        """Return whether a client had logged in when the last status was received."""
        return key in self._known

    def remove(self, key: SessionKey) -> None:
        """Forget a login that a status has shown."""
        self._known.pop(key, None)


class Logins(msgspec.Struct, eq=False):
    """All that the daemon has said about logins, outside of its statuses."""

    established: EstablishedLogins = msgspec.field(default_factory=EstablishedLogins)
    logged: LoggedLogins = msgspec.field(default_factory=LoggedLogins)

    def on_status_received(self) -> None:
        """Record that a status was received: it shows all logins so far."""
        self.established.on_status_received()
        self.logged.on_status_received()

    def apply(
        self,
        status: ServerStatus,
        sessions: Mapping[SessionKey, ClientSession],
        *,
        all_have_ids: bool,
    ) -> Generator[None, None, ServerStatus]:
        """Return the status with the rows of clients that were let in, and no others, as connected.

        It yields after each batch of rows.

        Args:
            status: the status; only its pending rows are looked at, unless a client was rejected.
            sessions: the sessions of the last status, which are connected.
            all_have_ids: whether the rows of the last status all had client ids.
        """
        clients, rejected = yield from self._without_rejected(status.clients, sessions)
        connected: list[ClientRow] = []
        pending = list(rejected)
        unsure: list[ClientRow] = []
        starts = _NO_STARTS
        if status.pending and not (all_have_ids and status.pending[0].client_id is not None):
            starts = yield from session_starts(sessions.values())  # their keys may differ
        for batch in row_batches(status.pending):
            for row in batch:
                key = session_key(row)
                if key in sessions or session_start(row) in starts:
                    connected.append(row)
                elif self.logged.rejects(row):
                    pending.append(row)
                elif key in self.established:
                    connected.append(row)
                elif not self.logged.proves(row):
                    pending.append(row)
                else:
                    (connected if has_port(row) else unsure).append(row)
            yield
        if unsure:
            unique, others = yield from unique_rows(unsure, status)
            connected += unique
            pending += others
        if not connected and not rejected:
            return status
        return msgspec.structs.replace(
            status, clients=(*clients, *connected), pending=tuple(pending)
        )

    def _without_rejected(
        self, rows: tuple[ClientRow, ...], sessions: Mapping[SessionKey, ClientSession]
    ) -> Generator[None, None, tuple[tuple[ClientRow, ...], list[ClientRow]]]:
        """Return the rows of clients that were not rejected, and those of the others.

        Since 2.6 a client has its virtual address before it is rejected for its ciphers.
        """
        rejected: list[ClientRow] = []
        if not self.logged.has_rejected:
            return rows, rejected
        others: list[ClientRow] = []
        for batch in row_batches(rows):
            for row in batch:
                is_rejected = self.logged.rejects(row) and session_key(row) not in sessions
                (rejected if is_rejected else others).append(row)
            yield
        return tuple(others), rejected
