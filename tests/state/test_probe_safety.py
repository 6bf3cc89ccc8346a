"""A probe is skipped where it could harm the daemon."""

import msgspec
import pytest

from exporter.config.probe_plan import ProbePlan
from exporter.management.notifications import LogLine
from exporter.management.status import ClientRow
from exporter.port_probe.outcome import SkipReason
from exporter.port_probe.target import ProbeTarget, parse_target
from exporter.port_probe.wrapping import PlainWrapping
from exporter.state.daemon import DaemonState
from exporter.state.probe_safety import ProbeSafety
from tests.metrics.daemons import new_daemon, poll, server_status, start_session, take_down

UDP = parse_target("127.0.0.1:1194/udp")
TCP = parse_target("127.0.0.1:1194/tcp")
LIMIT_LINE = LogLine(
    1,
    "W",
    "Note: --connect-freq-initial 100 10 rate limit exceeded, dropping initial handshake packets "
    "for the next 10 seconds",
)


def plan(*, allow_traces: bool = False, fits_limits: bool = True) -> ProbePlan:
    return ProbePlan(
        targets=(UDP,),
        key=PlainWrapping(),
        interval=60.0,
        timeout=3.0,
        allow_traces=allow_traces,
        fits_limits=fits_limits,
    )


def up(version: str = "2.6.14", *, max_clients: int | None = None, clients: int = 0) -> DaemonState:
    """Return a daemon with so many clients, half of them in a handshake."""
    daemon = new_daemon()
    daemon.target = msgspec.structs.replace(
        daemon.target,
        daemon=msgspec.structs.replace(daemon.target.daemon, max_clients=max_clients),
    )
    start_session(daemon, version=version)
    for _ in daemon.on_log_history([]):
        pass
    rows = tuple(
        ClientRow(f"c{n}", f"192.0.2.1:{n}", "", "", 0, 0, n) for n in range(1, clients + 1)
    )
    half = clients // 2
    status = msgspec.structs.replace(server_status(rows[:half]), pending=rows[half:])
    poll(daemon, status)
    return daemon


@pytest.mark.parametrize(
    ("version", "target", "reason"),
    [
        ("2.6.14", UDP, None),
        ("2.6_git", UDP, None),
        ("2.7_beta1", UDP, None),
        ("2.10.0", UDP, None),
        ("3.0", UDP, None),
        ("2.5.11", UDP, SkipReason.LEAVES_TRACES),
        ("2.4.12", UDP, SkipReason.LEAVES_TRACES),
        ("2.6.14", TCP, SkipReason.LEAVES_TRACES),
        ("unknown", UDP, SkipReason.VERSION_UNKNOWN),
    ],
)
def test_only_udp_of_2_6_and_later_leaves_no_trace(
    version: str, target: ProbeTarget, reason: SkipReason | None
) -> None:
    daemon = up(version)
    assert ProbeSafety(daemon, plan()).skip_reason(target) is reason
    assert ProbeSafety(daemon, plan(allow_traces=True)).skip_reason(target) is None


def test_the_version_of_a_daemon_that_is_down_is_unknown() -> None:
    daemon = up()
    safety = ProbeSafety(daemon, plan())
    take_down(daemon)
    assert safety.skip_reason(UDP) is SkipReason.VERSION_UNKNOWN
    assert ProbeSafety(daemon, plan(allow_traces=True)).skip_reason(UDP) is None


@pytest.mark.parametrize(
    ("max_clients", "last_free"),
    [(100, 94), (1000, 949), (10, 8), (2, 0)],
)
def test_a_daemon_that_is_nearly_full_is_left_alone(max_clients: int, last_free: int) -> None:
    free = ProbeSafety(up(max_clients=max_clients, clients=last_free), plan())
    full = ProbeSafety(up(max_clients=max_clients, clients=last_free + 1), plan())
    assert free.skip_reason(UDP) is None
    assert full.skip_reason(UDP) is SkipReason.MAX_CLIENTS


def test_without_a_known_limit_no_daemon_is_full() -> None:
    assert ProbeSafety(up(clients=2000), plan()).skip_reason(UDP) is None


def test_a_low_limit_of_new_connections_is_left_to_the_clients() -> None:
    safety = ProbeSafety(up(), plan(fits_limits=False, allow_traces=True))
    assert safety.skip_reason(UDP) is SkipReason.CONNECT_FREQ


def test_a_limit_that_was_reached_since_the_last_probe_skips_one() -> None:
    daemon = up()
    daemon.events.add("LOG", LIMIT_LINE)
    safety = ProbeSafety(daemon, plan())
    assert safety.skip_reason(UDP) is None  # it was reached before
    daemon.events.add("LOG", LIMIT_LINE)
    assert safety.skip_reason(UDP) is SkipReason.CONNECT_FREQ
    assert safety.skip_reason(UDP) is None
