"""Finds the position of an injection in a stream, whatever the chunk boundaries are."""

from tests.faults.faults import ByteOffset, Injection, LineStart, Position, StatusOffset

_STATUS = b"TITLE\t"
_LINE_FEED = 0x0A


class Trigger:
    """Searches the stream for the position of one injection."""

    def __init__(self, injection: Injection) -> None:
        self.injection = injection
        self._remaining = injection.position.skip
        self._counting = not isinstance(injection.position, StatusOffset)

    def find(self, data: bytes, *, at_line_start: bool) -> int | None:
        """Return the index in `data` at which to inject; None if `data` ends before it.

        `at_line_start`: the first byte starts a line. The first line of a status must be in one
        chunk; on loopback it is, since it is one of the shortest lines.
        """
        start = 0 if self._counting else data.find(_STATUS)
        if start < 0:
            return None
        self._counting = True
        offset = start + self._remaining
        found = _match(self.injection.position, data, offset, at_line_start=at_line_start)
        if found is None:
            self._remaining = max(0, offset - len(data))
        return found


def _match(position: Position, data: bytes, offset: int, *, at_line_start: bool) -> int | None:
    match position:
        case ByteOffset() | StatusOffset():
            return offset if offset < len(data) else None
        case LineStart():
            starts = [0] if at_line_start else []
            starts += [at + 1 for at in range(len(data) - 1) if data[at] == _LINE_FEED]
            matching = (at for at in starts if at >= offset and not data.startswith(b">", at))
            return next(matching, None)
