"""Clients that the log shows: how many are kept, and how long it takes to find them again."""

from collections.abc import Callable

import pytest

from exporter.management.log_events.failures import FailureLine
from exporter.management.log_lines import ConnectLine
from exporter.state import logged_connects
from exporter.state.failures import FailureLines
from exporter.state.logged_connects import LoggedConnects, ShownConnect, ShownConnects
from tests.steps import assert_linear, count_steps


def line(name: str, address: int) -> ConnectLine:
    return ConnectLine(name, f"192.0.2.7:{address}", ipv6=False)


def logged(count: int) -> LoggedConnects:
    connects = LoggedConnects()
    assert sum(connects.record(line("alice", address)) for address in range(count)) == count
    return connects


def test_clients_of_one_name_that_have_all_floated_are_matched_in_linear_time() -> None:
    def call(size: int) -> Callable[[], object]:
        connects = logged(size)
        return lambda: [connects.consume_any_address("alice") for _ in range(size)]

    assert_linear(call, 200)


def test_each_session_is_matched_once_at_its_address_or_at_any() -> None:
    connects = logged(3)
    assert connects.consume("alice", "192.0.2.7:0")
    assert [connects.consume_any_address("alice") for _ in range(3)] == [True, True, False]
    assert not connects.consume("alice", "192.0.2.7:1")
    connects.record(line("alice", 1))
    assert connects.consume_any_address("alice")


@pytest.mark.parametrize("from_file", [False, True])
def test_a_line_is_matched_with_each_shown_session_at_its_address_once(*, from_file: bool) -> None:
    shown = ShownConnects()
    shown.add(ShownConnect("alice", "192.0.2.7:1", from_file=from_file))
    assert not shown.consume(line("alice", 2))
    assert not shown.consume(line("bob", 1))
    assert [shown.consume(line("alice", 1)) for _ in range(2)] == [True, False]
    assert not shown.consume_any_address(line("alice", 1))


def test_a_client_may_have_floated_only_since_a_status_file() -> None:
    shown = ShownConnects()
    shown.add(ShownConnect("alice", "192.0.2.7:1", from_file=True))
    shown.add(ShownConnect("alice", "192.0.2.7:2", from_file=False))
    assert [shown.consume_any_address(line("alice", 3)) for _ in range(2)] == [True, False]
    assert [shown.consume(line("alice", address)) for address in (1, 2)] == [False, True]


def test_a_session_of_the_last_interval_is_matched_before_one_of_this() -> None:
    connects = logged(1)
    connects.rotate()
    connects.record(line("alice", 5))
    assert connects.consume_any_address("alice")
    assert connects.rotate() == 0
    assert connects.rotate() == 1


def test_no_more_clients_are_kept_than_the_limit_where_no_status_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logged_connects, "_LIMIT", 3)
    connects = LoggedConnects()
    assert sum(connects.record(line(f"client-{number}", 1)) for number in range(10)) == 3
    connects.add_matched(line("another", 1))
    assert len(connects._new) == 3
    assert connects.record(line("client-1", 1)) == 1  # no more memory, and a session of its own


def test_failures_of_ever_other_kinds_take_constant_time_each() -> None:
    def call(size: int) -> Callable[[], object]:
        failures = FailureLines()
        lines = [FailureLine(f"SENT {number}", frozenset()) for number in range(size)]
        return lambda: [failures.is_repeated("192.0.2.7:4", each, 1) for each in lines]

    assert count_steps(call(400)) < 400 * 100
