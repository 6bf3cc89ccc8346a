"""The log lines of a finished login: the proof where no row of a status has one.

OpenVPN logs them once the client has passed all checks of its login:

- verb 1, a client without an IPv4 address: it is on a bridge, or the server has no pool:
  `NAME/ADDRESS MULTI: no dynamic or static remote --ifconfig address is available for NAME/ADDRESS`
- verb 3, the options that a client pulls: `NAME/ADDRESS SENT CONTROL [NAME]: 'PUSH_REPLY,…'`
- verb 3, the first packet from an address behind a client, data of others is dropped before:
  `NAME/ADDRESS MULTI: Learn: 9e:45:f9:23:0a:9c@0 -> NAME/ADDRESS`

They are the same from 2.1 to 2.7. Each has the client twice: at its beginning and in the message.
Peers choose their names, and a name may contain the whole text of such a line, but not where the
line has its second client. An ambiguous line proves nothing.
"""

import re

import msgspec

from exporter.management.log_lines import CLIENT_END, MAX_TEXT, WHOLE_ADDRESS
from exporter.management.notifications import LogLine
from exporter.management.values import UNDEFINED, clean, clean_name

_SENT = " SENT CONTROL ["
_NO_ADDRESS = " MULTI: no dynamic or static remote --ifconfig address is available for "
_LEARN = " MULTI: Learn: "
# A new auth-token alone is sent when keys are negotiated again (since 2.5), finished login or not.
_PUSH_REPLY = re.compile(r"PUSH_REPLY(?:,(?! ?auth-token).*)?' \(status=1\)", re.DOTALL)


class LoginLine(msgspec.Struct, frozen=True):
    """The log line of a client that was let in: its clean name, its real address, the time.

    The name is "" for a client without one. The time is the daemon's, in seconds since the epoch.
    """

    name: str
    real_address: str
    time: int


def parse_login(line: LogLine) -> LoginLine | None:
    """Parse the line of a finished login; return None for all others."""
    text = line.text
    if len(text) > MAX_TEXT:
        return None
    for marker, is_login in _MARKERS:
        client, found, message = text.partition(marker)
        name, slash, address = client.rpartition("/")
        if not found or CLIENT_END.search(name):  # the line of one client may quote another one
            continue
        if WHOLE_ADDRESS.fullmatch(address) and is_login(client, name, message):
            real_address = clean(address.partition(" ")[0])
            return LoginLine(clean_name(name) if slash else "", real_address, line.time)
    return None


def _is_push_reply(_client: str, name: str, message: str) -> bool:
    if not name:  # "" without a certificate
        message = message.removeprefix(UNDEFINED)
    start = f"{name}]: '"
    reply = message.removeprefix(start)
    # Another client in the reply may be the true end of the name.
    return (
        message.startswith(start)
        and _PUSH_REPLY.fullmatch(reply) is not None
        and not CLIENT_END.search(reply)
    )


def _repeats_client(client: str, _name: str, message: str) -> bool:
    return message == client


def _learns_from_client(client: str, _name: str, message: str) -> bool:
    learned, _, learned_from = message.partition(" -> ")
    return learned_from == client and " " not in learned


_MARKERS = (
    (_SENT, _is_push_reply),
    (_NO_ADDRESS, _repeats_client),
    (_LEARN, _learns_from_client),
)
