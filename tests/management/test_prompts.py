"""Which messages mean that somebody else needs the slot."""

import pytest

from exporter.management.errors import (
    ClientAuthPromptError,
    DownReason,
    HoldPromptError,
    PasswordPromptError,
)
from exporter.management.messages import Notification
from exporter.management.notifications import (
    NEED_KEYWORDS,
    AnswerNeeded,
    AuthToken,
    ByteCount,
    ClientAddress,
    ClientEvent,
    Echo,
    Fatal,
    Greeting,
    Hold,
    InfoMessage,
    LogLine,
    Notify,
    ParsedNotification,
    PasswordFailed,
    PasswordRequest,
    StateChange,
    UnknownNotification,
    UpDown,
    parse_notification,
)
from exporter.management.prompts import (
    PASSWORD_KINDS,
    PROMPT_KINDS,
    blocking_prompt,
    password_kind,
)
from exporter.management.state import State, StateName
from tests.management.captures import CAPTURES, decode

NOBODY_WAITS: list[ParsedNotification] = [
    Greeting(5),
    LogLine(1, "", "Need hold release from management interface, waiting..."),
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
    UnknownNotification("HOLD"),
]


def test_a_hold_is_left_to_whoever_releases_it() -> None:
    reason = blocking_prompt(Hold())
    assert isinstance(reason, HoldPromptError)
    assert reason.prompt_kind == "hold"
    assert reason.reason is DownReason.HOLD


@pytest.mark.parametrize("kind", PASSWORD_KINDS)
def test_a_password_is_left_to_whoever_knows_it(kind: str) -> None:
    reason = blocking_prompt(PasswordRequest(kind))
    assert isinstance(reason, PasswordPromptError)
    assert reason.prompt_kind == kind
    assert reason.reason is DownReason.PROMPT


def test_a_password_of_another_kind_is_other() -> None:
    reason = blocking_prompt(PasswordRequest("My token"))
    assert reason is not None
    assert reason.prompt_kind == "other"
    assert "My token" in str(reason)


@pytest.mark.parametrize("source", NEED_KEYWORDS)
def test_every_other_need_is_left_to_whoever_answers_it(source: str) -> None:
    (reading,) = [parse_notification(Notification(source, b"x"))]
    assert reading == AnswerNeeded(source)
    reason = blocking_prompt(reading)
    assert isinstance(reason, PasswordPromptError)
    assert reason.prompt_kind == source


@pytest.mark.parametrize("event", ["CONNECT", "REAUTH"])
def test_clients_that_wait_for_a_decision_are_left_to_whoever_decides(event: str) -> None:
    reason = blocking_prompt(ClientEvent(event, 0, {}))
    assert isinstance(reason, ClientAuthPromptError)
    assert reason.prompt_kind == "client_auth"
    assert reason.reason is DownReason.CLIENT_AUTH


@pytest.mark.parametrize("reading", NOBODY_WAITS, ids=lambda reading: type(reading).__name__)
def test_other_messages_wait_for_nobody(reading: ParsedNotification) -> None:
    assert blocking_prompt(reading) is None


def test_every_reason_but_a_hold_is_a_known_kind_of_prompt() -> None:
    assert {password_kind("x"), *PASSWORD_KINDS, *NEED_KEYWORDS, "client_auth"} == set(PROMPT_KINDS)


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
        blocking_prompt(parse_notification(message))
        for message in decode([CAPTURES[capture]])
        if isinstance(message, Notification)
    ]
    assert {reason.prompt_kind for reason in reasons if reason} == waits_for
