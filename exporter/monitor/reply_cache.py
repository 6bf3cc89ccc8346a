"""A reply of the daemon that is kept for other management clients."""

import asyncio
from collections import deque
from collections.abc import Generator, Sequence

from exporter.aio import run_cooperatively
from exporter.management.batches import line_batches
from exporter.management.commands import Command
from exporter.management.messages import MultilineReply, Reply, SuccessReply
from exporter.management.replies import MAX_LOG_LINES

Encoded = bytes | bytearray
"""A reply as a daemon sends it."""

TAB = b"\t"
COMMA = b","

_TITLE = b"TITLE\t"
_CRLF = b"\r\n"

_HISTORY_LIMITS = {Command.STATE: 1, Command.STATE_ALL: 100, Command.LOG_ALL: 250}
"""Entries that OpenVPN keeps; of log lines more or fewer with `management-log-cache`."""

KEYWORDS = {
    "STATE": (Command.STATE, Command.STATE_ALL),
    "LOG": (Command.LOG_ALL,),
}
"""The histories that a real-time message continues, by its keyword."""


class CachedReply:
    """One reply, and the entries by which real-time messages have continued its history since.

    Each shared daemon has two for its whole session, and most have no tools: they are small.
    """

    __slots__ = ("_encoded", "_encoding", "_later", "_limit", "reply")

    def __init__(self, command: Command, reply: Reply) -> None:
        self.reply = reply
        self._limit = _HISTORY_LIMITS.get(command, 0)
        self._later: deque[bytes] | None = None
        self._encoded: dict[bytes, bytearray] = {}
        self._encoding: asyncio.Lock | None = None

    def add(self, entry: bytes) -> None:
        """Add an entry of the history that is newer than the reply."""
        if self._later is None:
            count = max(len(self._lines), self._limit)
            self._later = deque(maxlen=count)  # a flood of log lines is not kept
        self._later.append(entry)

    @property
    def entries(self) -> Sequence[bytes]:
        """The lines of a reply of several lines, those added included, as many as the daemon keeps.

        A reply of one line has none.
        """
        lines = self._lines
        if not self._later:
            return lines
        return (*lines, *self._later)[-max(len(lines), self._limit) :]

    @property
    def _lines(self) -> Sequence[bytes]:
        """The lines of the reply itself."""
        if not isinstance(self.reply, MultilineReply):
            return ()
        return self.reply.lines[-MAX_LOG_LINES:] if self._limit else self.reply.lines

    async def encode(self, separator: bytes = TAB) -> Encoded:
        """Return the reply as a daemon sends it; long ones are encoded once, in batches.

        With `separator` the reply to `status 3` becomes that to `status 2`: OpenVPN prints both by
        the same code, and no field has a tab.
        """
        reply = self.reply
        if not isinstance(reply, MultilineReply):
            prefix = b"SUCCESS: " if isinstance(reply, SuccessReply) else b"ERROR: "
            return prefix + reply.text + _CRLF
        if not self.entries or not self.entries[0].startswith(_TITLE):
            separator = TAB
        if self._encoding is None:
            self._encoding = asyncio.Lock()
        async with self._encoding:
            if separator not in self._encoded:
                self._encoded[separator] = await run_cooperatively(_encode(reply.lines, separator))
            return self._encoded[separator]


def _encode(lines: Sequence[bytes], separator: bytes) -> Generator[None, None, bytearray]:
    # Parts of 33 MB, the status of 100,000 clients, would take 20 ms to be joined at once.
    encoded = bytearray()
    for batch in line_batches(lines):
        part = _CRLF.join((*batch, b""))
        encoded += part if separator == TAB else part.replace(TAB, separator)
        yield
    encoded += b"END" + _CRLF
    return encoded
