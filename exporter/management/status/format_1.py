"""Status format 1, `OpenVPN CLIENT LIST`: sections with titles, the same from 2.1 to 2.7.

A common name may contain commas, so the fields of a row are counted from its end. The row of a
client has no virtual address; the routing table has it, by common name and real address. Times are
printed without a zone, and read in the one that the first of them shows.
"""

import enum
from collections.abc import Generator, Iterable, Sequence

import msgspec

from exporter.management.batches import line_batches, release, row_batches
from exporter.management.errors import ReplyError
from exporter.management.status.model import (
    ClientRow,
    RouteRow,
    ServerStatus,
    check_row_count,
)
from exporter.management.values import (
    clean,
    clean_name,
    decode,
    is_host_route,
    parse_date,
    parse_number,
    parse_zone_offset,
)

TITLE = b"OpenVPN CLIENT LIST"

_QUEUE_LENGTH = "Max bcast/mcast queue length,"


class _Section(enum.Enum):
    CLIENTS = "Common Name,Real Address,Bytes Received,Bytes Sent,Connected Since"
    ROUTES = "Virtual Address,Common Name,Real Address,Last Ref"
    GLOBAL_STATS = "GLOBAL STATS"


# No row equals one of these lines: the fields of a row are not these words.
_SECTIONS = {section.value: section for section in _Section}
_ROUTES_TITLE = "ROUTING TABLE"


class _Format1Parser:
    def __init__(self, printed_at: float | None) -> None:
        self._printed_at = printed_at
        self._zone_offset = 0
        self._section: _Section | None = None
        self._updated: int | None = None
        self._clients: list[ClientRow] = []
        self._routes: list[RouteRow] = []
        self._queue_length: int | None = None
        self._unparsed = 0
        self._unparsed_clients = 0

    def feed(self, lines: Iterable[bytes]) -> None:
        for line in map(decode, lines):
            if line in _SECTIONS:
                self._section = _SECTIONS[line]
            elif line != _ROUTES_TITLE:
                try:
                    self._feed_row(line)
                except ValueError:
                    self._unparsed += 1
                    self._unparsed_clients += self._section is _Section.CLIENTS
        check_row_count(len(self._clients), len(self._routes))

    def _feed_row(self, line: str) -> None:
        match self._section:
            case None:
                date = line.removeprefix("Updated,")
                self._zone_offset = parse_zone_offset(date, self._printed_at)
                self._updated = parse_date(date, self._zone_offset)
            case _Section.CLIENTS:
                self._clients.append(self._client(line))
            case _Section.ROUTES:
                self._routes.append(self._route(line))
            case _Section.GLOBAL_STATS:
                if not line.startswith(_QUEUE_LENGTH):
                    raise ValueError("an unknown row of the global statistics")
                self._queue_length = parse_number(line.removeprefix(_QUEUE_LENGTH))

    def _client(self, line: str) -> ClientRow:
        name, address, received, sent, since = line.rsplit(",", 4)
        return ClientRow(
            common_name=clean_name(name),
            real_address=clean(address),
            virtual_address="",
            virtual_ipv6_address="",
            received_bytes=parse_number(received),
            sent_bytes=parse_number(sent),
            connected_since=parse_date(since, self._zone_offset),
        )

    def _route(self, line: str) -> RouteRow:
        virtual_address, rest = line.split(",", 1)
        name, address, reference = rest.rsplit(",", 2)
        return RouteRow(
            clean(virtual_address),
            clean_name(name),
            clean(address),
            parse_date(reference, self._zone_offset),
        )

    def finish(self) -> Generator[None, None, ServerStatus]:
        if self._updated is None:
            raise ReplyError("a status without a readable 'Updated' row")
        addresses: dict[_Key, _VirtualAddresses] = {}
        for routes in row_batches(self._routes):
            for route in routes:
                key = _key(route)
                found = addresses.get(key)
                if found is None:
                    found = addresses[key] = _VirtualAddresses()
                found.add(route.virtual_address)
            yield
        clients: list[ClientRow] = []
        pending: list[ClientRow] = []
        for rows in row_batches(self._clients):
            for client in rows:
                found = addresses.get(_key(client))
                if found is None:
                    pending.append(client)
                else:
                    clients.append(found.apply(client))
            yield
        yield from release(addresses)
        return ServerStatus(
            updated=self._updated,
            clients=tuple(clients),
            pending=tuple(pending),
            route_count=len(self._routes),
            routes=tuple(self._routes),
            max_queue_length=self._queue_length,
            unparsed=self._unparsed,
            unparsed_clients=self._unparsed_clients,
        )


_Key = tuple[str, str]


def _key(row: ClientRow | RouteRow) -> _Key:
    # Up to 2.6 a native IPv6 address has no port, so two clients may have the same address.
    return row.common_name, row.real_address


class _VirtualAddresses(msgspec.Struct, gc=False):
    """The virtual addresses of one client that has a route.

    Several addresses of one family belong to several clients that look alike: none is used.
    """

    ipv4: str | None = None
    ipv6: str | None = None

    def add(self, address: str) -> None:
        """Add the virtual address of one route."""
        if not is_host_route(address):
            return
        if ":" in address:
            self.ipv6 = address if self.ipv6 is None else ""
        else:
            self.ipv4 = address if self.ipv4 is None else ""

    def apply(self, client: ClientRow) -> ClientRow:
        """Return the client with its addresses."""
        return msgspec.structs.replace(
            client, virtual_address=self.ipv4 or "", virtual_ipv6_address=self.ipv6 or ""
        )


def parse_in_batches(
    lines: Sequence[bytes], *, printed_at: float | None
) -> Generator[None, None, ServerStatus]:
    """Parse a status, yielding after each batch of lines; return the status.

    `printed_at` shows the daemon's zone, see `parse_zone_offset`.

    Raises:
        ReplyError: the `Updated` row is missing or cannot be parsed.
    """
    parser = _Format1Parser(printed_at)
    for number, batch in enumerate(line_batches(lines)):
        parser.feed(batch if number else batch[1:])
        yield
    return (yield from parser.finish())
