"""Status formats 2 (commas) and 3 (tabs): keyworded rows, columns named by `HEADER` rows.

The columns of `CLIENT_LIST` grew over the versions (2.3: user name; 2.4: IPv6, inserted in the
middle, client id, peer id; 2.5: cipher), so nothing is read by position. In format 3 no field can
hold the separator. In format 2 a common name and a user name can, so a row with too many fields
is realigned by what the fields between them must be, and dropped where that is ambiguous.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

from exporter.management.address import is_mac
from exporter.management.errors import ReplyError
from exporter.management.numbers import parse_number
from exporter.management.status.reading import Client, Route, ServerStatus, clean_name
from exporter.management.text import clean, decode

Row = TypeVar("Row", Client, Route)


def _optional_number(text: str) -> int | None:
    return parse_number(text) if text else None


# The columns we read and how, in the order of the fields of Client and Route.
_CLIENT_COLUMNS: dict[str, Callable[[str], Any]] = {
    "Common Name": clean_name,
    "Real Address": clean,
    "Virtual Address": clean,
    "Virtual IPv6 Address": clean,
    "Bytes Received": parse_number,
    "Bytes Sent": parse_number,
    "Connected Since (time_t)": parse_number,
    "Username": clean_name,
    "Client ID": _optional_number,
    "Peer ID": _optional_number,
    "Data Channel Cipher": clean,
}
_ROUTE_COLUMNS: dict[str, Callable[[str], Any]] = {
    "Virtual Address": clean,
    "Common Name": clean_name,
    "Real Address": clean,
    "Last Ref (time_t)": parse_number,
}
_NUMERIC = (parse_number, _optional_number)
_NOT_READ = frozenset({"Connected Since", "Last Ref"})  # the same moments without a zone
_REQUIRED = frozenset({"Common Name", "Real Address"})
_FREE_TEXT = frozenset({"Common Name", "Username"})
# Before a client has a cipher of its own its row shows the configured default; what the
# negotiation of 2.4 and later yields is authenticated encryption.
_NEGOTIATED_CIPHERS = ("GCM", "POLY1305")


class _Columns(Generic[Row]):
    """Where the fields of one kind of row are, as its header says."""

    def __init__(
        self, row: type[Row], readers: Mapping[str, Callable[[str], Any]], *, names: Sequence[str]
    ) -> None:
        if not _REQUIRED.issubset(names):
            raise ValueError("a header without the columns that make its rows")
        self.unknown = sum(name not in readers and name not in _NOT_READ for name in names)
        self._row: Callable[..., Row] = row
        self._names = names
        # An empty field stands after the last one for all columns that this daemon doesn't have.
        places = {name: index for index, name in enumerate(names)}
        self._plan = [(places.get(name, len(names)), read) for name, read in readers.items()]
        self._numbers = [place for name, place in places.items() if readers.get(name) in _NUMERIC]
        self._free = [place for name, place in places.items() if name in _FREE_TEXT]

    def read(self, line: str, separator: str) -> Row:
        """Read one row, its keyword left out.

        Raises:
            ValueError: one that can't be read, or another number of them.
        """
        fields = self._align(line.split(separator), separator)
        fields.append("")
        return self._row(*[read(fields[index]) for index, read in self._plan])

    def _align(self, values: list[str], separator: str) -> list[str]:
        surplus = len(values) - len(self._names)
        if surplus == 0:
            return values
        if surplus < 0 or separator != ",":
            raise ValueError("a row with another number of fields than its header")
        fitting = [row for row in _joinings(values, self._free, surplus) if self._fits(row)]
        if len(fitting) != 1:
            raise ValueError("a row whose commas can't be told from those in its names")
        return fitting[0]

    def _fits(self, values: Sequence[str]) -> bool:
        return all(values[index].isdigit() for index in self._numbers)


def _joinings(values: list[str], free: Sequence[int], surplus: int) -> Iterator[list[str]]:
    """Give every way to join `surplus` separators into the free columns (one or two)."""
    first, last = free[0], free[-1]
    for in_last in range(surplus + 1 if last != first else 1):
        in_first = surplus - in_last
        joined = [*values[:first], ",".join(values[first : first + in_first + 1])]
        joined += values[first + in_first + 1 :]
        if last != first:
            joined[last : last + in_last + 1] = [",".join(joined[last : last + in_last + 1])]
        yield joined


class _Table:
    """A status under way."""

    def __init__(self, separator: str, *, routes: bool) -> None:
        self._separator = separator
        self._want_routes = routes
        self._client_columns: _Columns[Client] | None = None
        self._route_columns: _Columns[Route] | None = None
        self._title = ""
        self._updated: int | None = None
        self._rows: list[Client] = []
        self._routes: list[Route] = []
        self._route_count = 0
        self._queue_length: int | None = None
        self._dco: bool | None = None
        self._unparsed = 0
        self._takers: dict[str, Callable[[str], None]] = {
            "TITLE": self._take_title,
            "TIME": self._take_time,
            "HEADER": self._take_header,
            "CLIENT_LIST": self._take_client,
            "ROUTING_TABLE": self._take_route,
            "GLOBAL_STATS": self._take_global,
        }

    def take(self, line: str) -> None:
        keyword, _, rest = line.partition(self._separator)
        try:
            self._takers[keyword](rest)
        except (ValueError, LookupError):
            self._unparsed += 1

    def _take_title(self, rest: str) -> None:
        self._title = clean(rest, limit=256)

    def _take_time(self, rest: str) -> None:
        self._updated = parse_number(rest.rpartition(self._separator)[2])

    def _take_header(self, rest: str) -> None:
        keyword, *names = rest.split(self._separator)
        columns: _Columns[Client] | _Columns[Route]
        if keyword == "CLIENT_LIST":
            columns = self._client_columns = _Columns(Client, _CLIENT_COLUMNS, names=names)
        elif keyword == "ROUTING_TABLE":
            columns = self._route_columns = _Columns(Route, _ROUTE_COLUMNS, names=names)
        else:
            raise ValueError("a header of unknown rows")
        self._unparsed += columns.unknown > 0

    def _take_client(self, rest: str) -> None:
        if self._client_columns is None:
            raise ValueError("a row before its header")
        self._rows.append(self._client_columns.read(rest, self._separator))

    def _take_route(self, rest: str) -> None:
        self._route_count += 1
        if self._routes and not self._want_routes:
            return
        if self._route_columns is None:
            raise ValueError("a row before its header")
        self._routes.append(self._route_columns.read(rest, self._separator))

    def _take_global(self, rest: str) -> None:
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
        connected = [_is_connected(row, tap=tap) for row in self._rows]
        return ServerStatus(
            updated=self._updated,
            clients=tuple(row for row, yes in zip(self._rows, connected, strict=True) if yes),
            pending=tuple(row for row, yes in zip(self._rows, connected, strict=True) if not yes),
            route_count=self._route_count,
            routes=tuple(self._routes) if self._want_routes else (),
            max_queue_length=self._queue_length,
            dco_enabled=self._dco,
            title=self._title,
            unparsed=self._unparsed,
        )


def _is_connected(row: Client, *, tap: bool) -> bool:
    """Tell a connected client from the other rows.

    Only connected clients have a virtual address; on a TAP bridge without an address pool nobody
    has one, and a user name or a negotiated cipher must do.
    """
    if row.virtual_address or row.virtual_ipv6_address:
        return True
    return tap and bool(row.username or row.cipher.endswith(_NEGOTIATED_CIPHERS))


def parse(lines: Sequence[bytes], *, separator: str, routes: bool) -> ServerStatus:
    """Read a table.

    Raises:
        ReplyError: the `TIME` row is missing or unreadable.
    """
    table = _Table(separator, routes=routes)
    for line in lines:
        table.take(decode(line))
    return table.finish()
