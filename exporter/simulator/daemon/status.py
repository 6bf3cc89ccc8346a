"""The three formats of a server's status, and the one of a client's, byte for byte as in 2.6."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from exporter.simulator.population.instance import Instance, StatusRow

ROW_LIMIT = 512
"""A row of this many bytes suppresses itself and all that follows: `status_printf()`."""

_SEPARATORS = {1: ",", 2: ",", 3: "\t"}
_CLIENT_COLUMNS = (
    "Common Name,Real Address,Virtual Address,Virtual IPv6 Address,Bytes Received,Bytes Sent,"
    "Connected Since,Connected Since (time_t),Username,Client ID,Peer ID,Data Channel Cipher"
).split(",")
_ROUTE_COLUMNS = "Virtual Address,Common Name,Real Address,Last Ref,Last Ref (time_t)".split(",")
_CLIENTS = "CLIENT_LIST"
_ROUTES = "ROUTING_TABLE"


class BadFormat(ValueError):
    """There is no such status format."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The values in a server's status at one moment; `tick` is the argument of the counters."""

    title: str
    now: int
    tick: int
    instances: Sequence[Instance]
    queue_length: int
    dco: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TunnelStatistics:
    """The counters of a client's current connection."""

    tun_read: int = 0
    tun_write: int = 0
    link_read: int = 0
    link_write: int = 0
    auth_read: int = 0


@lru_cache(maxsize=4096)
def local_time(seconds: int) -> str:
    """Return a time as OpenVPN 2.5 and later print it: local time without a zone."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def server_status(snapshot: Snapshot, version: int) -> list[str]:
    """Return the lines of `status 1`, `2` or `3`, `END` included.

    A row of 512 bytes or more is left out, with all lines after it, `END` included.

    Raises:
        BadFormat: for any other version.
    """
    if version not in _SEPARATORS:
        raise BadFormat(version)
    rows = _format_1(snapshot) if version == 1 else _format_2_3(snapshot, _SEPARATORS[version])
    return list(_until_overflow(rows))


def tunnel_status(counters: TunnelStatistics, *, now: int) -> list[str]:
    """Return the lines of a client's `status`, the same for any number."""
    return [
        "OpenVPN STATISTICS",
        f"Updated,{local_time(now)}",
        f"TUN/TAP read bytes,{counters.tun_read}",
        f"TUN/TAP write bytes,{counters.tun_write}",
        f"TCP/UDP read bytes,{counters.link_read}",
        f"TCP/UDP write bytes,{counters.link_write}",
        f"Auth read bytes,{counters.auth_read}",
        "END",
    ]


def _format_1(snapshot: Snapshot) -> Iterator[str]:
    yield "OpenVPN CLIENT LIST"
    yield f"Updated,{local_time(snapshot.now)}"
    yield "Common Name,Real Address,Bytes Received,Bytes Sent,Connected Since"
    tick = snapshot.tick
    for instance in snapshot.instances:
        received, sent = instance.received.at(tick), instance.sent.at(tick)
        since = local_time(instance.since)
        yield f"{instance.common_name},{instance.real_address},{received},{sent},{since}"
    yield "ROUTING TABLE"
    yield "Virtual Address,Common Name,Real Address,Last Ref"
    for instance in snapshot.instances:
        seen = local_time(_last_reference(instance, snapshot.now))
        for address in _addresses(instance):
            yield f"{address},{instance.common_name},{instance.real_address},{seen}"
    yield "GLOBAL STATS"
    yield f"Max bcast/mcast queue length,{snapshot.queue_length}"
    yield "END"


def _format_2_3(snapshot: Snapshot, sep: str) -> Iterator[str]:
    now, tick = snapshot.now, snapshot.tick
    rows = [_row(instance, sep) for instance in snapshot.instances]
    yield f"TITLE{sep}{snapshot.title}"
    yield f"TIME{sep}{local_time(now)}{sep}{now}"
    yield sep.join(("HEADER", _CLIENTS, *_CLIENT_COLUMNS))
    for instance, row in zip(snapshot.instances, rows, strict=True):
        received, sent = instance.received.at(tick), instance.sent.at(tick)
        yield f"{row.head}{received}{sep}{sent}{row.tail}"
    yield sep.join(("HEADER", _ROUTES, *_ROUTE_COLUMNS))
    for instance, row in zip(snapshot.instances, rows, strict=True):
        seen = _last_reference(instance, now)
        for route in row.routes:
            yield f"{route}{local_time(seen)}{sep}{seen}"
    yield f"GLOBAL_STATS{sep}Max bcast/mcast queue length{sep}{snapshot.queue_length}"
    yield f"GLOBAL_STATS{sep}dco_enabled{sep}{int(snapshot.dco)}"
    yield "END"


def _row(instance: Instance, sep: str) -> StatusRow:
    if (row := instance.rows.get(sep)) is None:
        row = instance.rows[sep] = _build_row(instance, sep)
    return row


def _build_row(instance: Instance, sep: str) -> StatusRow:
    name, address = instance.common_name, instance.real_address
    head = (_CLIENTS, name, address, instance.virtual_address, instance.virtual_ipv6_address, "")
    since = (local_time(instance.since), str(instance.since))
    numbers = (str(instance.client_id), str(instance.peer_id))
    tail = ("", *since, instance.username, *numbers, instance.cipher)
    routes = (sep.join((_ROUTES, route, name, address, "")) for route in _addresses(instance))
    return StatusRow(sep.join(head), sep.join(tail), tuple(routes))


def _addresses(instance: Instance) -> list[str]:
    addresses = (instance.virtual_ipv6_address, instance.virtual_address)
    return [address for address in addresses if address]


def _last_reference(instance: Instance, now: int) -> int:
    """Return when traffic was last sent to a client: within the last ten seconds, by its id."""
    if instance.idle_since is not None:
        return instance.idle_since
    return max(instance.since, now - instance.client_id % 10)


def _until_overflow(rows: Iterable[str]) -> Iterator[str]:
    for row in rows:
        # At most four bytes a character: only long rows need their exact length.
        if len(row) * 4 >= ROW_LIMIT and _size(row) >= ROW_LIMIT:
            return
        yield row


def _size(row: str) -> int:
    return len(row) if row.isascii() else len(row.encode("utf-8", "surrogateescape"))
