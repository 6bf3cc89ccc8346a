"""What a new configuration changes: who stays as it is, who goes on differently, who restarts."""

from collections.abc import Iterable

import msgspec

from exporter.config.target import Target


class ReloadDiff(msgspec.Struct, frozen=True):
    """Names of daemons; each name of the old and of the new configuration is in one place."""

    unchanged: tuple[str, ...] = ()
    """Not touched at all."""
    changed: tuple[str, ...] = ()
    """Go on by other settings, with their session and their counters."""
    restarted: tuple[str, ...] = ()
    """Begin anew, with another session and with counters from 0."""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Say how many of each."""
        return ", ".join(f"{len(getattr(self, kind))} {kind}" for kind in self.__struct_fields__)


def diff(old: Iterable[Target], new: Iterable[Target]) -> ReloadDiff:
    """Return the way from `old` to `new`; names are in the order of `new`, then of `old`."""
    before = {watch.daemon.name: watch for watch in old}
    found: dict[str, list[str]] = {kind: [] for kind in ReloadDiff.__struct_fields__}
    for watch in new:
        known = before.pop(watch.daemon.name, None)
        found[_fate(known, watch)].append(watch.daemon.name)
    found["removed"] += before
    return ReloadDiff(**{kind: tuple(names) for kind, names in found.items()})


def _fate(old: Target | None, new: Target) -> str:
    if old is None:
        return "added"
    if old == new:
        return "unchanged"
    return "changed" if new.is_same_target(old) else "restarted"
