"""Dictionaries that keep a number of entries, so that what peers send does not fill the memory."""

from typing import Any


def drop_oldest(entries: dict[Any, Any], limit: int) -> None:
    """Drop the entries that were added first, until there are `limit` of them at most."""
    while len(entries) > limit:
        del entries[next(iter(entries))]
