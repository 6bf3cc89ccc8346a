"""The body of an answer, in pieces."""

from collections.abc import Callable, Iterable

from aiohttp import Payload
from aiohttp.abc import AbstractStreamWriter


class ChunkedPayload(Payload):
    """A body that is sent piece by piece, each when the ones before it have mostly gone.

    Of a page of megabytes no copy is made, and a slow reader makes nothing pile up here.
    """

    def __init__(
        self, pieces: Callable[[], Iterable[bytes | memoryview]], *, size: int, content_type: str
    ) -> None:
        """Send what `pieces` gives, which are `size` bytes."""
        super().__init__(pieces, content_type=content_type)
        self._size = size

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Send the body."""
        for piece in self._value():
            await writer.write(piece)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Return the body as text."""
        return b"".join(self._value()).decode(encoding, errors)
