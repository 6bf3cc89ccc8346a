"""Why a daemon reconnects, from a closed list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.management.messages import Notification
from exporter.management.notifications import StateChange, parse_notification
from exporter.management.state import RECONNECT_REASONS, StateName, reconnect_reason
from exporter.management.values import OTHER
from tests.management.captures import CAPTURES, decode


@pytest.mark.parametrize("reason", RECONNECT_REASONS)
def test_each_reason_is_itself(reason: str) -> None:
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
def test_what_stands_in_parentheses_is_no_part_of_it(description: str, reason: str) -> None:
    assert reconnect_reason(description) == reason


@given(st.text())
def test_any_text_is_one_of_the_list(description: str) -> None:
    assert reconnect_reason(description) in RECONNECT_REASONS


def test_the_reasons_are_unique() -> None:
    assert len(set(RECONNECT_REASONS)) == len(RECONNECT_REASONS)


def test_every_recorded_reconnect_has_a_reason_of_its_own() -> None:
    changes = [
        reading.state
        for said in CAPTURES.values()
        for message in decode([said])
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
