"""The routes of some clients, found without parsing each of the others.

Most rows of the routing table say nothing new: their clients are known to be connected.
"""

from collections.abc import Collection, Sequence

_REAL_ADDRESS = "Real Address"


class RouteFilter:
    """Selects routes by the real address of their client, in format 3.

    In format 2 commas in names move the columns: there all routes are selected.
    """

    def __init__(self, names: Sequence[str], separator: str) -> None:
        """`names` are the columns of the table."""
        # The last field of a line may have a part of its end.
        is_column = names.count(_REAL_ADDRESS) == 1 and names[-1] != _REAL_ADDRESS
        can_select = is_column and separator == "\t"
        self._place = names.index(_REAL_ADDRESS) + 1 if can_select else None
        self._clients = 0
        self._addresses: Collection[bytes] | None = None

    def select(
        self, lines: Sequence[bytes], clients: Collection[tuple[str, str]]
    ) -> Sequence[bytes]:
        """Return the lines that may be routes of clients, and those that can't be split.

        `clients` are common names and real addresses; between two calls some may be added.
        """
        if len(clients) != self._clients:
            self._clients = len(clients)
            self._addresses = _raw({address for _, address in clients})
        place, addresses = self._place, self._addresses
        if place is None or addresses is None:
            return lines
        return [
            line
            for line in lines
            if len(fields := line.split(b"\t", place + 1)) <= place or fields[place] in addresses
        ]


def _raw(addresses: Collection[str]) -> Collection[bytes] | None:
    """Return addresses as they are printed; None if one was changed to make it safe to show."""
    if any(not address.isascii() or "\\" in address for address in addresses):
        return None
    return frozenset(address.encode() for address in addresses)
