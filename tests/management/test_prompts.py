"""Which messages mean that somebody else needs the slot."""

import pytest

from exporter.management.errors import AuthenticatesClients, DownReason, Held, Prompted
from exporter.management.messages import Notification
from exporter.management.notifications import (
    AuthToken,
    ByteCount,
    ClientAddress,
    ClientEvent,
    Echo,
    Fatal,
    Greeting,
    Hold,
    InfoMessage,
    Log,
    Needed,
    Notify,
    PasswordFailed,
    PasswordNeeded,
    Reading,
    StateChange,
    Unknown,
    UpDown,
    parse_notification,
)
from exporter.management.prompts import (
    NEEDS,
    PASSWORD_KINDS,
    PROMPT_KINDS,
    password_kind,
    reason_to_leave,
)
from exporter.management.state import State, StateName
from tests.management.captures import CAPTURES, decode

NOBODY_WAITS: list[Reading] = [
    Greeting(5),
    Log(1, "", "Need hold release from management interface, waiting..."),
    StateChange(State(1, StateName.RECONNECTING, "SIGUSR1")),
    Echo(1),
    ByteCount(1, 2),
    Fatal("x"),
    PasswordFailed("Auth"),
    AuthToken(),
    ClientEvent("ESTABLISHED", 0, {}),
    ClientEvent("DISCONNECT", 0, {}),
    ClientEvent("CR_RESPONSE", 0, {}),
    ClientAddress(0, "10.8.0.2"),
    UpDown(up=True),
    Notify("info", "remote-exit"),
    InfoMessage(),
    Unknown("HOLD"),
]


def test_a_hold_is_left_to_whoever_releases_it() -> None:
    reason = reason_to_leave(Hold())
    assert isinstance(reason, Held)
    assert reason.waits_for == "hold"
    assert reason.reason is DownReason.HOLD


@pytest.mark.parametrize("kind", PASSWORD_KINDS)
def test_a_password_is_left_to_whoever_knows_it(kind: str) -> None:
    reason = reason_to_leave(PasswordNeeded(kind))
    assert isinstance(reason, Prompted)
    assert reason.waits_for == kind
    assert reason.reason is DownReason.PROMPT


def test_a_password_of_another_kind_is_other() -> None:
    reason = reason_to_leave(PasswordNeeded("My token"))
    assert reason is not None
    assert reason.waits_for == "other"
    assert "My token" in str(reason)


@pytest.mark.parametrize("source", NEEDS)
def test_every_other_need_is_left_to_whoever_answers_it(source: str) -> None:
    (reading,) = [parse_notification(Notification(source, b"x"))]
    assert reading == Needed(source)
    reason = reason_to_leave(reading)
    assert isinstance(reason, Prompted)
    assert reason.waits_for == source


@pytest.mark.parametrize("event", ["CONNECT", "REAUTH"])
def test_clients_that_wait_for_a_decision_are_left_to_whoever_decides(event: str) -> None:
    reason = reason_to_leave(ClientEvent(event, 0, {}))
    assert isinstance(reason, AuthenticatesClients)
    assert reason.waits_for == "client_auth"
    assert reason.reason is DownReason.CLIENT_AUTH


@pytest.mark.parametrize("reading", NOBODY_WAITS, ids=lambda reading: type(reading).__name__)
def test_other_messages_wait_for_nobody(reading: Reading) -> None:
    assert reason_to_leave(reading) is None


def test_every_reason_but_a_hold_is_a_known_kind_of_prompt() -> None:
    assert {password_kind("x"), *PASSWORD_KINDS, *NEEDS, "client_auth"} == set(PROMPT_KINDS)


@pytest.mark.parametrize(
    ("capture", "waits_for"),
    [
        ("hold/reconnect-while-held", {"hold"}),
        ("client-auth/nobody-answers", {"client_auth"}),
        ("server-events/session", set[str]()),
    ],
)
def test_recorded_sessions_wait_for_whom_they_waited(capture: str, waits_for: set[str]) -> None:
    reasons = [
        reason_to_leave(parse_notification(message))
        for message in decode([CAPTURES[capture]])
        if isinstance(message, Notification)
    ]
    assert {reason.waits_for for reason in reasons if reason} == waits_for
