"""The keys of sessions: client id and start, or what the daemon prints in place of the id."""

from collections.abc import Iterable, Sequence

import msgspec

from exporter.management.status import ClientRow

_IdKey = tuple[int, int]
"""Client id and start."""
_RowKey = tuple[str, str, int]
"""Common name, real address and start, where the daemon gives no client id."""
SessionKey = _IdKey | _RowKey


def rows_by_key(rows: Sequence[ClientRow]) -> tuple[dict[SessionKey, ClientRow], list[ClientRow]]:
    """Return rows by key, and the duplicates, which exist only without client ids."""
    by_key: dict[SessionKey, ClientRow] = {
        (row.client_id, row.connected_since): row for row in rows if row.client_id is not None
    }
    if len(by_key) == len(rows):  # as from nearly every daemon
        return by_key, []
    return _by_any_key(rows)


def _by_any_key(rows: Iterable[ClientRow]) -> tuple[dict[SessionKey, ClientRow], list[ClientRow]]:
    """Do the same for rows that may have no client id.

    Of rows with the same key one stands for all, with the largest counters: these fall only when
    a session ends, so that less is counted than was moved, but never more.
    """
    by_key: dict[SessionKey, ClientRow] = {}
    duplicates: list[ClientRow] = []
    for row in rows:
        key = session_key(row)
        if key in by_key:
            duplicates.append(row)
            by_key[key] = msgspec.structs.replace(
                by_key[key],
                received_bytes=max(by_key[key].received_bytes, row.received_bytes),
                sent_bytes=max(by_key[key].sent_bytes, row.sent_bytes),
            )
        else:
            by_key[key] = row
    return by_key, duplicates


def session_key(row: ClientRow) -> SessionKey:
    """Return the key of a row's session."""
    if row.client_id is None:
        return (row.common_name, row.real_address, row.connected_since)
    return (row.client_id, row.connected_since)


def has_id(key: SessionKey) -> bool:
    """Return whether the daemon gave the session a client id."""
    return isinstance(key[0], int)
