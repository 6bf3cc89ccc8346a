"""The modes of states, reasons, keywords and log events hold for the recorded daemons."""

import pytest

from exporter.management.errors import ReplyError
from exporter.management.log_lines import EventLine, parse_line
from exporter.management.messages import MultilineReply, Notification
from exporter.management.notifications import (
    KEYWORD_MODES,
    LogLine,
    StateChange,
    parse_notification,
)
from exporter.management.reconnect_reasons import RECONNECT_REASONS, reconnect_reason
from exporter.management.replies import parse_states
from exporter.management.state import (
    ANY_MODE,
    CLIENT,
    SERVER,
    STATE_MODES,
    Mode,
    Modes,
    State,
    StateName,
)
from tests.management.captures import CAPTURES, decode

P2P: Modes = frozenset({Mode.P2P})
MODES = {"server": SERVER, "client-auth": SERVER, "client-mode": CLIENT, "p2p": P2P}
"""By the beginnings of the captures' names."""

DAEMONS = {
    name: (data, modes)
    for name, data in CAPTURES.items()
    for beginning, modes in MODES.items()
    if name.startswith(beginning)
}


def states(data: bytes) -> list[State]:
    found = []
    for message in decode([data]):
        match message:
            case Notification():
                parsed = parse_notification(message)
                found += [parsed.state] if isinstance(parsed, StateChange) else []
            case MultilineReply(lines=lines):
                try:
                    found += parse_states(lines)
                except ReplyError:
                    continue  # a reply to another command
            case _:
                pass
    return found


def events(data: bytes) -> list[EventLine]:
    messages = [message for message in decode([data]) if isinstance(message, Notification)]
    lines = [line for line in map(parse_notification, messages) if isinstance(line, LogLine)]
    return [event for line in lines if isinstance(event := parse_line(line), EventLine)]


@pytest.mark.parametrize("name", DAEMONS)
def test_a_recorded_daemon_has_only_what_its_mode_has(name: str) -> None:
    data, modes = DAEMONS[name]
    for message in decode([data]):
        if isinstance(message, Notification):
            assert not KEYWORD_MODES.get(message.keyword, ANY_MODE).isdisjoint(modes)
    for state in states(data):
        assert not STATE_MODES[state.name].isdisjoint(modes)
        if state.name is StateName.RECONNECTING:
            reason = RECONNECT_REASONS[reconnect_reason(state.description)]
            assert not reason.modes.isdisjoint(modes)
    for event in events(data):
        assert not event.event.modes.isdisjoint(modes)


def test_the_recorded_daemons_have_states_and_events_of_their_own_mode() -> None:
    found = {
        mode: {
            entry
            for data, modes in DAEMONS.values()
            if mode in modes
            for entry in (
                *(state.name.value for state in states(data)),
                *(event.event.name for event in events(data)),
            )
        }
        for mode in Mode
    }
    assert {"CONNECTED", "session_replaced"} <= found[Mode.SERVER]
    assert {"WAIT", "resolve_failed"} <= found[Mode.CLIENT]
    assert "ASSIGN_IP" in found[Mode.P2P]
