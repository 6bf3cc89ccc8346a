"""Lines of the daemon's log: their severity, their client and the known event in them.

A line may begin with `Connection Attempt `, and with the client that it is about:
`127.0.0.1:48762 ` before the client's name is verified, `alice/127.0.0.1:48762 ` after, and
`alice/udp4:127.0.0.1:48762 ` since 2.7. Some lines about a client do not name it. Peers choose
their names, slashes and blanks included, and the ends of many messages. If this makes the
beginning of the message ambiguous, the line counts as no event: a missed event is better than one
that a peer has forged.
"""

import enum
import functools
import re

import msgspec

from exporter.management.log_events import LOG_EVENTS, LogEvent
from exporter.management.log_events.failures import FailureLine, failure_line
from exporter.management.notifications import LogLine
from exporter.management.values import clean


class ConnectLine(msgspec.Struct, frozen=True):
    """The log line of a client that has logged in: its clean name and its real address.

    A client with two virtual addresses has two lines, the second with `ipv6`.
    """

    name: str
    real_address: str
    ipv6: bool


class EventLine(msgspec.Struct, frozen=True):
    """A log line with an event; `client` is the real address of the client that it is about, or "".

    `failure` identifies the lines of one failure; None if the line is always a failure of its own.
    """

    event: LogEvent
    client: str
    failure: FailureLine | None


class ClientEnd(msgspec.Struct, frozen=True):
    """The log line about the end of a client's instance: its real address."""

    client: str


class Severity(enum.StrEnum):
    """The severity of a line, from its flags; most lines have none."""

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

_REAL_ADDRESS = (
    r"(?:(?:udp|tcp)[46]?(?:-server)?:)?"
    r"(?:\d{1,3}(?:\.\d{1,3}){3}:\d{1,5}|\[[0-9a-f:.]+\]:\d{1,5}|[0-9a-f]*:[0-9a-f]*:[0-9a-f:.]*)"
)
_PEER_ID = r"(?: (?:rx-)?peer-id=-?\d+)?"  # with data channel offload: verb 7, rx- verb 6
_ADDRESS = _REAL_ADDRESS + _PEER_ID
_MANAGEMENT = "MANAGEMENT: "
_CLIENT_ENDS = ("client-instance exiting", "client-instance restarting")
CLIENT_END = re.compile(rf"(?:\A|/)(?P<address>{_REAL_ADDRESS}){_PEER_ID} ")
"""The end of a client at a line's beginning; its `address` is without a peer id."""
# Comes before a name that a message quotes, and never before the client at the line's beginning.
_AMBIGUOUS = re.compile(
    r": |\[|\A(?:disallowing )?peer \S+ \(|\A(?:closing instance|Disallow float) "
)
_CONNECT_MARKERS = (" MULTI: primary virtual IP for ", " MULTI: primary virtual IPv6 for ")
_VIRTUAL_ADDRESS = re.compile(r"[0-9a-f.:]+")
WHOLE_ADDRESS = re.compile(_ADDRESS)
"""The real address of a client, with the peer id behind it if there is one."""

MAX_TEXT = 2048
"""Characters of a line that may have an event or a client: OpenVPN's own have a few hundred.

A longer line quotes what a peer has chosen; of its beginning alone it is not known whose it is.
"""


def severity(line: LogLine) -> Severity:
    """Return the severity of a line."""
    return _SEVERITIES.get(line.flags[:1], Severity.OTHER)


def is_management_line(line: LogLine) -> bool:
    """Return whether a management client caused the line, or it repeats a state change."""
    if line.text.startswith(_MANAGEMENT):
        return True
    parts = _split(line.text)
    return parts is not None and parts[1].startswith(_MANAGEMENT)


def parse_line(line: LogLine) -> EventLine | ClientEnd | None:
    """Parse a line with an event (an ambiguous line has none) or about the end of a client."""
    parts = _split(line.text)
    if parts is None:
        return None
    client, message = parts
    if message.startswith("SIG") and message.endswith(_CLIENT_ENDS):
        return ClientEnd(client)
    match = _any_event().fullmatch(message)
    if match is None or match.lastgroup is None:
        return None
    event = LOG_EVENTS[int(match.lastgroup.removeprefix("event_"))]
    return EventLine(event, client, failure_line(message))


def parse_connect(line: LogLine) -> ConnectLine | None:
    """Parse the line that assigns a virtual address (verb 3); return None for all others."""
    if len(line.text) > MAX_TEXT:
        return None
    text, _, virtual_address = f" {line.text}".rpartition(": ")
    start, marker = max((text.rfind(marker), marker) for marker in _CONNECT_MARKERS)
    if start < 0 or not _VIRTUAL_ADDRESS.fullmatch(virtual_address):
        return None
    client = text[start + len(marker) :]
    name, _, address = client.rpartition("/")
    if not WHOLE_ADDRESS.fullmatch(address):
        return None
    # The line begins with its client, which the message repeats, or with the message.
    if start and text[1:start] != client:
        return None
    if CLIENT_END.search(name):  # the line of one client may quote another one
        return None
    ipv6 = marker == _CONNECT_MARKERS[1]
    return ConnectLine(clean(name), clean(address.partition(" ")[0]), ipv6=ipv6)


@functools.cache
def _any_event() -> re.Pattern[str]:
    """Return a pattern of all events: one search instead of one for each.

    It is compiled for the first line: that takes as long as the import of twenty modules.
    """
    groups = (f"(?P<event_{number}>{event.pattern})" for number, event in enumerate(LOG_EVENTS))
    return re.compile("|".join(groups), re.DOTALL)


def _split(text: str) -> tuple[str, str] | None:
    """Return the address of the client at a line's beginning, "" without one, and the message.

    None if that is ambiguous, or if the line is too long.

    The first client in the text is the one that the line is about, unless it is in the middle of
    a message or part of a name.
    """
    if len(text) > MAX_TEXT:
        return None
    text = text.removeprefix("Connection Attempt ")
    match = CLIENT_END.search(text)
    if match is None:
        return "", text
    client, message = text[: match.end()], text[match.end() :]
    if _AMBIGUOUS.search(text[: match.start()]):
        return None
    # A message may repeat its client; another client in it may be the true end of the name.
    if CLIENT_END.search(f"{message} ".replace(client, "")):
        return None
    return match["address"], message
