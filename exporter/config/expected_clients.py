"""`expected_clients` of the top level: names, and patterns of names, of clients of any server."""

import fnmatch
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Annotated

import msgspec

from exporter.config.keys import KeySpec
from exporter.config.types import ClientName, ListOf
from exporter.management.values import MAX_LENGTH
from exporter.openvpn_config import Discovery, Finding, Kind

COMMON_NAME = ClientName(MAX_LENGTH)

ExpectedAnywhere = Annotated[
    tuple[str, ...],
    KeySpec(
        ListOf(COMMON_NAME),
        "Clients that must be connected to any of the servers, by their identity: names, or "
        "patterns such as `branch-*`; see [expected clients](expected-clients.md).",
    ),
]


class NamePatterns(msgspec.Struct, frozen=True):
    """The items of `expected_clients`: plain names, and patterns."""

    names: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()

    @classmethod
    def of(cls, items: Iterable[str]) -> "NamePatterns":
        """Return the items, sorted into names and patterns."""
        items = tuple(items)
        return cls(
            tuple(item for item in items if not is_pattern(item)),
            tuple(item for item in items if is_pattern(item)),
        )

    def matcher(self) -> Callable[[str], object]:
        """Return a function whose result is true for a name that a pattern matches."""
        if not self.patterns:
            return lambda _: None
        return re.compile("|".join(map(fnmatch.translate, self.patterns))).match


def is_pattern(item: str) -> bool:
    """Return whether an item is a pattern: `*`, `?` and `[…]` as in a shell."""
    return any(character in item for character in "*?[")


def ccd_names(discovery: Discovery) -> Sequence[str]:
    """Return the clients that the `client-config-dir`s of the discovered servers name, sorted."""
    return sorted({name for daemon in discovery.daemons for name in daemon.ccd_clients})


def pattern_findings(
    items: Sequence[str], discovery: Discovery, *, has_pki: bool
) -> Iterator[Finding]:
    """Yield a finding if there are patterns, but nothing has the names for them."""
    if any(map(is_pattern, items)) and not has_pki and not ccd_names(discovery):
        yield Finding(
            kind=Kind.NO_MATCH,
            location="expected_clients",
            text="there is no `pki`, and no client-config-dir names a client, so patterns match "
            "nothing: set `pki`, let `discover` find the servers, or write names",
        )


def names_like_patterns(
    entries: Iterable[tuple[str, Sequence[str]]], discovery: Discovery
) -> Iterator[Finding]:
    """Yield a finding for each daemon that expects a name which looks like a pattern.

    `entries` are the names of daemons, each with the clients that it expects.
    """
    files = set(ccd_names(discovery))
    for daemon, names in entries:
        if any(is_pattern(name) and name not in files for name in names):
            yield Finding(
                kind=Kind.NO_MATCH,
                location="expected_clients",
                text="`*`, `?` and `[` belong to the name here: patterns are only in the "
                "`expected_clients` of the top level",
                daemon=daemon,
            )
