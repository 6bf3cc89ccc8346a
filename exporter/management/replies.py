"""Replies as readings, one function a command. `status` has a package of its own."""

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import msgspec

from exporter.management.errors import ReplyError
from exporter.management.notifications import LogLine, parse_log
from exporter.management.state import State, parse_state
from exporter.management.status import Status
from exporter.management.values import clean, clean_bytes, decode, parse_number

_T = TypeVar("_T")


class Version(msgspec.Struct, frozen=True):
    """The reply to `version`.

    `version` and `platform` are words of the version string (`2.6.14`, `x86_64-pc-linux-gnu`),
    "" where it has none; `management_version` is the number of the interface, "" if not said.
    """

    version: str
    platform: str
    management_version: str


class LoadStats(msgspec.Struct, frozen=True):
    """The reply to `load-stats`: totals of the process over its whole life, without DCO bytes.

    `clients` counts established instances, those just rejected included; 0 in client mode.
    """

    clients: int
    received_bytes: int
    sent_bytes: int


# The word before the number is the program's name; builds of other vendors change it.
_VERSION = re.compile(r"\S+ (\S+)(?: \[git:[^\]]*\])?(?: ([^\s\[]\S*))?")
_LOAD_STATS = re.compile(r"nclients=(\d+),bytesin=(\d+),bytesout=(\d+)", re.ASCII)


class DaemonInfo(msgspec.Struct, frozen=True):
    """What a daemon says of itself at the beginning of a session."""

    version: Version
    pid: int
    verbosity: int
    holds: bool


class Poll(msgspec.Struct, frozen=True):
    """One complete answer.

    `status` is None while the daemon has none: it is held, asks for a password, or restarts.
    `fallback` tells that `status 1` had to do.
    """

    load_stats: LoadStats
    status: Status | None
    fallback: bool = False


def parse_title(title: str) -> Version | None:
    """Read the title of a status, which begins as the version does; None where it doesn't."""
    match = _VERSION.match(title)
    return Version(match[1], match[2] or "", "") if match else None


def parse_version(lines: Sequence[bytes]) -> Version:
    """Read the reply to `version`.

    Raises:
        ReplyError: no `OpenVPN Version:` line.
    """
    facts = dict(decode(line).split(": ", 1) for line in lines if b": " in line)
    match = _VERSION.match(facts.get("OpenVPN Version", ""))
    if match is None:
        raise ReplyError("a reply to 'version' without a version")
    management = facts.get("Management Version") or facts.get("Management Interface Version", "")
    return Version(clean(match[1]), clean(match[2] or ""), clean(management))


def parse_pid(text: bytes) -> int:
    """Read `pid=17954`."""
    return _parse_setting(text, "pid")


def parse_verb(text: bytes) -> int:
    """Read `verb=3`: the log level the daemon runs at."""
    return _parse_setting(text, "verb")


def parse_hold(text: bytes) -> bool:
    """Read `hold=0`: whether the daemon will hold at its next (re)start."""
    return _parse_setting(text, "hold") != 0


def parse_load_stats(text: bytes) -> LoadStats:
    """Read `nclients=1,bytesin=3005,bytesout=3148`.

    Raises:
        ReplyError: anything else.
    """
    match = _LOAD_STATS.fullmatch(decode(text))
    if match is None:
        raise ReplyError(f"a reply to 'load-stats' that says {clean_bytes(text, 64)!r}")
    return _numbers_or_reply_error(match)


def parse_states(lines: Sequence[bytes]) -> tuple[State, ...]:
    """Read the state history, oldest first; lines that are none are left out."""
    return tuple(_readable(parse_state, lines))


def parse_log_cache(lines: Sequence[bytes]) -> tuple[LogLine, ...]:
    """Read the log cache, oldest first; lines that are none are left out.

    Before 2.5.11 and 2.6.11 a peer could put a line break into a message.
    """
    return tuple(_readable(parse_log, lines))


def _readable(parse: Callable[[str], _T], lines: Sequence[bytes]) -> Iterator[_T]:
    for line in lines:
        with contextlib.suppress(ValueError):
            yield parse(decode(line))


def _numbers_or_reply_error(match: re.Match[str]) -> LoadStats:
    try:
        return LoadStats(*(parse_number(group) for group in match.groups()))
    except ValueError as error:
        raise ReplyError("a reply to 'load-stats' with numbers beyond 64 bits") from error


def _parse_setting(text: bytes, name: str) -> int:
    key, _, value = decode(text).partition("=")
    try:
        if key == name:
            return parse_number(value)
    except ValueError:
        pass
    raise ReplyError(f"a reply to {name!r} that says {clean_bytes(text, 64)!r}")
