"""Parsed replies: one function for each command. `status` is a package of its own."""

import contextlib
import functools
import re
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import TypeVar

import msgspec

from exporter.management.batches import line_batches
from exporter.management.errors import ReplyError
from exporter.management.notifications import LogLine, parse_log
from exporter.management.state import State, parse_state
from exporter.management.status import Status
from exporter.management.values import clean, clean_bytes, decode, parse_number

MAX_VERSION_LINES = 20
"""Lines of the reply to `version` that are read; OpenVPN sends two."""

MAX_STATES = 100
"""Entries of the state history, the last of which are read: OpenVPN keeps no more."""

MAX_LOG_LINES = 10_000
"""Lines of the log cache, the last of which are read.

OpenVPN keeps 250, or as many as `management-log-cache` says.
"""

_LOG_BATCH = 1000
"""Lines of the log cache that are parsed at once."""

_T = TypeVar("_T")


class Version(msgspec.Struct, frozen=True):
    """The reply to `version`.

    `version` and `platform` are words of the version string (`2.6.14`, `x86_64-pc-linux-gnu`).
    `management_version` is the number of the management interface. Missing ones are "".
    """

    version: str
    platform: str
    management_version: str


_version = functools.lru_cache(maxsize=64)(Version)
"""One object for all daemons of the same version."""


class LoadStats(msgspec.Struct, frozen=True):
    """The reply to `load-stats`: totals since the start of the process.

    The bytes do not include those of data channel offload. `clients` counts established client
    instances, those just rejected included; it is 0 in client mode.
    """

    clients: int
    received_bytes: int
    sent_bytes: int


# The word before the version is the program's name, which some vendors change.
_VERSION = re.compile(r"\S+ (\S+)(?: \[git:[^\]]*\])?(?: ([^\s\[]\S*))?")
_LOAD_STATS = re.compile(r"nclients=(\d+),bytesin=(\d+),bytesout=(\d+)", re.ASCII)


class DaemonInfo(msgspec.Struct, frozen=True):
    """The facts that a daemon reports at the beginning of a session; None if it did not."""

    version: Version | None
    pid: int | None
    verbosity: int | None


class Poll(msgspec.Struct, frozen=True):
    """The replies of one poll.

    `load_stats` is None if that reply could not be used. `status` is None while the daemon has
    none: it is held, waits for a password, or restarts.
    `fallback` is true if `status 1` was used because `status 3` did not end.
    """

    load_stats: LoadStats | None
    status: Status | None
    fallback: bool = False


def parse_title(title: str) -> Version | None:
    """Parse the title of a status, which begins with the version; None if it does not."""
    match = _VERSION.match(title)
    return _version(match[1], match[2] or "", "") if match else None


def parse_version(lines: Sequence[bytes]) -> Version:
    """Parse the reply to `version`.

    Raises:
        ReplyError: no `OpenVPN Version:` line.
    """
    lines = lines[:MAX_VERSION_LINES]
    facts = dict(decode(line).split(": ", 1) for line in lines if b": " in line)
    match = _VERSION.match(facts.get("OpenVPN Version", ""))
    if match is None:
        raise ReplyError("a reply to 'version' without a version")
    management = facts.get("Management Version") or facts.get("Management Interface Version", "")
    return _version(clean(match[1]), clean(match[2] or ""), clean(management))


def parse_pid(text: bytes) -> int:
    """Parse `pid=17954`, the process id."""
    return _parse_setting(text, "pid")


def parse_verb(text: bytes) -> int:
    """Parse `verb=3`, the verbosity of the log."""
    return _parse_setting(text, "verb")


def parse_hold(text: bytes) -> bool:
    """Parse the reply to `hold`; return whether a pass-through answered, not the daemon.

    A daemon says `hold=0`. A management client that shares the interface, such as
    openvpn-auth-oauth2, keeps this command to itself: `hold release succeeded`.

    Raises:
        ReplyError: the text is anything else.
    """
    if text == b"hold release succeeded":
        return True
    _parse_setting(text, "hold")
    return False


def parse_load_stats(text: bytes) -> LoadStats:
    """Parse `nclients=1,bytesin=3005,bytesout=3148`.

    Raises:
        ReplyError: the text is anything else.
    """
    match = _LOAD_STATS.fullmatch(decode(text))
    if match is None:
        raise ReplyError(f"unexpected reply to 'load-stats': {clean_bytes(text, 64)!r}")
    try:
        return LoadStats(parse_number(match[1]), parse_number(match[2]), parse_number(match[3]))
    except ValueError as error:
        raise ReplyError("a reply to 'load-stats' with numbers beyond 64 bits") from error


def parse_states(lines: Sequence[bytes]) -> tuple[State, ...]:
    """Parse the state history, oldest entry first; skip lines that are no entry.

    Raises:
        ReplyError: no line is an entry.
    """
    states = tuple(_valid_lines(parse_state, lines[-MAX_STATES:]))
    if lines and not states:
        raise ReplyError("a reply to 'state' of which no line can be parsed")
    return states


def parse_log_cache(lines: Sequence[bytes]) -> Generator[None, None, tuple[LogLine, ...]]:
    """Parse the log cache, oldest line first, yielding after each batch of lines; return them.

    Lines that are no log line are skipped: before 2.5.11 and 2.6.11 a peer could put a line break
    into a message.

    Raises:
        ReplyError: no line is a log line.
    """
    parsed: list[LogLine] = []
    for batch in line_batches(lines[-MAX_LOG_LINES:], rows=_LOG_BATCH):
        parsed += _valid_lines(parse_log, batch)
        yield
    if lines and not parsed:
        raise ReplyError("a reply to 'log all' of which no line can be parsed")
    return tuple(parsed)


def _valid_lines(parse: Callable[[str], _T], lines: Sequence[bytes]) -> Iterator[_T]:
    for line in lines:
        with contextlib.suppress(ValueError):
            yield parse(decode(line))


def _parse_setting(text: bytes, name: str) -> int:
    key, _, value = decode(text).partition("=")
    try:
        if key == name:
            return parse_number(value)
    except ValueError:
        pass
    raise ReplyError(f"unexpected reply to {name!r}: {clean_bytes(text, 64)!r}")
