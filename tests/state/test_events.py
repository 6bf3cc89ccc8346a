"""What happened between polls: each entry once, whether it came by itself or out of a history."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.management.log_events import LOG_EVENTS
from exporter.management.log_lines import ConnectLine
from exporter.management.notifications import (
    KEYWORDS,
    AnswerNeeded,
    ClientEvent,
    Fatal,
    Hold,
    LogLine,
    PasswordFailed,
    PasswordRequest,
    StateChange,
    UnknownNotification,
)
from exporter.management.state import RECONNECT_REASONS, State, StateName
from exporter.state.events import Events
from tests.steps import drain

FAILED = LogLine(10, "N", "192.0.2.1:4 TLS Error: TLS handshake failed")
OURS = LogLine(10, "D", "MANAGEMENT: CMD 'log all'")
LET_IN = LogLine(10, "", "MULTI: primary virtual IP for alice/192.0.2.1:4: 10.8.0.2")


def state(name: StateName = StateName.CONNECTED, time: int = 1, reason: str = "") -> State:
    return State(time, name, reason)


def reconnecting(reason: str, time: int = 1) -> State:
    return state(StateName.RECONNECTING, time, reason)


class Heard:
    """Events, and the clients that they announced."""

    def __init__(self) -> None:
        self.clients: list[ConnectLine] = []
        self.events = Events(self.clients.append)

    def begin(self, states: Sequence[State] = (), lines: Sequence[LogLine] = ()) -> None:
        """Let a session begin."""
        self.events.on_connect()
        self.events.add_state_history(states)
        drain(self.events.add_log_history(lines))

    def state(self, *states: State) -> None:
        for entry in states:
            self.events.add("STATE", StateChange(entry))

    def log(self, *lines: LogLine) -> None:
        for line in lines:
            self.events.add("LOG", line)


@pytest.fixture
def heard() -> Heard:
    return Heard()


def test_every_known_label_value_is_zero_from_the_start(heard: Heard) -> None:
    events = heard.events
    assert set(events.messages) == {*KEYWORDS, "other"}
    assert set(events.transitions) == {name.value for name in StateName}
    assert set(events.reconnects) == set(RECONNECT_REASONS)
    assert set(events.log_messages) == {"fatal", "error", "warning", "info", "debug", "other"}
    assert set(events.log_events) == {event.name for event in LOG_EVENTS}
    counters = (
        events.messages, events.transitions, events.reconnects, events.log_messages,
        events.log_events, events.password_failures, events.prompts,
    )  # fmt: skip
    assert all(count == 0 for counter in counters for count in counter.values())


def test_no_message_adds_a_label_value(heard: Heard) -> None:
    heard.begin()
    known = [set(counter) for counter in (heard.events.messages, heard.events.reconnects)]
    heard.events.add("EVIL", UnknownNotification("EVIL"))
    heard.state(reconnecting("evil"))
    heard.events.add("PASSWORD", PasswordFailed("evil"))
    heard.events.add("PASSWORD", PasswordRequest("evil"))
    events = heard.events
    assert [set(events.messages), set(events.reconnects)] == known
    assert events.messages["other"] == events.reconnects["other"] == 1
    assert events.password_failures["other"] == events.prompts["other"] == 1


def test_events_before_the_first_session_do_not_count(heard: Heard) -> None:
    heard.begin([reconnecting("SIGUSR1"), state()], [FAILED])
    assert heard.events.transitions.total() == 0
    assert heard.events.reconnects.total() == 0
    assert heard.events.log_events.total() == 0


def test_messages_count_as_they_arrive(heard: Heard) -> None:
    heard.begin()
    heard.state(reconnecting("ping-restart"), state(time=2))
    heard.log(FAILED)
    assert heard.events.transitions["RECONNECTING"] == 1
    assert heard.events.transitions["CONNECTED"] == 1
    assert heard.events.reconnects["ping-restart"] == 1
    assert heard.events.log_events["tls_handshake_failed"] == 1
    assert heard.events.log_messages["error"] == 1
    assert heard.events.messages["STATE"] == 2
    assert heard.events.messages["LOG"] == 1


def test_states_that_arrive_before_the_history_count_once(heard: Heard) -> None:
    heard.begin([state()])
    heard.events.on_connect()
    gap, early, late = (reconnecting("SIGUSR1", time) for time in (2, 3, 4))
    heard.state(early)
    assert list(heard.events.add_state_history([state(), gap, early])) == [gap, early]
    heard.state(late)
    assert heard.events.reconnects["SIGUSR1"] == 3


def test_lines_that_arrive_before_the_log_history_count_once(heard: Heard) -> None:
    heard.begin(lines=[OURS])
    heard.events.on_connect()
    heard.log(FAILED)
    drain(heard.events.add_log_history([OURS, LET_IN, FAILED]))
    heard.log(FAILED)
    assert heard.events.log_events["tls_handshake_failed"] == 2
    assert len(heard.clients) == 1


def test_a_gap_is_filled_in_from_both_histories(heard: Heard) -> None:
    heard.begin([state()], [OURS])
    heard.state(reconnecting("SIGUSR1", 2))
    heard.log(FAILED)
    heard.begin(
        [state(), reconnecting("SIGUSR1", 2), state(time=3)], [OURS, FAILED, FAILED, LET_IN]
    )
    assert heard.events.transitions["CONNECTED"] == 1
    assert heard.events.log_events["tls_handshake_failed"] == 2
    assert heard.clients == [ConnectLine("alice", "192.0.2.1:4", ipv6=False)]


def test_another_process_has_new_histories(heard: Heard) -> None:
    heard.begin([state()], [FAILED])
    heard.events.on_connect()
    heard.events.on_restart()
    assert list(heard.events.add_state_history([state()])) == [state()]
    drain(heard.events.add_log_history([FAILED]))
    assert heard.events.transitions["CONNECTED"] == 1
    assert heard.events.log_events["tls_handshake_failed"] == 1


def test_lines_caused_by_management_clients_do_not_count(heard: Heard) -> None:
    heard.begin()
    heard.log(OURS, LogLine(10, "", "MANAGEMENT: >STATE:10,RECONNECTING,SIGUSR1,,,,,"))
    assert heard.events.log_messages.total() == 0
    assert heard.events.transitions.total() == 0
    assert heard.events.messages["LOG"] == 2


def test_connect_lines_are_passed_on(heard: Heard) -> None:
    heard.begin()
    heard.log(LET_IN)
    assert heard.clients == [ConnectLine("alice", "192.0.2.1:4", ipv6=False)]


def test_a_fatal_error_that_is_in_the_log_as_well_counts_once(heard: Heard) -> None:
    heard.begin()
    heard.log(LogLine(10, "F", "Cannot open TUN/TAP dev"))
    heard.events.add("FATAL", Fatal("Cannot open TUN/TAP dev"))
    assert heard.events.fatal_errors == 1
    assert heard.events.log_messages["fatal"] == 1


def test_prompts_and_password_failures_count_by_kind(heard: Heard) -> None:
    heard.events.add("PASSWORD", PasswordRequest("Private Key"))
    heard.events.add("PASSWORD", PasswordFailed("Private Key"))
    heard.events.add("NEED-OK", AnswerNeeded("NEED-OK"))
    heard.events.add("CLIENT", ClientEvent("CONNECT", 0, {}))
    heard.events.add("CLIENT", ClientEvent("ESTABLISHED", 0, {}))
    assert +heard.events.prompts == {"Private Key": 1, "NEED-OK": 1, "client_auth": 1}
    assert +heard.events.password_failures == {"Private Key": 1}


def test_a_hold_is_no_prompt(heard: Heard) -> None:
    heard.events.add("HOLD", Hold())
    assert heard.events.prompts.total() == 0
    assert heard.events.messages["HOLD"] == 1


ENTRIES = st.lists(st.sampled_from([reconnecting("SIGUSR1"), state()]), max_size=6)


@given(ENTRIES, st.lists(st.tuples(ENTRIES, ENTRIES, ENTRIES, ENTRIES), max_size=3))
def test_over_any_sessions_and_gaps_each_entry_counts_once(
    past: list[State], visits: list[tuple[list[State], ...]]
) -> None:
    """In a gap, before the reply to `state all`, behind it, or right before the next gap."""
    heard = Heard()
    heard.begin(past)
    told = list(past)
    for gap, early, live, lost in visits:
        heard.events.on_connect()
        told += gap + early
        heard.state(*early)
        heard.events.add_state_history(told)
        heard.state(*live)
        told += live + lost
    heard.begin(told)
    assert heard.events.transitions.total() == len(told) - len(past)
    happened = told[len(past) :]
    assert heard.events.reconnects["SIGUSR1"] == happened.count(reconnecting("SIGUSR1"))


def test_a_long_log_cache_is_counted_in_batches() -> None:
    events = Heard().events
    events.on_connect()
    drain(events.add_log_history([]))
    steps = sum(1 for _ in events.add_log_history([FAILED] * 10_000))
    assert events.log_events["tls_handshake_failed"] == 10_000
    assert steps >= 2 * 10_000 // 500


def test_what_is_counted_when_a_session_ends_amid_its_log_cache_is_not_counted_again() -> None:
    heard = Heard()
    heard.begin()
    heard.events.on_connect()
    counting = heard.events.add_log_history([FAILED] * 2000)
    while not heard.events.log_messages.total():
        next(counting)
    counting.close()
    heard.begin(lines=[FAILED] * 2000)
    assert heard.events.log_messages.total() <= 2000
