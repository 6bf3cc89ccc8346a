"""Where in a stream a strike happens: counting bytes and lines, whatever chunks they come in."""

from tests.faults.faults import Anywhere, LineStart, Place, Status, Strike

_STATUS = b"TITLE\t"
_LINE_FEED = 0x0A


class Aim:
    """Looks for the place of one strike in what passes."""

    def __init__(self, strike: Strike) -> None:
        self.strike = strike
        self._left = strike.place.skip
        self._counts = not isinstance(strike.place, Status)

    def find(self, data: bytes, *, line_starts: bool) -> int | None:
        """Return where in `data` to strike, None for not yet.

        `line_starts` tells whether the first byte begins a line. A status must begin within one
        chunk, which it does on loopback: its first line is one of the shortest.
        """
        begin = 0 if self._counts else data.find(_STATUS)
        if begin < 0:
            return None
        self._counts = True
        position = begin + self._left
        found = _settle(self.strike.place, data, position, line_starts=line_starts)
        if found is None:
            self._left = max(0, position - len(data))
        return found


def _settle(place: Place, data: bytes, position: int, *, line_starts: bool) -> int | None:
    match place:
        case Anywhere() | Status():
            return position if position < len(data) else None
        case LineStart():
            starts = [0] if line_starts else []
            starts += [at + 1 for at in range(len(data) - 1) if data[at] == _LINE_FEED]
            fitting = (at for at in starts if at >= position and not data.startswith(b">", at))
            return next(fitting, None)
