"""Status format 1, `OpenVPN CLIENT LIST`: sections with titles, the same from 2.1 to 2.7.

A common name may contain commas, so the fields of a row are counted from its end. The row of a
client has no virtual address; the routing table has it, by common name and real address.
"""

import datetime
import enum
from collections.abc import Generator, Sequence

import msgspec

from exporter.management.errors import ReplyError
from exporter.management.status.model import ClientRow, RouteRow, ServerStatus
from exporter.management.values import (
    clean,
    clean_name,
    decode,
    is_host_route,
    parse_date,
    parse_number,
)

TITLE = b"OpenVPN CLIENT LIST"

_CHUNK_SIZE = 1000
"""Lines parsed at once: ten milliseconds, most of them for the dates."""

_QUEUE_LENGTH = "Max bcast/mcast queue length,"


class _Section(enum.Enum):
    CLIENTS = "Common Name,Real Address,Bytes Received,Bytes Sent,Connected Since"
    ROUTES = "Virtual Address,Common Name,Real Address,Last Ref"
    GLOBAL_STATS = "GLOBAL STATS"


# No row equals one of these lines: the fields of a row are not these words.
_SECTIONS = {section.value: section for section in _Section}
_ROUTES_TITLE = "ROUTING TABLE"


class _Format1Parser:
    def __init__(self, zone: datetime.tzinfo | None) -> None:
        self._zone = zone
        self._section: _Section | None = None
        self._updated: int | None = None
        self._clients: list[ClientRow] = []
        self._routes: list[RouteRow] = []
        self._queue_length: int | None = None
        self._unparsed = 0

    def feed(self, line: str) -> None:
        if line in _SECTIONS:
            self._section = _SECTIONS[line]
        elif line != _ROUTES_TITLE:
            try:
                self._feed_row(line)
            except ValueError:
                self._unparsed += 1

    def _feed_row(self, line: str) -> None:
        match self._section:
            case None:
                self._updated = parse_date(line.removeprefix("Updated,"), self._zone)
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
            connected_since=parse_date(since, self._zone),
        )

    def _route(self, line: str) -> RouteRow:
        virtual_address, rest = line.split(",", 1)
        name, address, reference = rest.rsplit(",", 2)
        return RouteRow(
            clean(virtual_address),
            clean_name(name),
            clean(address),
            parse_date(reference, self._zone),
        )

    def finish(self) -> ServerStatus:
        if self._updated is None:
            raise ReplyError("a status without a readable 'Updated' row")
        addresses = _virtual_addresses(self._routes)
        clients = tuple(
            _with_addresses(client, addresses[_key(client)])
            for client in self._clients
            if _key(client) in addresses
        )
        pending = tuple(client for client in self._clients if _key(client) not in addresses)
        return ServerStatus(
            updated=self._updated,
            clients=clients,
            pending=pending,
            route_count=len(self._routes),
            routes=tuple(self._routes),
            max_queue_length=self._queue_length,
            unparsed=self._unparsed,
        )


def _key(row: ClientRow | RouteRow) -> tuple[str, str]:
    # Up to 2.6 a native IPv6 address has no port, so two clients may have the same address.
    return row.common_name, row.real_address


def _virtual_addresses(routes: Sequence[RouteRow]) -> dict[tuple[str, str], list[str]]:
    """Map each client that has a route to its virtual addresses."""
    addresses: dict[tuple[str, str], list[str]] = {}
    for route in routes:
        found = addresses.setdefault(_key(route), [])
        if is_host_route(route.virtual_address):
            found.append(route.virtual_address)
    return addresses


def _with_addresses(client: ClientRow, addresses: Sequence[str]) -> ClientRow:
    v4 = [address for address in addresses if ":" not in address]
    v6 = [address for address in addresses if ":" in address]
    # Several addresses of one family belong to several clients that look alike: use none.
    return msgspec.structs.replace(
        client,
        virtual_address=v4[0] if len(v4) == 1 else "",
        virtual_ipv6_address=v6[0] if len(v6) == 1 else "",
    )


def parse_in_chunks(
    lines: Sequence[bytes], *, zone: datetime.tzinfo | None
) -> Generator[None, None, ServerStatus]:
    """Parse a status, yielding after each chunk of lines; return the status.

    Raises:
        ReplyError: the `Updated` row is missing or cannot be parsed.
    """
    parser = _Format1Parser(zone)
    for number, line in enumerate(lines[1:], start=1):
        parser.feed(decode(line))
        if number % _CHUNK_SIZE == 0:
            yield
    return parser.finish()
