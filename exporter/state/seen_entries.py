"""A stream of entries that is seen in pieces, each entry counted once.

The daemon keeps the end of each of its two streams, states (100 entries) and log lines (250 by
default), and gives it when asked; in between, entries come one by one. Entries have no numbers
and a resolution of one second, and several may be equal, so pieces are laid over one another:
what the history begins with is what we saw last.
"""

from collections import deque
from collections.abc import Hashable, Sequence
from typing import Generic, TypeVar

_T = TypeVar("_T", bound=Hashable)


def overlap(seen: Sequence[object], history: Sequence[object], *, whole: bool = True) -> int:
    """Return how many entries at the start of `history` were seen, given the last ones seen.

    Where it can be laid in more than one way, the longest overlap holds: an entry too few rather
    than one that is counted twice. Unless `seen` is the `whole` of what was seen, it may lie
    inside the history.
    """
    if not seen:
        return 0
    longest = min(len(seen), len(history)) if whole else len(history)
    for end in range(longest, 0, -1):
        if history[end - 1] == seen[-1] and history[max(end - len(seen), 0) : end] == seen[-end:]:
            return end
    return 0


class SeenEntries(Generic[_T]):
    """The end of one stream, as far as it was seen."""

    def __init__(self, limit: int) -> None:
        """Remember the last `limit` entries by their hashes, more if the daemon keeps more."""
        self._limit = limit
        self._seen: deque[int] = deque(maxlen=limit)
        self._initialised = False

    def add(self, entry: _T) -> None:
        """Note an entry that came by itself."""
        self._seen.append(hash(entry))

    def unseen(self, history: Sequence[_T]) -> Sequence[_T]:
        """Take the daemon's history; return its entries that were not seen before.

        The very first history is the past: nothing of it is new.
        """
        hashes = [hash(entry) for entry in history]
        seen = list(self._seen)
        whole = len(seen) < self._limit
        known = overlap(seen, hashes, whole=whole) if self._initialised else len(history)
        if len(hashes) > self._limit:
            self._limit = len(hashes)
            self._seen = deque(seen, maxlen=self._limit)
        self._seen.extend(hashes if not self._initialised else hashes[known:])
        self._initialised = True
        return history[known:]

    def restart(self) -> None:
        """Note that the daemon's process is another one: all of its history is new."""
        self._seen.clear()
