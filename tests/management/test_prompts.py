"""The messages that wait for an answer of the management client."""

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

NO_PROMPTS: list[ParsedNotification] = [
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


def test_hold_is_a_prompt() -> None:
    prompt = blocking_prompt(Hold())
    assert isinstance(prompt, HoldPromptError)
    assert prompt.prompt_kind == "hold"
    assert prompt.reason is DownReason.HOLD


@pytest.mark.parametrize("kind", ["Auth", "Private Key", "HTTP Proxy", "SOCKS Proxy"])
def test_a_password_request_is_a_prompt(kind: str) -> None:
    prompt = blocking_prompt(PasswordRequest(kind))
    assert isinstance(prompt, PasswordPromptError)
    assert prompt.prompt_kind == kind
    assert prompt.reason is DownReason.PROMPT


def test_an_unknown_password_is_of_kind_other() -> None:
    prompt = blocking_prompt(PasswordRequest("My token"))
    assert prompt is not None
    assert prompt.prompt_kind == "other"
    assert "My token" in str(prompt)


@pytest.mark.parametrize("keyword", NEED_KEYWORDS)
def test_each_other_need_is_a_prompt(keyword: str) -> None:
    (parsed,) = [parse_notification(Notification(keyword, b"x"))]
    assert parsed == AnswerNeeded(keyword)
    prompt = blocking_prompt(parsed)
    assert isinstance(prompt, PasswordPromptError)
    assert prompt.prompt_kind == keyword


@pytest.mark.parametrize("event", ["CONNECT", "REAUTH"])
def test_a_client_that_waits_for_a_decision_is_a_prompt(event: str) -> None:
    prompt = blocking_prompt(ClientEvent(event, 0, {}))
    assert isinstance(prompt, ClientAuthPromptError)
    assert prompt.prompt_kind == "client_auth"
    assert prompt.reason is DownReason.CLIENT_AUTH


@pytest.mark.parametrize("parsed", NO_PROMPTS, ids=lambda parsed: type(parsed).__name__)
def test_other_messages_are_no_prompts(parsed: ParsedNotification) -> None:
    assert blocking_prompt(parsed) is None


def test_every_prompt_but_hold_has_a_known_kind() -> None:
    assert {password_kind("x"), *PASSWORD_KINDS, *NEED_KEYWORDS, "client_auth"} == set(PROMPT_KINDS)


@pytest.mark.parametrize(
    ("capture", "kinds"),
    [
        ("hold/reconnect-while-held", {"hold"}),
        ("client-auth/nobody-answers", {"client_auth"}),
        ("server-events/session", set[str]()),
    ],
)
def test_the_captures_have_the_expected_prompts(capture: str, kinds: set[str]) -> None:
    prompts = [
        blocking_prompt(parse_notification(message))
        for message in decode([CAPTURES[capture]])
        if isinstance(message, Notification)
    ]
    assert {prompt.prompt_kind for prompt in prompts if prompt} == kinds
