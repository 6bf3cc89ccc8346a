"""The columns of a table, as its `HEADER` row names them, and how their fields are read."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

from exporter.management.status.model import ClientRow, RouteRow, clean_name
from exporter.management.values import clean, parse_number

Row = TypeVar("Row", ClientRow, RouteRow)


def _optional_number(text: str) -> int | None:
    return parse_number(text) if text else None


# The columns we read and how, in the order of the fields of Client and Route.
CLIENT_COLUMNS: dict[str, Callable[[str], Any]] = {
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
ROUTE_COLUMNS: dict[str, Callable[[str], Any]] = {
    "Virtual Address": clean,
    "Common Name": clean_name,
    "Real Address": clean,
    "Last Ref (time_t)": parse_number,
}
_NUMERIC = (parse_number, _optional_number)
_NOT_READ = frozenset({"Connected Since", "Last Ref"})  # the same moments without a zone
_REQUIRED = frozenset({"Common Name", "Real Address"})
_FREE_TEXT = frozenset({"Common Name", "Username"})


class Columns(Generic[Row]):
    """Where the fields of one kind of row are, as its header says."""

    def __init__(
        self, row: type[Row], readers: Mapping[str, Callable[[str], Any]], *, names: Sequence[str]
    ) -> None:
        if not _REQUIRED.issubset(names):
            raise ValueError("a header without the columns that make its rows")
        self.unknown = sum(name not in readers and name not in _NOT_READ for name in names)
        self._row: Callable[..., Row] = row
        self.names = names
        # An empty field stands after the last one for all columns that this daemon doesn't have.
        indexes = {name: index for index, name in enumerate(names)}
        self._readers = [(indexes.get(name, len(names)), read) for name, read in readers.items()]
        self._numbers = [index for name, index in indexes.items() if readers.get(name) in _NUMERIC]
        self._text_columns = [index for name, index in indexes.items() if name in _FREE_TEXT]

    def read(self, line: str, separator: str) -> Row:
        """Read one row, its keyword left out.

        Raises:
            ValueError: one that can't be read, or another number of them.
        """
        fields = self._align(line.split(separator), separator)
        fields.append("")
        return self._row(*[read(fields[index]) for index, read in self._readers])

    def _align(self, values: list[str], separator: str) -> list[str]:
        surplus = len(values) - len(self.names)
        if surplus == 0:
            return values
        if surplus < 0 or separator != ",":
            raise ValueError("a row with another number of fields than its header")
        fitting = [
            row for row in _candidate_rows(values, self._text_columns, surplus) if self._fits(row)
        ]
        if len(fitting) != 1:
            raise ValueError("a row whose commas can't be told from those in its names")
        return fitting[0]

    def _fits(self, values: Sequence[str]) -> bool:
        return all(values[index].isdigit() for index in self._numbers)


def _candidate_rows(
    values: list[str], text_columns: Sequence[int], surplus: int
) -> Iterator[list[str]]:
    """Give every way to join `surplus` separators into the free columns (one or two)."""
    first, last = text_columns[0], text_columns[-1]
    for in_last in range(surplus + 1 if last != first else 1):
        in_first = surplus - in_last
        joined = [*values[:first], ",".join(values[first : first + in_first + 1])]
        joined += values[first + in_first + 1 :]
        if last != first:
            joined[last : last + in_last + 1] = [",".join(joined[last : last + in_last + 1])]
        yield joined
