"""Lines of the daemon's log: who they are about, and which known event they tell.

A line may begin with `Connection Attempt ` and with the client it is about: `127.0.0.1:48762 `
before its name is verified, `alice/127.0.0.1:48762 ` after, `alice/udp4:127.0.0.1:48762 ` from
2.7 on; some lines about a client come without. Names hold what their owners chose, slashes and
blanks included, and so do the ends of many messages. Where a message begins is therefore not
always known; such a line tells no event: better one event less than one that a peer made up.
"""

import enum
import re

import msgspec

from exporter.management.log_events import LOG_EVENTS, LogEvent
from exporter.management.notifications import LogLine
from exporter.management.values import clean


class ConnectLine(msgspec.Struct, frozen=True):
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
    r"(?:\d{1,3}(?:\.\d{1,3}){3}:\d{1,5}|\[[0-9a-f:.]+\]:\d{1,5}|[0-9a-f]*:[0-9a-f]*:[0-9a-f:.]*)"
    r"(?: peer-id=-?\d+)?"  # under data channel offload, from verb 7 on
)
_CLIENT_END = re.compile(rf"(?:\A|/){_ADDRESS} ")
# Before a client's own name there is none of this; before a name that a message quotes there is.
_AMBIGUOUS = re.compile(r": |\[|\Apeer \S+ \(|\Aclosing instance ")
_NEW_CLIENT = re.compile(
    r"(?:(?P<prefix>.*) )?MULTI: primary virtual IP(?P<v6>v6)? for "
    rf"(?P<client>(?:(?P<name>.*)/)?(?P<address>{_ADDRESS})): [0-9a-f.:]+",
    re.DOTALL,
)


def severity(line: LogLine) -> Severity:
    """Tell how grave a line is."""
    return _SEVERITIES.get(line.flags[:1], Severity.OTHER)


def is_management_line(line: LogLine) -> bool:
    """Tell lines that only management clients cause, and those that repeat a state change."""
    message = _message(line.text)
    return (line.text if message is None else message).startswith("MANAGEMENT: ")


def match_event(line: LogLine) -> LogEvent | None:
    """Find the known event that a line tells, None for all others and for ambiguous lines."""
    message = _message(line.text)
    if message is None:
        return None
    return next((event for event in LOG_EVENTS if event.matches(message)), None)


def parse_connect(line: LogLine) -> ConnectLine | None:
    """Read the line that gives a client its virtual address (verb 3); None for all others."""
    match = _NEW_CLIENT.fullmatch(line.text)
    if match is None:
        return None
    name, prefix = match["name"] or "", match["prefix"]
    # The line names its client twice, or it begins with the message itself.
    if prefix not in {None, match["client"]} or (prefix is None and _CLIENT_END.search(name)):
        return None
    address = match["address"].partition(" ")[0]
    return ConnectLine(clean(name), address, ipv6=match["v6"] is not None)


def _message(text: str) -> str | None:
    """Return a line without the client it is about, None where a peer may have made it up.

    The first client is the one that the line is about, unless it stands in the middle of a
    message or in a name.
    """
    text = text.removeprefix("Connection Attempt ")
    match = _CLIENT_END.search(text)
    if match is None:
        return text
    client, message = text[: match.end()], text[match.end() :]
    if _AMBIGUOUS.search(text[: match.start()]):
        return None
    # Some messages name their client again; another one may be the true end of a name.
    return None if _CLIENT_END.search(message.replace(client, "")) else message
