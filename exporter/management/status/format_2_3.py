"""Status formats 2 and 3: rows with keywords, and `HEADER` rows that name their columns.

The columns of `CLIENT_LIST` differ between versions (2.3: user name; 2.4: IPv6 address, inserted
in the middle, client id, peer id; 2.5: cipher), so each field is found by its column's name.
Format 3 separates the fields by tabs, which no field can contain. Format 2 separates them by
commas, which common names and user names may contain: a row with too many fields is realigned by
the numbers in it, and dropped if that is ambiguous.

A row counts as connected by what proves a login: a virtual address, or a route of its own (an
iroute, or a MAC address on a TAP bridge). The cipher proves nothing: before negotiation it is the
configured default, and the user name may not be authenticated yet.
"""

import itertools
import operator
from collections.abc import Callable, Generator, Sequence
from typing import NoReturn

from exporter.management.batches import MAX_ROWS, leading, release, row_batches
from exporter.management.errors import ReplyError
from exporter.management.reply_lines import LineBlock, ReplyLines
from exporter.management.status.columns import MAX_COLUMNS, client_columns, route_columns
from exporter.management.status.model import (
    ClientRow,
    RouteRow,
    ServerStatus,
    check_row_count,
)
from exporter.management.status.route_filter import RouteFilter
from exporter.management.status.row_cache import RowCache
from exporter.management.values import clean, decode, parse_number, parse_time

_MAX_TITLE = 256

_MAX_HEADERS = 8
"""Header rows that are parsed; OpenVPN prints two."""


def parse_in_batches(
    lines: ReplyLines, separator: str, *, routes: bool, cache: RowCache
) -> Generator[None, None, ServerStatus]:
    """Parse a status, yielding after each batch of lines; return the status.

    Args:
        lines: the lines of the status, `END` excluded.
        separator: of the fields: a comma in format 2, a tab in format 3.
        routes: whether to parse each route.
        cache: the rows of the previous status in format 3.

    Raises:
        ReplyError: the `TIME` row is missing or cannot be parsed.
    """
    parser = _TableParser(separator, routes=routes, cache=cache)
    cache.begin()
    for block in lines.blocks:
        yield from parser.feed(block)
        yield
    known = yield from cache.end()
    return (yield from parser.finish(known))


def _no_header(_: bytes) -> NoReturn:
    raise ValueError("a row before its header")


_ClientKey = tuple[str, str]
"""Common name and real address: what the routes of a client have of it."""


def _client_key(row: ClientRow | RouteRow) -> _ClientKey:
    return row.common_name, row.real_address


_virtual_address = operator.attrgetter("virtual_address")


def _has_address(row: ClientRow) -> bool:
    return bool(row.virtual_address or row.virtual_ipv6_address)


class _TableParser:
    def __init__(self, separator: str, *, routes: bool, cache: RowCache) -> None:
        self._separator = separator
        self._client = f"CLIENT_LIST{separator}".encode()
        self._route = f"ROUTING_TABLE{separator}".encode()
        self._want_routes = routes
        self._cache = cache
        self._parse_client: Callable[[bytes], ClientRow] = _no_header
        self._parse_route: Callable[[bytes], RouteRow] = _no_header
        self._route_filter = RouteFilter(separator)
        self._title = ""
        self._headers = 0
        self._updated: int | None = None
        self._rows: list[ClientRow] = []
        self._routes: list[RouteRow] = []
        self._unaddressed: dict[_ClientKey, bool] = {}
        """The clients without an address; True for those that have a route."""
        self._route_count = 0
        self._queue_length: int | None = None
        self._dco: bool | None = None
        self._unparsed = 0
        self._unparsed_clients = 0

    def feed(self, block: LineBlock) -> Generator[None, None, None]:
        """Parse some lines, yielding between batches of them."""
        if self._are_routes_to_count(block):
            self._route_count += block.line_count
            return
        lines = block.split_at_lf()
        for start in range(0, len(lines), MAX_ROWS):
            batch = lines[start : start + MAX_ROWS]
            rows = self._cache.take_all(batch)
            if rows:
                self._add_clients(rows)
            else:
                yield from self._feed_lines(batch)
            check_row_count(len(self._rows), len(self._routes))
            yield

    def _are_routes_to_count(self, block: LineBlock) -> bool:
        if self._want_routes or self._unaddressed or not block.text.startswith(self._route):
            return False
        return block.text.count(b"\n" + self._route) == block.line_count - 1

    def _take_routes(self, lines: Sequence[bytes]) -> int:
        """Count the leading routes, and read those that may prove a login; return their number."""
        count = leading(map(bytes.startswith, lines, itertools.repeat(self._route)))
        self._route_count += count
        if self._unaddressed:
            for line in self._route_filter.select(lines[:count]):
                self._read_route(line)
        return count

    def _read_route(self, line: bytes) -> None:
        try:
            self._add_route(self._parse_route(line.removesuffix(b"\r")))
        except ValueError:
            self._unparsed += 1

    def _feed_lines(self, lines: Sequence[bytes]) -> Generator[None, None, None]:
        """Parse lines, with as many client rows at once as possible.

        After each search for such rows in vain twice as many lines are parsed one by one.
        """
        index = in_vain = pause = 0
        while index < len(lines):
            line = lines[index]
            if line.startswith(self._route) and not self._want_routes:
                index += self._take_routes(lines[index:])
                continue
            if line.startswith(self._client):
                if not pause:
                    rows = self._cache.take_leading(lines[index:])
                    if rows:
                        self._add_clients(rows)
                        index += len(rows)
                        in_vain = 0
                        continue
                    yield from self._cache.index()
                    in_vain += 1
                    pause = 2**in_vain - 1
                pause -= 1
            self._feed_line(line)
            index += 1

    def _feed_line(self, line: bytes) -> None:
        is_client = line.startswith(self._client)
        try:
            if is_client:
                self._add_clients((self._parse_client(line),))
            elif line.startswith(self._route):
                self._route_count += 1
                self._read_route(line)
            else:
                self._feed_other(decode(line.removesuffix(b"\r")))
        except ValueError:
            self._unparsed += 1
            self._unparsed_clients += is_client

    def _add_clients(self, rows: Sequence[ClientRow]) -> None:
        self._rows += rows
        if not all(map(_virtual_address, rows)):
            for row in rows:
                if not _has_address(row):
                    self._unaddressed[_client_key(row)] = False
                    self._route_filter.add(row.real_address)

    def _add_route(self, route: RouteRow) -> None:
        key = _client_key(route)
        if key in self._unaddressed:  # the table of the clients comes first
            self._unaddressed[key] = True
        if self._want_routes:
            self._routes.append(route)

    def _feed_other(self, line: str) -> None:
        match line.split(self._separator, MAX_COLUMNS + 2):
            case ["TITLE", *title]:
                self._title = clean(self._separator.join(title), _MAX_TITLE)
            case ["TIME", *_, time]:
                self._updated = parse_time(time)
            case ["HEADER", table, *names]:
                self._feed_header(table, tuple(names))
            case ["GLOBAL_STATS", "Max bcast/mcast queue length", length]:
                self._queue_length = parse_number(length)
            case ["GLOBAL_STATS", "dco_enabled", flag]:
                self._dco = parse_number(flag) != 0
            case _:
                raise ValueError("an unknown row")

    def _feed_header(self, table: str, names: tuple[str, ...]) -> None:
        if self._headers == _MAX_HEADERS:
            raise ValueError("too many headers")
        self._headers += 1
        match table:
            case "CLIENT_LIST":
                columns = client_columns(names, self._separator)
                if self._separator == "\t":
                    self._cache.set_columns(columns)
                    self._parse_client = self._cache.parse
                else:
                    self._parse_client = lambda line: columns.parse(line.removesuffix(b"\r"))
                self._unparsed += columns.unknown > 0
            case "ROUTING_TABLE":
                route = route_columns(names, self._separator)
                self._parse_route = route.parse
                self._route_filter.set_columns(names)
                self._unparsed += route.unknown > 0
            case _:
                raise ValueError("the header of an unknown table")

    def finish(self, known: Sequence[ClientRow]) -> Generator[None, None, ServerStatus]:
        """Return the status; `known` are the rows that the cache has of it."""
        if self._updated is None:
            raise ReplyError("a status without a readable TIME row")
        # A new tuple would be looked at by the garbage collector, all of it at once.
        clients = known if len(known) == len(self._rows) else self._rows
        pending: Sequence[ClientRow] = ()
        if self._unaddressed:
            clients, pending = yield from self._split_pending()
        return ServerStatus(
            updated=self._updated,
            clients=tuple(clients),
            pending=tuple(pending),
            route_count=self._route_count,
            routes=tuple(self._routes),
            max_queue_length=self._queue_length,
            dco_enabled=self._dco,
            title=self._title,
            unparsed=self._unparsed,
            unparsed_clients=self._unparsed_clients,
        )

    def _split_pending(self) -> Generator[None, None, tuple[list[ClientRow], list[ClientRow]]]:
        """Return the connected clients and the pending ones."""
        addresses: set[str] = set()
        for keys in row_batches(self._unaddressed):
            addresses.update(address for _, address in keys)
            yield
        for batch in row_batches(self._rows):
            for row in [row for row in batch if row.real_address in addresses]:
                # Up to 2.6 a native IPv6 address is printed without its port, so a client that
                # connects again looks like its old instance: then the routes are of the old one.
                if _has_address(row):
                    self._unaddressed.pop(_client_key(row), None)
            yield
        clients: list[ClientRow] = []
        pending: list[ClientRow] = []
        for batch in row_batches(self._rows):
            if all(map(_virtual_address, batch)):
                clients += batch
            else:
                for row in batch:
                    is_proven = self._unaddressed.get(_client_key(row), False)
                    (clients if _has_address(row) or is_proven else pending).append(row)
            yield
        yield from release(self._unaddressed)
        return clients, pending
