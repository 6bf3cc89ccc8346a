"""The reasons of RECONNECTING."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.management.messages import Notification
from exporter.management.notifications import StateChange, parse_notification
from exporter.management.reconnect_reasons import RECONNECT_REASONS, reconnect_reason
from exporter.management.state import StateName
from exporter.management.values import OTHER
from tests.management.captures import CAPTURES, decode


@pytest.mark.parametrize("reason", RECONNECT_REASONS)
def test_a_known_reason_is_unchanged(reason: str) -> None:
    assert reconnect_reason(reason) == reason


@pytest.mark.parametrize(
    ("description", "reason"),
    [
        ("auth-failure (auth-token)", "auth-failure"),
        ("auth-temp-failure (server temporary reject)", "auth-temp-failure"),
        ("", OTHER),
        ("ping-restart2", OTHER),
        ("PING-RESTART", OTHER),
    ],
)
def test_text_in_parentheses_is_no_part_of_the_reason(description: str, reason: str) -> None:
    assert reconnect_reason(description) == reason


@given(st.text())
def test_any_description_gives_a_reason_of_the_list(description: str) -> None:
    assert reconnect_reason(description) in RECONNECT_REASONS


@pytest.mark.parametrize(
    "description",
    [
        "Offending option received from server",
        "Preresolving failed",
        "connection initialisation failed",
        "decryption-error",
        "dco update keys error",
        "close_context usr1 to hup",
    ],
)
def test_the_reasons_of_the_sources_are_known(description: str) -> None:
    assert reconnect_reason(description) != OTHER


def test_every_captured_reconnect_has_a_known_reason() -> None:
    changes = [
        reading.state
        for data in CAPTURES.values()
        for message in decode([data])
        if isinstance(message, Notification)
        and isinstance(reading := parse_notification(message), StateChange)
    ]
    reasons = [
        reconnect_reason(state.description)
        for state in changes
        if state.name is StateName.RECONNECTING
    ]
    assert reasons
    assert OTHER not in reasons
