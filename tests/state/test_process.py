"""The start and the restarts of a daemon's process."""

import math

import pytest

from exporter.management.state import State, StateName
from exporter.state.process import HISTORY_LIMIT, ProcessTracker, age


def connecting(time: int) -> State:
    return State(time, StateName.CONNECTING, "")


def reconnecting(time: int) -> State:
    return State(time, StateName.RECONNECTING, "ping-restart")


def test_no_more_states_are_kept_than_openvpn_keeps() -> None:
    process = ProcessTracker()
    process.update_history([connecting(time) for time in range(150)])
    assert [state.time for state in process.states] == list(range(50, 150))
    process.add_state(connecting(150))
    assert [state.time for state in process.states] == list(range(51, 151))


@pytest.mark.parametrize("length", [1, HISTORY_LIMIT - 1])
def test_a_history_that_is_not_full_begins_at_the_start(length: int) -> None:
    process = ProcessTracker()
    process.update_history([connecting(10 + at) for at in range(length)])
    assert process.start_time == 10


def test_a_full_history_has_lost_its_beginning() -> None:
    process = ProcessTracker()
    process.update_history([connecting(time) for time in range(10, 10 + HISTORY_LIMIT)])
    assert process.start_time is None
    assert process.connection_start is None


def test_a_connection_begins_at_the_start_or_at_the_last_reconnect() -> None:
    process = ProcessTracker()
    process.update_history([connecting(10)])
    assert process.connection_start == 10
    for state in (reconnecting(20), connecting(21), reconnecting(30), connecting(31)):
        process.add_state(state)
    assert process.connection_start == 30


def test_a_history_of_one_entry_at_another_time_is_another_process() -> None:
    process = ProcessTracker()
    assert not process.update_history([connecting(10)])
    assert process.update_history([connecting(11)])


@pytest.mark.parametrize("other", [[connecting(11), connecting(12)], [connecting(10)], []])
def test_a_history_that_is_shorter_or_begins_later_is_another_process(other: list[State]) -> None:
    process = ProcessTracker()
    assert not process.update_history([connecting(10), connecting(12)])
    assert not process.update_history([connecting(10), connecting(12), connecting(13)])
    assert process.update_history(other)
    assert process.restarts == 1
    assert process.start_time == (other[0].time if other else None)


def test_another_pid_is_another_process_with_a_new_history() -> None:
    process = ProcessTracker()
    process.update_history([connecting(10), connecting(12)])
    assert [process.update_pid(pid) for pid in (7, 7, 8)] == [False, False, True]
    assert (process.start_time, process.connection_start) == (None, None)
    assert not process.update_history([connecting(20)])
    assert process.restarts == 1


def test_an_age_in_doubt_is_infinite() -> None:
    assert age(100, 100.0) == 1.0
    assert age(100, 109.5) == 10.5
    assert age(100, 99.0) == age(None, 99.0) == math.inf
