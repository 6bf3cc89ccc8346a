"""Parsed real-time messages: one type for each kind that OpenVPN 2.1 to 2.7 sends.

Some payloads contain credentials (`>PASSWORD:Auth-Token`, `CRV1`, `>INFOMSG`, ENV blocks of
`>CLIENT:CONNECT`). Those parts are dropped. The text of a log line is unchanged peer input: it
may be matched and counted, and must pass `values.clean` before it is shown.
"""

import re
from collections.abc import Callable, Mapping

import msgspec

from exporter.management.messages import Notification
from exporter.management.state import SERVER, TUNNEL, Modes, State, parse_state
from exporter.management.values import clean, decode, parse_number, parse_time


class Greeting(msgspec.Struct, frozen=True):
    """`>INFO:OpenVPN Management Interface Version N -- …`; None if it has no number."""

    management_version: int | None


class LogLine(msgspec.Struct, frozen=True):
    """`>LOG:TIME,FLAGS,TEXT`, or a line of the reply to `log all`.

    `flags` has letters of `FNWID`, mostly none. `text` may begin with a client's name and address,
    and contains text that peers choose.
    """

    time: int
    flags: str
    text: str

    def __repr__(self) -> str:
        return f"LogLine(time={self.time}, flags={self.flags!r}, {len(self.text)} characters)"


class StateChange(msgspec.Struct, frozen=True):
    """`>STATE:ENTRY`, a new entry of the state history."""

    state: State


class Echo(msgspec.Struct, frozen=True):
    """`>ECHO:TIME,TEXT` of an `echo` directive."""

    time: int


class ByteCount(msgspec.Struct, frozen=True):
    """`>BYTECOUNT:IN,OUT`: totals of a process in client mode."""

    received_bytes: int
    sent_bytes: int


class ClientByteCount(msgspec.Struct, frozen=True):
    """`>BYTECOUNT_CLI:CID,IN,OUT`: totals of one client of a server."""

    client_id: int
    received_bytes: int
    sent_bytes: int


class Hold(msgspec.Struct, frozen=True):
    """`>HOLD:Waiting for hold release:N`: the daemon waits for `hold release`."""


class Fatal(msgspec.Struct, frozen=True):
    """`>FATAL:TEXT`: the error with which the daemon exits."""

    text: str


class PasswordRequest(msgspec.Struct, frozen=True):
    """`>PASSWORD:Need 'Auth' username/password`: the daemon waits for a password."""

    kind: str


class PasswordFailed(msgspec.Struct, frozen=True):
    """`>PASSWORD:Verification Failed: 'Auth'`; its reason may be a challenge and is dropped."""

    kind: str


class AuthToken(msgspec.Struct, frozen=True):
    """`>PASSWORD:Auth-Token:…`: a credential, which is dropped."""


class AnswerNeeded(msgspec.Struct, frozen=True):
    """The daemon waits for an answer that is no password.

    `keyword` is NEED-OK, NEED-STR, NEED-CERTIFICATE, RSA_SIGN, PK_SIGN, REMOTE or PROXY.
    """

    keyword: str


class ClientEvent(msgspec.Struct, frozen=True):
    """`>CLIENT:EVENT,CID` with its ENV block.

    `event` is CONNECT, REAUTH, ESTABLISHED, DISCONNECT or CR_RESPONSE. ESTABLISHED follows each
    TLS handshake and does not prove a login: a client that a connect script rejects has the event,
    too, with the variable `time_duration`.
    """

    event: str
    client_id: int
    env: Mapping[str, str]

    def __repr__(self) -> str:
        return f"ClientEvent({self.event!r}, {self.client_id}, env={len(self.env)})"


class ClientAddress(msgspec.Struct, frozen=True):
    """`>CLIENT:ADDRESS,CID,ADDRESS,PRIMARY`, only with `--management-client-auth`."""

    client_id: int
    address: str


class UpDown(msgspec.Struct, frozen=True):
    """`>UPDOWN:UP` or `>UPDOWN:DOWN` of `--management-up-down`."""

    up: bool


class Notify(msgspec.Struct, frozen=True):
    """`>NOTIFY:SEVERITY,EVENT,…`: remote-exit, server-pushed-halt and others."""

    severity: str
    event: str


class InfoMessage(msgspec.Struct, frozen=True):
    """`>INFOMSG:…`, pushed by the server; it may be a web login and is dropped."""


class Pkcs11Id(msgspec.Struct, frozen=True):
    """`>PKCS11ID-COUNT` and `>PKCS11ID-ENTRY`: replies to commands that are never sent here."""


class UnknownNotification(msgspec.Struct, frozen=True):
    """An unknown keyword, or a payload that does not fit its keyword."""

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
    """Parse `TIME,FLAGS,TEXT`, the payload of `>LOG:` and a line of the reply to `log all`.

    Raises:
        ValueError: the text is anything else.
    """
    time, flags, text = payload.split(",", 2)
    return LogLine(parse_time(time), clean(flags), text)


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
    raise ValueError("neither a request, a failure nor a token")


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
        raise ValueError("an unknown event of a client")
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
    "UPDOWN": _up_down,
    "NOTIFY": _notify,
    "INFOMSG": lambda _: InfoMessage(),
    "PKCS11ID-COUNT": lambda _: Pkcs11Id(),
    "PKCS11ID-ENTRY": lambda _: Pkcs11Id(),
}

NEED_KEYWORDS = (
    "NEED-OK",
    "NEED-STR",
    "NEED-CERTIFICATE",
    "RSA_SIGN",
    "PK_SIGN",
    "REMOTE",
    "PROXY",
)
"""Keywords of the messages other than `>PASSWORD:` that wait for an answer."""

KEYWORDS = frozenset({*_PARSERS, *NEED_KEYWORDS, "CLIENT"})
"""The keywords that some version of OpenVPN sends."""

KEYWORD_MODES: dict[str, Modes] = {"BYTECOUNT": TUNNEL, "BYTECOUNT_CLI": SERVER, "CLIENT": SERVER}
"""The modes of the keywords that are not in all modes."""


def parse_notification(notification: Notification) -> ParsedNotification:
    """Parse a real-time message; one that cannot be parsed is an `UnknownNotification`."""
    keyword, payload = notification.keyword, decode(notification.payload)
    if keyword in NEED_KEYWORDS:
        return AnswerNeeded(keyword)
    try:
        if keyword == "CLIENT":
            return _client(payload, notification.env)
        return _PARSERS[keyword](payload)
    except (ValueError, LookupError):
        return UnknownNotification(clean(keyword, 32))
