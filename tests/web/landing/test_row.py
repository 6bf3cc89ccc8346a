import pytest

from exporter.management.errors import DownReason, ManagementError, PromptError, ProtocolError
from exporter.management.state import State, StateName
from exporter.state.daemon import DaemonState
from exporter.web.landing.row import (
    PROBLEM_LIMIT,
    DaemonSummary,
    Health,
    format_age,
    format_bytes,
    render_daemon,
    summarise,
)
from tests.metrics.daemons import NOON, new_daemon, server, shared, start_session, take_down, tunnel


def test_a_connected_daemon_is_up() -> None:
    assert summarise(server()) == DaemonSummary(Health.UP, "CONNECTED")


def test_a_daemon_before_its_first_poll_is_pending() -> None:
    assert summarise(new_daemon()) == DaemonSummary(Health.PENDING, "pending")


def test_a_daemon_with_a_session_but_no_poll_is_pending() -> None:
    daemon = new_daemon()
    start_session(daemon)
    assert summarise(daemon).health is Health.PENDING


def test_a_shared_daemon_says_where_and_to_how_many_tools() -> None:
    daemon = shared()
    assert "shared at unix:/run/openvpn-exporter/office.sock: 0 tools" in row(daemon)
    daemon.sharing.tools = 1
    assert "office.sock: 1 tool<" in row(daemon)
    daemon.sharing.problems["unix:/run/openvpn-exporter/office.sock"] = "<no directory>"
    assert "shared at" not in row(daemon)
    assert "&lt;no directory&gt;" in row(daemon)
    assert "shared at" not in row(server())


def row(daemon: DaemonState) -> str:
    return render_daemon(daemon, summarise(daemon), NOON)


@pytest.mark.parametrize("name", [name for name in StateName if name is not StateName.CONNECTED])
def test_a_daemon_that_is_up_but_not_connected_is_degraded(name: StateName) -> None:
    daemon = tunnel()
    daemon.on_state(State(NOON, name, ""))
    assert summarise(daemon) == DaemonSummary(Health.DEGRADED, name.value)


def test_a_daemon_that_is_down_has_a_problem_and_a_reason() -> None:
    daemon = server()
    take_down(daemon)
    problem = "127.0.0.1:7505: Connection refused"
    assert summarise(daemon) == DaemonSummary(Health.DOWN, "down", problem, DownReason.REFUSED)


def test_a_daemon_that_is_up_by_its_status_file_only_is_degraded() -> None:
    daemon = server()
    take_down(daemon)
    daemon.up = True
    summary = summarise(daemon)
    assert (summary.health, summary.state, summary.reason) == (
        Health.DEGRADED,
        "up",
        "refused",
    )


@pytest.mark.parametrize("kind", ManagementError.__subclasses__(), ids=lambda kind: kind.__name__)
def test_every_error_is_a_problem_with_a_reason(kind: type[ManagementError]) -> None:
    daemon = server()
    error = PromptError("why", "hold") if kind is PromptError else kind("why")
    daemon.on_down(error)
    summary = summarise(daemon)
    assert (summary.problem, summary.reason) == ("why", kind.reason)


def test_a_long_problem_is_truncated() -> None:
    daemon = server()
    daemon.on_down(ProtocolError("y" * 5000))
    assert summarise(daemon).problem == "y" * (PROBLEM_LIMIT - 1) + "…"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (0.4, "0 B"),
        (999, "999 B"),
        (1000, "1.00 kB"),
        (9310, "9.31 kB"),
        (93_100, "93.1 kB"),
        (931_000, "931 kB"),
        (999_499, "999 kB"),
        (999_500, "1.00 MB"),
        (931_000_000, "931 MB"),
        (2 * 10**12, "2.00 TB"),
        (2**64, "18.4 EB"),
        (10**24, "1000000 EB"),
    ],
)
def test_bytes_have_three_digits_and_the_unit_that_fits(count: float, text: str) -> None:
    assert format_bytes(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (0.9, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7199, "119 min"),
        (7200, "2 h"),
        (86400 * 2 - 1, "47 h"),
        (86400 * 400, "400 d"),
    ],
)
def test_ages_have_one_unit_and_are_rounded_down(seconds: float, text: str) -> None:
    assert format_age(seconds) == text
