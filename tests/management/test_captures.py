"""Every captured session is parsed, however the network cuts it."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.management.messages import MultilineReply, Notification, Truncated
from exporter.management.notifications import StateChange, parse_notification
from exporter.management.state import StateName
from exporter.management.status import ServerStatus, TunnelStatus, parse_status
from tests.management.captures import CAPTURES, decode

MESSAGES = {
    "ErrorReply": 89,
    "MultilineReply": 261,
    "Notification": 1343,
    "PasswordPrompt": 17,
    "SuccessReply": 269,
    "Truncated": 3,
}
NOTIFICATIONS = {
    "ByteCount": 18,
    "ClientAddress": 2,
    "ClientByteCount": 50,
    "ClientEvent": 30,
    "Echo": 2,
    "Fatal": 3,
    "Greeting": 184,
    "Hold": 15,
    "LogLine": 935,
    "Notify": 12,
    "PasswordFailed": 2,
    "PasswordRequest": 3,
    "Pkcs11Id": 2,
    "StateChange": 83,
    "UpDown": 2,
}
TRUNCATED = {
    # A user name of 500 letters makes a row too long: the daemon drops it and all that follows.
    "limits/long-username-truncates-status": 4,
    # The reply to `test 3` is three lines without END.
    "server-0-clients/29-test-3": 3,
    "server-0-clients/99-whole-session": 3,
}
STATUSES = {"ServerStatus": 152, "TunnelStatus": 24}


def test_all_captures_are_there() -> None:
    assert len(CAPTURES) == 187


@pytest.mark.parametrize("name", CAPTURES)
def test_a_session_gives_the_same_messages_byte_by_byte(name: str) -> None:
    session = CAPTURES[name]
    assert decode(bytes([byte]) for byte in session) == decode([session])


@settings(max_examples=300)
@given(name=st.sampled_from(list(CAPTURES)), data=st.data())
def test_a_session_gives_the_same_messages_in_any_pieces(name: str, data: st.DataObject) -> None:
    session = CAPTURES[name]
    inside = data.draw(st.lists(st.integers(0, len(session)), max_size=12))
    cuts = [0, *sorted(inside), len(session)]
    assert decode(session[start:end] for start, end in pairwise(cuts)) == decode([session])


def test_the_messages_of_the_captures_are_of_the_expected_types() -> None:
    kinds = Counter(
        type(message).__name__ for session in CAPTURES.values() for message in decode([session])
    )
    assert kinds == MESSAGES


def test_each_notification_is_parsed() -> None:
    kinds = Counter(
        type(parse_notification(message)).__name__
        for session in CAPTURES.values()
        for message in decode([session])
        if isinstance(message, Notification)
    )
    assert kinds == NOTIFICATIONS


def test_only_replies_without_an_end_are_truncated() -> None:
    lines = {
        name: message.lines
        for name, session in CAPTURES.items()
        for message in decode([session])
        if isinstance(message, Truncated)
    }
    assert lines == TRUNCATED


def statuses() -> list[ServerStatus | TunnelStatus]:
    return [
        parse_status(message.lines)
        for session in CAPTURES.values()
        for message in decode([session])
        if isinstance(message, MultilineReply)
        and message.lines
        and message.lines[0].startswith((b"TITLE", b"OpenVPN CLIENT", b"OpenVPN STATISTICS"))
    ]


def test_each_status_is_parsed_to_its_last_line() -> None:
    assert Counter(type(status).__name__ for status in statuses()) == STATUSES
    assert sum(status.unparsed for status in statuses()) == 0


def test_no_state_of_a_real_daemon_is_unknown() -> None:
    readings = [
        parse_notification(message)
        for session in CAPTURES.values()
        for message in decode([session])
        if isinstance(message, Notification)
    ]
    names = {reading.state.name for reading in readings if isinstance(reading, StateChange)}
    assert StateName.UNKNOWN not in names
    assert {StateName.CONNECTED, StateName.RECONNECTING, StateName.EXITING} <= names
