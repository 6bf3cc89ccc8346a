"""Real-time messages as readings: one type for each kind that OpenVPN 2.1 to 2.7 can send.

Payloads carry credentials in places (`>PASSWORD:Auth-Token`, `CRV1`, `>INFOMSG`, ENV blocks of
`>CLIENT:CONNECT`). Those parts are not kept. Log text and names stay what peers made them: they
are for matching and counting, and for a log line only after `management.text.clean`.
"""

import re
from collections.abc import Callable, Mapping

import msgspec

from exporter.management.messages import Notification
from exporter.management.state import State, parse_state
from exporter.management.values import clean, decode, parse_number


class Greeting(msgspec.Struct, frozen=True):
    """`>INFO:OpenVPN Management Interface Version N -- …`; None where no number is said."""

    management_version: int | None


class LogLine(msgspec.Struct, frozen=True):
    """`>LOG:time,flags,text` and the lines of `log all`.

    `flags` are letters of `FNWID`, mostly none at all. `text` may begin with the client's name
    and address and holds what the peer chose.
    """

    time: int
    flags: str
    text: str

    def __repr__(self) -> str:
        return f"Log(time={self.time}, flags={self.flags!r}, {len(self.text)} characters)"


class StateChange(msgspec.Struct, frozen=True):
    """`>STATE:` with an entry of the state history."""

    state: State


class Echo(msgspec.Struct, frozen=True):
    """`>ECHO:time,text` of an `echo` directive."""

    time: int


class ByteCount(msgspec.Struct, frozen=True):
    """`>BYTECOUNT:in,out`: totals of a client's process."""

    received_bytes: int
    sent_bytes: int


class ClientByteCount(msgspec.Struct, frozen=True):
    """`>BYTECOUNT_CLI:cid,in,out`: totals of one instance in a server."""

    client_id: int
    received_bytes: int
    sent_bytes: int


class Hold(msgspec.Struct, frozen=True):
    """`>HOLD:Waiting for hold release:N`: the daemon stands still until somebody releases it."""


class Fatal(msgspec.Struct, frozen=True):
    """`>FATAL:text`: the daemon's last words."""

    text: str


class PasswordRequest(msgspec.Struct, frozen=True):
    """`>PASSWORD:Need 'Auth' username/password`: the daemon waits for a person."""

    kind: str


class PasswordFailed(msgspec.Struct, frozen=True):
    """`>PASSWORD:Verification Failed: 'Auth'`; a reason is dropped, it may be a challenge."""

    kind: str


class AuthToken(msgspec.Struct, frozen=True):
    """`>PASSWORD:Auth-Token:…`: a credential, not kept."""


class AnswerNeeded(msgspec.Struct, frozen=True):
    """The daemon waits for an answer of any other kind.

    `source` is the message's keyword: NEED-OK, NEED-STR, NEED-CERTIFICATE, RSA_SIGN, PK_SIGN,
    REMOTE or PROXY.
    """

    keyword: str


class ClientEvent(msgspec.Struct, frozen=True):
    """`>CLIENT:` with its ENV block: CONNECT, REAUTH, ESTABLISHED, DISCONNECT, CR_RESPONSE.

    ESTABLISHED comes unasked for each handshake, and is no login: a client that a connect script
    rejects has it too, marked by `time_duration` among the variables.
    """

    event: str
    client_id: int
    env: Mapping[str, str]

    def __repr__(self) -> str:
        return f"ClientEvent({self.event!r}, {self.client_id}, env={len(self.env)})"


class ClientAddress(msgspec.Struct, frozen=True):
    """`>CLIENT:ADDRESS,cid,address,primary`, only with `--management-client-auth`."""

    client_id: int
    address: str


class UpDown(msgspec.Struct, frozen=True):
    """`>UPDOWN:UP` or `DOWN` of `--management-up-down`."""

    up: bool


class Notify(msgspec.Struct, frozen=True):
    """`>NOTIFY:severity,event,…`: remote-exit, server-pushed-halt and others."""

    severity: str
    event: str


class InfoMessage(msgspec.Struct, frozen=True):
    """`>INFOMSG:`: pushed by the server, may be a web login; its text is not kept."""


class Pkcs11Id(msgspec.Struct, frozen=True):
    """`>PKCS11ID-COUNT` and `>PKCS11ID-ENTRY`: replies to commands that we never send."""


class UnknownNotification(msgspec.Struct, frozen=True):
    """A keyword that nobody knows, or a payload that is not what its keyword promises."""

    keyword: str


ParsedNotification = (
    Greeting | LogLine | StateChange | Echo | ByteCount | ClientByteCount | Hold | Fatal
    | PasswordRequest | PasswordFailed | AuthToken | AnswerNeeded | ClientEvent | ClientAddress
    | UpDown | Notify | InfoMessage | Pkcs11Id | UnknownNotification
)  # fmt: skip

_GREETING = re.compile(r"OpenVPN Management Interface Version (\d+)")
_CLIENT_EVENTS = frozenset({"CONNECT", "REAUTH", "ESTABLISHED", "DISCONNECT", "CR_RESPONSE"})
_PASSWORD_NEEDED = re.compile(r"Need '([^']*)' (?:username|password)")
_PASSWORD_FAILED = re.compile(r"Verification Failed: '([^']*)'")


def parse_log(payload: str) -> LogLine:
    """Read `time,flags,text`, the payload of `>LOG:` and a line of `log all`.

    Raises:
        ValueError: anything else.
    """
    time, flags, text = payload.split(",", 2)
    return LogLine(parse_number(time), clean(flags), text)


def _greeting(payload: str) -> ParsedNotification:
    match = _GREETING.match(payload)
    return Greeting(parse_number(match[1]) if match else None)


def _password(payload: str) -> ParsedNotification:
    if match := _PASSWORD_NEEDED.match(payload):
        return PasswordRequest(clean(match[1]))
    if match := _PASSWORD_FAILED.match(payload):
        return PasswordFailed(clean(match[1]))
    if payload.startswith("Auth-Token:"):
        return AuthToken()
    raise ValueError("neither a need, a failure nor a token")


def _echo(payload: str) -> ParsedNotification:
    return Echo(parse_number(payload.partition(",")[0]))


def _byte_count(payload: str) -> ParsedNotification:
    received, sent = payload.split(",")
    return ByteCount(parse_number(received), parse_number(sent))


def _client_byte_count(payload: str) -> ParsedNotification:
    client_id, received, sent = payload.split(",")
    return ClientByteCount(parse_number(client_id), parse_number(received), parse_number(sent))


def _up_down(payload: str) -> ParsedNotification:
    return UpDown({"UP": True, "DOWN": False}[payload])


def _notify(payload: str) -> ParsedNotification:
    severity, event, *_ = payload.split(",")
    return Notify(clean(severity), clean(event))


def _client(payload: str, env: tuple[bytes, ...]) -> ParsedNotification:
    event, client_id, *rest = payload.split(",")
    if event == "ADDRESS":
        return ClientAddress(parse_number(client_id), clean(rest[0]))
    if event not in _CLIENT_EVENTS:
        raise ValueError("an event of a client that nobody knows")
    variables = (clean(decode(line), 1024).partition("=") for line in env)
    return ClientEvent(
        event, parse_number(client_id), {name: value for name, _, value in variables}
    )


_PARSERS: dict[str, Callable[[str], ParsedNotification]] = {
    "INFO": _greeting,
    "LOG": parse_log,
    "STATE": lambda payload: StateChange(parse_state(payload)),
    "ECHO": _echo,
    "BYTECOUNT": _byte_count,
    "BYTECOUNT_CLI": _client_byte_count,
    "HOLD": lambda _: Hold(),
    "FATAL": lambda payload: Fatal(clean(payload)),
    "PASSWORD": _password,
    "NEED-OK": lambda _: AnswerNeeded("NEED-OK"),
    "NEED-STR": lambda _: AnswerNeeded("NEED-STR"),
    "NEED-CERTIFICATE": lambda _: AnswerNeeded("NEED-CERTIFICATE"),
    "RSA_SIGN": lambda _: AnswerNeeded("RSA_SIGN"),
    "PK_SIGN": lambda _: AnswerNeeded("PK_SIGN"),
    "REMOTE": lambda _: AnswerNeeded("REMOTE"),
    "PROXY": lambda _: AnswerNeeded("PROXY"),
    "UPDOWN": _up_down,
    "NOTIFY": _notify,
    "INFOMSG": lambda _: InfoMessage(),
    "PKCS11ID-COUNT": lambda _: Pkcs11Id(),
    "PKCS11ID-ENTRY": lambda _: Pkcs11Id(),
}

KEYWORDS = frozenset({*_PARSERS, "CLIENT"})
"""Every keyword that some version of OpenVPN can send."""


def parse_notification(notification: Notification) -> ParsedNotification:
    """Understand one real-time message; what can't be understood is `UnknownNotification`."""
    payload = decode(notification.payload)
    try:
        if notification.keyword == "CLIENT":
            return _client(payload, notification.env)
        return _PARSERS[notification.keyword](payload)
    except (ValueError, LookupError):
        return UnknownNotification(clean(notification.keyword, 32))
