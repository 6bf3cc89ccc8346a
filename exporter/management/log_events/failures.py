"""The lines that belong to one failure.

OpenVPN logs some failures several times: that a script or plugin failed, then that the login
failed, then the AUTH_FAILED that it sends, once or twice. A line that is the consequence of an
earlier one about the same client is no failure of its own.
"""

import re

import msgspec

_PLUGIN = "PLUGIN_CALL: plugin function "
_SCRIPT = "WARNING: Failed running command ("

_LOGIN_PLUGIN = f"{_PLUGIN}PLUGIN_AUTH_USER_PASS_VERIFY "
_LOGIN_SCRIPT = f"{_SCRIPT}--auth-user-pass-verify)"
_LOGIN_ERROR = "TLS Auth Error"
_LOGIN_FAILED = "TLS Auth Error: Auth Username/Password verification failed"
_TOO_LONG = "TLS Error: Username ("
_TOKEN_TOO_OLD = "Timestamp ("  # noqa: S105 -- the beginning of a line, no secret
_TOKEN_EXPIRED = "--auth-"  # noqa: S105
_TOKEN_EXPIRED_2_4 = "Auth-token for client expired"  # noqa: S105
_TOKEN_FAILED = "TLS: Username/auth-token authentication failed"  # noqa: S105
_REJECTED = (
    f"{_SCRIPT}--client-connect)",
    "client-connect command failed",  # 2.1 and 2.2
    f"{_SCRIPT}--client-crresponse)",
    f"{_PLUGIN}PLUGIN_CLIENT_CONNECT",
    f"{_PLUGIN}PLUGIN_CRRESPONSE ",
    "MULTI: client has been rejected",
    "Client does not support DATA_V2",
    "PUSH: client does not support",
    "PUSH: No common cipher",
    "Use --data-ciphers-fallback",
)
_SENT = "SENT CONTROL ["

_CERTIFICATE_SCRIPT = f"{_SCRIPT}--tls-verify script)"
_CERTIFICATE_PLUGIN = f"{_PLUGIN}PLUGIN_TLS_VERIFY "
_KEY_SCRIPT = f"{_SCRIPT}--tls-crypt-v2-verify)"
_POOL_EXHAUSTED = "MULTI: no free --ifconfig-pool addresses"

_CAUSES: dict[str, frozenset[str]] = {
    _LOGIN_PLUGIN: frozenset(),
    _LOGIN_SCRIPT: frozenset({_LOGIN_PLUGIN}),
    _TOO_LONG: frozenset(),
    _LOGIN_FAILED: frozenset(
        {
            *(_LOGIN_PLUGIN, _LOGIN_SCRIPT, _LOGIN_ERROR),
            *(_TOKEN_TOO_OLD, _TOKEN_EXPIRED),  # with `auth-gen-token … external-auth`
        }
    ),
    _LOGIN_ERROR: frozenset({_LOGIN_PLUGIN, _LOGIN_SCRIPT, _TOO_LONG}),
    _TOKEN_TOO_OLD: frozenset(),
    _TOKEN_EXPIRED: frozenset({_TOKEN_TOO_OLD}),
    _TOKEN_EXPIRED_2_4: frozenset(),
    _TOKEN_FAILED: frozenset({_TOKEN_TOO_OLD, _TOKEN_EXPIRED}),
    **dict.fromkeys(_REJECTED, frozenset[str]()),
    _CERTIFICATE_SCRIPT: frozenset(),
    _CERTIFICATE_PLUGIN: frozenset(),
    "VERIFY SCRIPT ERROR": frozenset({_CERTIFICATE_SCRIPT}),
    "VERIFY PLUGIN ERROR": frozenset({_CERTIFICATE_PLUGIN}),
    _KEY_SCRIPT: frozenset(),
    "TLS Error: can not extract tls-crypt-v2 client key": frozenset({_KEY_SCRIPT}),
    _POOL_EXHAUSTED: frozenset(),
    "MULTI: no dynamic or static remote --ifconfig address": frozenset({_POOL_EXHAUSTED}),
}
"""The beginnings of the lines, each with those of the earlier lines whose consequence it may be.

The first match counts.
"""

_LOGIN_LINES = frozenset(
    {
        *(_LOGIN_PLUGIN, _LOGIN_SCRIPT, _LOGIN_ERROR, _LOGIN_FAILED, _TOO_LONG),
        *(_TOKEN_TOO_OLD, _TOKEN_EXPIRED, _TOKEN_EXPIRED_2_4, _TOKEN_FAILED),
        *_REJECTED,
    }
)
_AUTH_FAILED = re.compile(r"SENT CONTROL \[.*\]: '(AUTH_FAILED.*)' \(status=-?\d+\)", re.DOTALL)


class FailureLine(msgspec.Struct, frozen=True):
    """A line that may be one of several about a failure.

    `causes` are the kinds of the earlier lines whose consequence it may be.
    """

    kind: str
    causes: frozenset[str]


def failure_line(message: str) -> FailureLine | None:
    """Return the kind and causes of a message with an event; None if it is always a failure."""
    if message.startswith(_SENT):
        match = _AUTH_FAILED.fullmatch(message)
        kind = match[1] if match else _SENT
        return FailureLine(kind, _LOGIN_LINES | {kind})  # it is sent once for each TLS session
    for start, causes in _CAUSES.items():
        if message.startswith(start):
            return FailureLine(start, causes)
    return None
