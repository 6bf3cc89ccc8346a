import pytest

from exporter.management.errors import DownReason, ManagementError, ProtocolError
from exporter.management.state import State, StateName
from exporter.web.landing.condition import PROBLEM_LIMIT, DaemonSummary, Severity, summarise
from tests.metrics.daemons import NOON, introduce, new_daemon, server, take_down, tunnel


def test_a_connected_daemon_is_well() -> None:
    assert summarise(server()) == DaemonSummary(Severity.WELL, "CONNECTED")


def test_a_daemon_that_nobody_has_reached_yet_is_awaited() -> None:
    assert summarise(new_daemon()) == DaemonSummary(Severity.AWAITED, "not reached yet")


def test_a_greeting_alone_is_no_answer() -> None:
    record = new_daemon()
    introduce(record)
    assert summarise(record).mood is Severity.AWAITED


@pytest.mark.parametrize("name", [name for name in StateName if name is not StateName.CONNECTED])
def test_a_daemon_that_answers_but_is_not_connected_is_in_trouble(name: StateName) -> None:
    record = tunnel()
    record.on_state(State(NOON, name, ""))
    assert summarise(record) == DaemonSummary(Severity.TROUBLED, name.value)


def test_a_daemon_that_is_down_says_why_and_by_which_reason() -> None:
    record = server()
    take_down(record)
    problem = "127.0.0.1:7505: Connection refused"
    assert summarise(record) == DaemonSummary(Severity.DOWN, "down", problem, DownReason.REFUSED)


def test_a_daemon_that_answers_by_another_way_than_its_management_is_in_trouble() -> None:
    record = server()
    take_down(record)
    record.up = True
    condition = summarise(record)
    assert (condition.mood, condition.word, condition.reason) == (
        Severity.TROUBLED,
        "up",
        "refused",
    )


@pytest.mark.parametrize("kind", ManagementError.__subclasses__(), ids=lambda kind: kind.__name__)
def test_every_failure_is_a_problem_with_a_reason(kind: type[ManagementError]) -> None:
    record = server()
    error = kind("why") if kind.__init__ is ManagementError.__init__ else kind("why", "hold")
    record.on_down(error)
    condition = summarise(record)
    assert (condition.problem, condition.reason) == ("why", kind.reason)


def test_a_long_story_is_cut() -> None:
    record = server()
    record.on_down(ProtocolError("y" * 5000))
    assert summarise(record).problem == "y" * (PROBLEM_LIMIT - 1) + "…"
