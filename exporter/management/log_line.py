"""Lines of the daemon's log: who they are about, and which known event they tell.

A line may begin with `Connection Attempt ` and with the client it is about: `127.0.0.1:48762 `
before its name is verified, `alice/127.0.0.1:48762 ` after, `alice/udp4:127.0.0.1:48762 ` from
2.7 on. Names hold what their owners chose, slashes and blanks included, and so do the ends of
some messages. A line that can be read in two ways tells no event: better one event less than one
that a peer made up.
"""

import enum
import re
from collections.abc import Iterator

import msgspec

from exporter.management.log_events import LOG_EVENTS, LogEvent
from exporter.management.notifications import Log
from exporter.management.text import clean


class NewClient(msgspec.Struct, frozen=True):
    """A client that was let in: its clean name and its real address.

    One with two virtual addresses has two lines, the second with `ipv6`.
    """

    name: str
    real_address: str
    ipv6: bool


class Severity(enum.StrEnum):
    """How grave a line is, by the flags that the daemon gives it; mostly it gives none."""

    FATAL = "fatal"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    DEBUG = "debug"
    OTHER = "other"


_SEVERITIES = {
    "F": Severity.FATAL,
    "N": Severity.ERROR,
    "W": Severity.WARNING,
    "I": Severity.INFO,
    "D": Severity.DEBUG,
}

_ADDRESS = (
    r"(?:(?:udp|tcp)[46]?(?:-server)?:)?"
    r"(?:\d{1,3}(?:\.\d{1,3}){3}:\d{1,5}|\[[0-9a-f:.]+\]:\d{1,5}|[0-9a-f]*:[0-9a-f:.]+)"
)
_PREFIX_END = re.compile(rf"(?:\A|/){_ADDRESS} ")
_NEW_CLIENT = re.compile(
    rf"MULTI: primary virtual IP(?P<v6>v6)? for (?P<name>.*)/(?P<address>{_ADDRESS}): [0-9a-f.:]+"
)


def severity(line: Log) -> Severity:
    """Tell how grave a line is."""
    return _SEVERITIES.get(line.flags[:1], Severity.OTHER)


def is_ours(line: Log) -> bool:
    """Tell lines that only management clients cause, and those that repeat a state change."""
    text = line.text.removeprefix("Connection Attempt ")
    return any(message.startswith("MANAGEMENT: ") for message in _readings(text))


def recognise(line: Log) -> LogEvent | None:
    """Find the known event that a line tells, None for all others and for ambiguous lines."""
    events = {
        event
        for message in _readings(line.text.removeprefix("Connection Attempt "))
        for event in LOG_EVENTS
        if event.matches(message)
    }
    return events.pop() if len(events) == 1 else None


def new_client(line: Log) -> NewClient | None:
    """Read the line that gives a client its virtual address (verb 3); None for all others."""
    found = {
        NewClient(clean(match["name"]), match["address"], ipv6=match["v6"] is not None)
        for message in _readings(line.text)
        if (match := _NEW_CLIENT.fullmatch(message))
    }
    return found.pop() if len(found) == 1 else None


def _readings(text: str) -> Iterator[str]:
    """Give what the message may be: all of the text, and what follows each possible prefix."""
    yield text
    for match in _PREFIX_END.finditer(text):
        yield text[match.end() :]
