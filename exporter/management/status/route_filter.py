"""The routes of some clients, found without parsing each of the others.

Most rows of the routing table say nothing new: their clients are known to be connected.
"""

from collections.abc import Sequence

_REAL_ADDRESS = "Real Address"


class RouteFilter:
    """Selects routes by the real address of their client, in format 3.

    In format 2 commas in names move the columns: there all routes are selected.
    """

    def __init__(self, separator: str) -> None:
        self._separator = separator
        self._place: int | None = None
        self._addresses: set[bytes] = set()
        self._are_as_printed = True

    def set_columns(self, names: Sequence[str]) -> None:
        """Set the columns of the following routes."""
        # The last field of a line may have a part of its end.
        is_column = names.count(_REAL_ADDRESS) == 1 and names[-1] != _REAL_ADDRESS
        can_select = is_column and self._separator == "\t"
        self._place = names.index(_REAL_ADDRESS) + 1 if can_select else None

    def add(self, real_address: str) -> None:
        """Select the routes of the clients at an address from now on."""
        # One with a backslash or "…" may have been changed to make it safe to show.
        self._are_as_printed &= real_address.isascii() and "\\" not in real_address
        self._addresses.add(real_address.encode())

    def select(self, lines: Sequence[bytes]) -> Sequence[bytes]:
        """Return the lines that may be routes of these clients, and those that can't be split."""
        place, addresses = self._place, self._addresses
        if place is None or not self._are_as_printed:
            return lines
        return [
            line
            for line in lines
            if len(fields := line.split(b"\t", place + 1)) <= place or fields[place] in addresses
        ]
