"""The columns of a table in status format 2 or 3, as its `HEADER` row names them."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from exporter.management.status.model import ClientRow, RouteRow
from exporter.management.values import clean, clean_name, decode, parse_number, parse_time

Row = TypeVar("Row", ClientRow, RouteRow)


def _optional_number(text: str) -> int | None:
    return parse_number(text) if text else None


# Most names are the user name, too, and clients have a few ciphers: equal texts are one object.
_clean_name = functools.lru_cache(maxsize=8)(clean_name)
_clean_cipher = functools.lru_cache(maxsize=256)(clean)

# The columns that are read and their parsers, in the order of the fields of ClientRow and RouteRow.
CLIENT_COLUMNS: dict[str, Callable[[str], Any]] = {
    "Common Name": _clean_name,
    "Real Address": clean,
    "Virtual Address": clean,
    "Virtual IPv6 Address": clean,
    "Bytes Received": parse_number,
    "Bytes Sent": parse_number,
    "Connected Since (time_t)": parse_time,
    "Username": _clean_name,
    "Client ID": _optional_number,
    "Data Channel Cipher": _clean_cipher,
}
ROUTE_COLUMNS: dict[str, Callable[[str], Any]] = {
    "Virtual Address": clean,
    "Common Name": clean_name,
    "Real Address": clean,
    "Last Ref (time_t)": parse_time,
}
_NUMERIC = (parse_number, parse_time, _optional_number)
_NUMBER_NOT_READ = "Peer ID"
# Times without a zone, and what identifies a client less than its client id.
_NOT_READ = frozenset({"Connected Since", "Last Ref", _NUMBER_NOT_READ})
_REQUIRED = frozenset({"Common Name", "Real Address"})
_FREE_TEXT = frozenset({"Common Name", "Username"})

MAX_COLUMNS = 64
"""Most columns of a header; OpenVPN prints 13."""

MAX_COMMAS = 64
"""Most commas in the names of one row: a common name has at most 64 bytes."""


class Columns(Generic[Row]):
    """Parses the rows under one header."""

    def __init__(
        self,
        row: type[Row],
        parsers: Mapping[str, Callable[[str], Any]],
        *,
        names: Sequence[str],
        separator: str,
    ) -> None:
        if not _REQUIRED.issubset(names):
            raise ValueError("a header without the columns that are required")
        if len(names) > MAX_COLUMNS:
            raise ValueError("a header of too many columns")
        self.names = names
        self.unknown = sum(name not in parsers and name not in _NOT_READ for name in names)
        self._row: Callable[..., Row] = row
        self._separator = separator
        self._max_fields = len(names) + MAX_COMMAS + 2
        # An empty field is appended to each row, for all columns that this daemon does not print.
        indexes = {name: index for index, name in enumerate(names)}
        self._parsers = [(indexes.get(name, len(names)), parse) for name, parse in parsers.items()]
        self._numbers = [
            index
            for name, index in indexes.items()
            if parsers.get(name) in _NUMERIC or name == _NUMBER_NOT_READ
        ]
        self._text_columns = sorted(index for name, index in indexes.items() if name in _FREE_TEXT)

    def parse(self, line: bytes) -> Row:
        """Parse a row, keyword included.

        Raises:
            ValueError: the row cannot be parsed, or has another number of fields than the header.
        """
        _, *fields = decode(line).split(self._separator, self._max_fields)
        if len(fields) != len(self.names):
            fields = self._realign(fields)
        fields.append("")
        return self._row(*[parse(fields[index]) for index, parse in self._parsers])

    def _realign(self, fields: list[str]) -> list[str]:
        """Return the fields of a row whose names contain commas.

        Raises:
            ValueError: the row cannot be realigned in exactly one way.
        """
        surplus = len(fields) - len(self.names)
        if self._separator != "," or not 0 < surplus <= MAX_COMMAS:
            raise ValueError("a row with another number of fields than its header")
        shifts = self._shifts(fields, surplus)
        if len(shifts) != 1:
            raise ValueError("a row with ambiguous commas in its names")
        first, last = self._text_columns[0], self._text_columns[-1]
        return _join_commas(fields, surplus, shifts[0], first=first, last=last)

    def _shifts(self, fields: list[str], surplus: int) -> list[int]:
        """Return how many commas may belong to the first text column, of `surplus` in all.

        They shift the columns between the two text columns; those of both shift the columns behind.
        """
        first, last = self._text_columns[0], self._text_columns[-1]
        shifts = list(range(surplus + 1)) if last != first else [surplus]
        for index in self._numbers:
            if first < index < last:
                shifts = [shift for shift in shifts if fields[index + shift].isdigit()]
            elif not fields[index + surplus if index > last else index].isdigit():
                return []
        return shifts


def _join_commas(
    fields: list[str], surplus: int, in_first: int, *, first: int, last: int
) -> list[str]:
    """Join `surplus` commas into two text columns, `in_first` of them into the first one."""
    end = last + in_first  # where the last text column begins
    return [
        *fields[:first],
        ",".join(fields[first : first + in_first + 1]),
        *fields[first + in_first + 1 : end],
        *([",".join(fields[end : end + surplus - in_first + 1])] if last != first else ()),
        *fields[last + surplus + 1 :],
    ]


# The header of a daemon is the same in each status, and in those of other daemons of its version.
@functools.lru_cache(maxsize=16)
def client_columns(names: tuple[str, ...], separator: str) -> Columns[ClientRow]:
    """Return the columns of the `CLIENT_LIST` rows under a header.

    Raises:
        ValueError: a required column is missing.
    """
    return Columns(ClientRow, CLIENT_COLUMNS, names=names, separator=separator)


@functools.lru_cache(maxsize=16)
def route_columns(names: tuple[str, ...], separator: str) -> Columns[RouteRow]:
    """Return the columns of the `ROUTING_TABLE` rows under a header.

    Raises:
        ValueError: a required column is missing.
    """
    return Columns(RouteRow, ROUTE_COLUMNS, names=names, separator=separator)
