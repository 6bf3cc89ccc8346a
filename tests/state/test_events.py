"""Events between polls: each counts once, in real time or from a history."""

from collections.abc import Generator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.management.batches import run_batches
from exporter.management.commands import Command
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
from exporter.management.reconnect_reasons import RECONNECT_REASONS
from exporter.management.state import State, StateName
from exporter.state.events import Events
from exporter.state.logged_logins import LoggedLogins

FAILED = LogLine(10, "N", "192.0.2.1:4 TLS Error: TLS handshake failed")
MANAGEMENT_LINE = LogLine(10, "D", "MANAGEMENT: CMD 'log all'")
CONNECT_LINE = LogLine(10, "", "MULTI: primary virtual IP for alice/192.0.2.1:4: 10.8.0.2")


def state(name: StateName = StateName.CONNECTED, time: int = 1, reason: str = "") -> State:
    return State(time, name, reason)


def reconnecting(reason: str, time: int = 1) -> State:
    return state(StateName.RECONNECTING, time, reason)


class RecordedEvents:
    """Events, and the clients that they announced."""

    def __init__(self) -> None:
        self.clients: list[ConnectLine] = []
        self.events = Events(self.clients.append, self._add_history, LoggedLogins())

    def _add_history(self, lines: Sequence[ConnectLine]) -> Generator[None, None, None]:
        self.clients += lines
        yield

    def start_session(self, states: Sequence[State] = (), lines: Sequence[LogLine] = ()) -> None:
        """Let a session begin."""
        self.events.on_connect()
        self.events.add_state_history(states)
        run_batches(self.events.add_log_history(lines))

    def state(self, *states: State) -> None:
        for entry in states:
            self.events.add("STATE", StateChange(entry))

    def log(self, *lines: LogLine) -> None:
        for line in lines:
            self.events.add("LOG", line)


@pytest.fixture
def recorded() -> RecordedEvents:
    return RecordedEvents()


def test_nothing_takes_memory_before_it_is_counted(recorded: RecordedEvents) -> None:
    assert not recorded.events.log_events
    assert recorded.events.log_events["tls_handshake_failed"] == 0


def test_no_message_adds_a_label_value(recorded: RecordedEvents) -> None:
    recorded.start_session()
    recorded.events.add("EVIL", UnknownNotification("EVIL"))
    recorded.state(reconnecting("evil"))
    recorded.events.add("PASSWORD", PasswordFailed("evil"))
    recorded.events.add("PASSWORD", PasswordRequest("evil"))
    events = recorded.events
    assert {*events.messages, *events.reconnects} <= {*KEYWORDS, *RECONNECT_REASONS, "other"}
    assert events.messages["other"] == events.reconnects["other"] == 1
    assert events.password_failures["other"] == events.prompts["other"] == 1


def test_events_before_the_first_session_do_not_count(recorded: RecordedEvents) -> None:
    recorded.start_session([reconnecting("SIGUSR1"), state()], [FAILED])
    assert recorded.events.transitions.total() == 0
    assert recorded.events.reconnects.total() == 0
    assert recorded.events.log_events.total() == 0


def test_messages_count_as_they_arrive(recorded: RecordedEvents) -> None:
    recorded.start_session()
    recorded.state(reconnecting("ping-restart"), state(time=2))
    recorded.log(FAILED)
    assert recorded.events.transitions["RECONNECTING"] == 1
    assert recorded.events.transitions["CONNECTED"] == 1
    assert recorded.events.reconnects["ping-restart"] == 1
    assert recorded.events.log_events["tls_handshake_failed"] == 1
    assert recorded.events.log_messages["error"] == 1
    assert recorded.events.messages["STATE"] == 2
    assert recorded.events.messages["LOG"] == 1


def test_states_that_arrive_before_the_history_count_once(recorded: RecordedEvents) -> None:
    recorded.start_session([state()])
    recorded.events.on_connect()
    gap, early, late = (reconnecting("SIGUSR1", time) for time in (2, 3, 4))
    recorded.state(early)
    assert list(recorded.events.add_state_history([state(), gap, early])) == [gap, early]
    recorded.state(late)
    assert recorded.events.reconnects["SIGUSR1"] == 3


def test_lines_that_arrive_before_the_log_history_count_once(recorded: RecordedEvents) -> None:
    recorded.start_session(lines=[MANAGEMENT_LINE])
    recorded.events.on_connect()
    recorded.log(FAILED)
    run_batches(recorded.events.add_log_history([MANAGEMENT_LINE, CONNECT_LINE, FAILED]))
    recorded.log(FAILED)
    assert recorded.events.log_events["tls_handshake_failed"] == 2
    assert len(recorded.clients) == 1


def test_a_gap_is_filled_in_from_both_histories(recorded: RecordedEvents) -> None:
    recorded.start_session([state()], [MANAGEMENT_LINE])
    recorded.state(reconnecting("SIGUSR1", 2))
    recorded.log(FAILED)
    recorded.start_session(
        [state(), reconnecting("SIGUSR1", 2), state(time=3)],
        [MANAGEMENT_LINE, FAILED, FAILED, CONNECT_LINE],
    )
    assert recorded.events.transitions["CONNECTED"] == 1
    assert recorded.events.log_events["tls_handshake_failed"] == 2
    assert recorded.clients == [ConnectLine("alice", "192.0.2.1:4", ipv6=False)]


def test_another_process_has_new_histories(recorded: RecordedEvents) -> None:
    recorded.start_session([state()], [FAILED])
    recorded.events.on_connect()
    recorded.events.on_restart()
    assert list(recorded.events.add_state_history([state()])) == [state()]
    run_batches(recorded.events.add_log_history([FAILED]))
    assert recorded.events.transitions["CONNECTED"] == 1
    assert recorded.events.log_events["tls_handshake_failed"] == 1


def test_lines_caused_by_management_clients_do_not_count(recorded: RecordedEvents) -> None:
    recorded.start_session()
    recorded.log(
        MANAGEMENT_LINE, LogLine(10, "", "MANAGEMENT: >STATE:10,RECONNECTING,SIGUSR1,,,,,")
    )
    assert recorded.events.log_messages.total() == 0
    assert recorded.events.transitions.total() == 0
    assert recorded.events.messages["LOG"] == 2


def test_connect_lines_are_passed_on(recorded: RecordedEvents) -> None:
    recorded.start_session()
    recorded.log(CONNECT_LINE)
    assert recorded.clients == [ConnectLine("alice", "192.0.2.1:4", ipv6=False)]


def test_a_fatal_error_that_is_in_the_log_as_well_counts_once(recorded: RecordedEvents) -> None:
    recorded.start_session()
    recorded.log(LogLine(10, "F", "Cannot open TUN/TAP dev"))
    recorded.events.add("FATAL", Fatal("Cannot open TUN/TAP dev"))
    assert recorded.events.fatal_errors == 1
    assert recorded.events.log_messages["fatal"] == 1


def test_prompts_and_password_failures_count_by_kind(recorded: RecordedEvents) -> None:
    recorded.events.add("PASSWORD", PasswordRequest("Private Key"))
    recorded.events.add("PASSWORD", PasswordFailed("Private Key"))
    recorded.events.add("NEED-OK", AnswerNeeded("NEED-OK"))
    recorded.events.add("CLIENT", ClientEvent("CONNECT", 0, {}))
    recorded.events.add("CLIENT", ClientEvent("ESTABLISHED", 0, {}))
    assert +recorded.events.prompts == {"Private Key": 1, "NEED-OK": 1, "client_auth": 1}
    assert +recorded.events.password_failures == {"Private Key": 1}


def test_a_hold_is_no_prompt(recorded: RecordedEvents) -> None:
    recorded.events.add("HOLD", Hold())
    assert recorded.events.prompts.total() == 0
    assert recorded.events.messages["HOLD"] == 1


ENTRIES = st.lists(st.sampled_from([reconnecting("SIGUSR1"), state()]), max_size=6)


@given(ENTRIES, st.lists(st.tuples(ENTRIES, ENTRIES, ENTRIES, ENTRIES), max_size=3))
def test_over_any_sessions_and_gaps_each_entry_counts_once(
    past: list[State], visits: list[tuple[list[State], ...]]
) -> None:
    """In a gap, before the reply to `state all`, behind it, or right before the next gap."""
    recorded = RecordedEvents()
    recorded.start_session(past)
    history = list(past)
    for gap, early, live, lost in visits:
        recorded.events.on_connect()
        history += gap + early
        recorded.state(*early)
        recorded.events.add_state_history(history)
        recorded.state(*live)
        history += live + lost
    recorded.start_session(history)
    assert recorded.events.transitions.total() == len(history) - len(past)
    happened = history[len(past) :]
    assert recorded.events.reconnects["SIGUSR1"] == happened.count(reconnecting("SIGUSR1"))


def test_a_long_log_cache_is_counted_in_batches() -> None:
    events = RecordedEvents().events
    events.on_connect()
    run_batches(events.add_log_history([]))
    steps = sum(1 for _ in events.add_log_history([FAILED] * 10_000))
    assert events.log_events["tls_handshake_failed"] == 10_000
    assert steps >= 2 * 10_000 // 500
    long = LogLine(1, "", "x" * 64 * 1024)
    assert sum(1 for _ in events.add_log_history([long] * 20)) >= 2 * 20


def test_without_a_history_what_arrives_in_real_time_counts(recorded: RecordedEvents) -> None:
    recorded.events.on_connect()
    recorded.events.on_history_missing(Command.STATE_ALL)
    recorded.state(state())
    recorded.log(FAILED)
    assert recorded.events.transitions == {"CONNECTED": 1}
    assert not recorded.events.log_messages
    recorded.events.on_history_missing(Command.LOG_ALL)
    recorded.log(FAILED)
    assert recorded.events.log_messages.total() == 1


def test_what_is_counted_when_a_session_ends_amid_its_log_cache_is_not_counted_again() -> None:
    recorded = RecordedEvents()
    recorded.start_session()
    recorded.events.on_connect()
    counting = recorded.events.add_log_history([FAILED] * 2000)
    while not recorded.events.log_messages.total():
        next(counting)
    counting.close()
    recorded.start_session(lines=[FAILED] * 2000)
    assert recorded.events.log_messages.total() <= 2000
