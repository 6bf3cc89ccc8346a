"""The keys of sessions: client id and start, or what the daemon prints in place of the id."""

from collections.abc import Generator, Sequence
from typing import NamedTuple

import msgspec

from exporter.management.batches import row_batches
from exporter.management.status import ClientRow

_RowKey = tuple[str, str, int]
"""Common name, real address and start, where the daemon gives no client id."""
SessionKey = int | _RowKey
"""Client id and start as one number, see `id_key`."""

_ID_UNIT = 2**40 + 1
"""More than any time up to the year 9999.

Not a power of two: Python's dictionaries and sets begin to search with the lowest bits, and clients
that connect again after a restart of the daemon have the same times. Their keys must differ there.
"""


class KeyedRows(NamedTuple):
    """The rows of a status by key.

    Of rows with the same key, which exist only without client ids, one is in `rows`, and
    `duplicates` has the others.
    """

    rows: dict[SessionKey, ClientRow]
    duplicates: Sequence[ClientRow]
    all_have_ids: bool


def rows_by_key(rows: Sequence[ClientRow]) -> Generator[None, None, KeyedRows]:
    """Return rows by key, yielding after each batch."""
    by_key: dict[SessionKey, ClientRow] = {}
    for batch in row_batches(rows):
        by_key |= {
            row.client_id * _ID_UNIT + row.connected_since: row
            for row in batch
            if row.client_id is not None
        }
        yield
    if len(by_key) == len(rows):  # as from nearly every daemon
        return KeyedRows(by_key, (), all_have_ids=True)
    return (yield from _by_any_key(rows))


def _by_any_key(rows: Sequence[ClientRow]) -> Generator[None, None, KeyedRows]:
    """Do the same for rows that may have no client id.

    Of rows with the same key one stands for all, with the largest counters: these fall only when
    a session ends, so that less is counted than was moved, but never more.
    """
    by_key: dict[SessionKey, ClientRow] = {}
    duplicates: list[ClientRow] = []
    all_have_ids = True
    for batch in row_batches(rows):
        for row in batch:
            key = session_key(row)
            all_have_ids &= row.client_id is not None
            first = by_key.get(key)
            if first is None:
                by_key[key] = row
                continue
            duplicates.append(row)
            by_key[key] = msgspec.structs.replace(
                first,
                received_bytes=max(first.received_bytes, row.received_bytes),
                sent_bytes=max(first.sent_bytes, row.sent_bytes),
            )
        yield
    return KeyedRows(by_key, duplicates, all_have_ids)


def session_key(row: ClientRow) -> SessionKey:
    """Return the key of a row's session."""
    if row.client_id is None:
        return (row.common_name, row.real_address, row.connected_since)
    return id_key(row.client_id, row.connected_since)


def id_key(client_id: int, since: int) -> SessionKey:
    """Return the key of the session of a client id that began at `since`.

    It is no tuple: the garbage collector would look at each of a hundred thousand.
    """
    return client_id * _ID_UNIT + since


def has_id(key: SessionKey) -> bool:
    """Return whether the daemon gave the session a client id."""
    return isinstance(key, int)
