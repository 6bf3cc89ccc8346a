"""Status formats 2 and 3: keyworded rows, columns named by `HEADER` rows.

The columns of `CLIENT_LIST` grew over the versions (2.3: user name; 2.4: IPv6, inserted in the
middle, client id, peer id; 2.5: cipher), so nothing is read by position. In format 3 no field can
hold the separator. In format 2 a common name and a user name can, so a row with too many fields
is realigned by what the fields between them must be, and dropped where that is ambiguous.
"""

from collections.abc import Callable, Generator, Iterable, Sequence

from exporter.management.errors import ReplyError
from exporter.management.status.columns import CLIENT_COLUMNS, ROUTE_COLUMNS, Columns
from exporter.management.status.model import ClientRow, RouteRow, ServerStatus
from exporter.management.status.row_cache import SEPARATOR, RowCache
from exporter.management.values import clean, decode, is_mac, parse_number

_CHUNK_SIZE = 2000
"""Lines that are read at once: a few milliseconds, ten where all of them are new."""

# Before a client has a cipher of its own its row shows the configured default; what the
# negotiation of 2.4 and later yields is authenticated encryption.
_NEGOTIATED_CIPHERS = ("GCM", "POLY1305")


class TableReader:
    """Reads tables of one daemon, one after the other; unchanged rows of format 3 cost little."""

    def __init__(self, *, routes: bool) -> None:
        """Begin with no table read; `routes` tells whether to read each route."""
        self._routes = routes
        self._known: RowCache | None = None

    def read_in_chunks(
        self, lines: Sequence[bytes], separator: str
    ) -> Generator[None, None, ServerStatus]:
        """Read a table, pausing after each slice of it; return what it says.

        Raises:
            ReplyError: the `TIME` row is missing or unreadable.
        """
        table = _TableParser(separator, routes=self._routes, known=self._known)
        for start in range(0, len(lines), _CHUNK_SIZE):
            table.feed(lines[start : start + _CHUNK_SIZE])
            yield
        self._known = table.known
        if self._known is not None:
            self._known.rotate()
        return table.finish()


def _no_header(_: bytes) -> ClientRow:
    raise ValueError("a row before its header")


class _TableParser:
    """A status under way."""

    def __init__(self, separator: str, *, routes: bool, known: RowCache | None) -> None:
        self.known = known
        self._separator = separator
        self._want_routes = routes
        self._read_client: Callable[[bytes], ClientRow] = _no_header
        self._route_columns: Columns[RouteRow] | None = None
        self._title = ""
        self._updated: int | None = None
        self._rows: list[ClientRow] = []
        self._routes: list[RouteRow] = []
        self._skip_routes = False
        self._route_count = 0
        self._queue_length: int | None = None
        self._dco: bool | None = None
        self._unparsed = 0
        self._handlers: dict[str, Callable[[str], None]] = {
            "TITLE": self._on_title,
            "TIME": self._on_time,
            "HEADER": self._on_header,
            "ROUTING_TABLE": self._on_route,
            "GLOBAL_STATS": self._on_global,
        }

    def feed(self, lines: Iterable[bytes]) -> None:
        client = f"CLIENT_LIST{self._separator}".encode()
        route = f"ROUTING_TABLE{self._separator}".encode()
        for line in lines:
            try:
                if line.startswith(client):
                    self._rows.append(self._read_client(line))
                elif self._skip_routes and line.startswith(route):
                    self._route_count += 1
                else:
                    self._on_other(decode(line))
            except (ValueError, LookupError):
                self._unparsed += 1

    def _on_other(self, line: str) -> None:
        keyword, _, rest = line.partition(self._separator)
        self._handlers[keyword](rest)

    def _on_title(self, rest: str) -> None:
        self._title = clean(rest, limit=256)

    def _on_time(self, rest: str) -> None:
        self._updated = parse_number(rest.rpartition(self._separator)[2])

    def _on_header(self, rest: str) -> None:
        keyword, *names = rest.split(self._separator)
        columns: Columns[ClientRow] | Columns[RouteRow]
        if keyword == "CLIENT_LIST":
            columns = Columns(ClientRow, CLIENT_COLUMNS, names=names)
            self._read_client = self._client_reader(columns)
        elif keyword == "ROUTING_TABLE":
            columns = self._route_columns = Columns(RouteRow, ROUTE_COLUMNS, names=names)
        else:
            raise ValueError("a header of unknown rows")
        self._unparsed += columns.unknown > 0

    def _client_reader(self, columns: Columns[ClientRow]) -> Callable[[bytes], ClientRow]:
        if self._separator == SEPARATOR:
            if self.known is None or not self.known.fits(columns):
                self.known = RowCache(columns)
            return self.known.read
        separator = self._separator
        return lambda line: columns.read(decode(line).partition(separator)[2], separator)

    def _on_route(self, rest: str) -> None:
        self._route_count += 1
        if self._route_columns is None:
            raise ValueError("a row before its header")
        self._routes.append(self._route_columns.read(rest, self._separator))
        self._skip_routes = not self._want_routes

    def _on_global(self, rest: str) -> None:
        match rest.split(self._separator):
            case ["Max bcast/mcast queue length", length]:
                self._queue_length = parse_number(length)
            case ["dco_enabled", flag]:
                self._dco = parse_number(flag) != 0
            case _:
                raise ValueError("an unknown row of the global statistics")

    def finish(self) -> ServerStatus:
        if self._updated is None:
            raise ReplyError("a status without a readable TIME row")
        # All routes of a TAP daemon are MAC addresses, none of a TUN daemon is.
        tap = any(is_mac(route.virtual_address) for route in self._routes[:1])
        return ServerStatus(
            updated=self._updated,
            clients=tuple([row for row in self._rows if _is_connected(row, tap=tap)]),
            pending=tuple([row for row in self._rows if not _is_connected(row, tap=tap)]),
            route_count=self._route_count,
            routes=tuple(self._routes) if self._want_routes else (),
            max_queue_length=self._queue_length,
            dco_enabled=self._dco,
            title=self._title,
            unparsed=self._unparsed,
        )


def _is_connected(row: ClientRow, *, tap: bool) -> bool:
    """Tell a connected client from the other rows.

    Only connected clients have a virtual address; on a TAP bridge without an address pool nobody
    has one, and a user name or a negotiated cipher must do.
    """
    if row.virtual_address or row.virtual_ipv6_address:
        return True
    return tap and bool(row.username or row.cipher.endswith(_NEGOTIATED_CIPHERS))
