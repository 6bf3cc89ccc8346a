from pathlib import Path

import pytest

from exporter.config.schema import (
    ClientsConfig,
    Config,
    DaemonConfig,
    EventsConfig,
    Identity,
    SlotPolicy,
)
from exporter.config.target import ReloadDiff, Target, diff, targets
from exporter.management.endpoint import TcpEndpoint

HOME = TcpEndpoint("127.0.0.1", 7505)
AWAY = TcpEndpoint("127.0.0.1", 7506)

OFFICE = DaemonConfig(name="office", management=HOME)
BRANCH = DaemonConfig(name="branch", management=AWAY)


def make_target(
    daemon: DaemonConfig = OFFICE,
    *,
    clients: ClientsConfig = ClientsConfig(),  # noqa: B008 -- frozen
    events: EventsConfig = EventsConfig(),  # noqa: B008 -- frozen
    poll_interval: float = 15.0,
) -> Target:
    return Target(daemon, clients, events, poll_interval)


def test_the_same_configuration_changes_nothing() -> None:
    assert diff(
        [make_target(), make_target(BRANCH)], [make_target(BRANCH), make_target()]
    ) == ReloadDiff(unchanged=("branch", "office"))


def test_new_names_come_and_old_ones_go() -> None:
    assert diff([make_target()], [make_target(BRANCH)]) == ReloadDiff(
        added=("branch",), removed=("office",)
    )


@pytest.mark.parametrize(
    "new",
    [
        make_target(poll_interval=60.0),
        make_target(clients=ClientsConfig(series=False)),
        make_target(clients=ClientsConfig(forget_after=1.0, limit=1, routes=True)),
        make_target(events=EventsConfig(log=False)),
        make_target(DaemonConfig(name="office", management=HOME, timeout=1.0)),
        make_target(DaemonConfig(name="office", management=HOME, slot=SlotPolicy.RELEASE)),
        make_target(DaemonConfig(name="office", management=HOME, password_file=Path("/x"))),
        make_target(DaemonConfig(name="office", management=HOME, expected_clients=("alice",))),
        make_target(DaemonConfig(name="office", management=HOME, status_file=Path("/x"))),
    ],
)
def test_other_settings_leave_session_and_counters_alone(new: Target) -> None:
    assert diff([make_target()], [new]) == ReloadDiff(changed=("office",))


@pytest.mark.parametrize(
    "new",
    [
        make_target(DaemonConfig(name="office", management=AWAY)),
        make_target(clients=ClientsConfig(identity=Identity.USERNAME)),
        make_target(DaemonConfig(name="office", status_file=Path("/x"))),
    ],
)
def test_another_daemon_or_other_identities_begin_anew(new: Target) -> None:
    assert diff([make_target()], [new]) == ReloadDiff(restarted=("office",))


def test_another_status_file_is_another_daemon_where_there_is_nothing_else() -> None:
    one, other = (make_target(DaemonConfig(name="a", status_file=Path(name))) for name in "xy")
    assert diff([one], [other]) == ReloadDiff(restarted=("a",))


def test_a_plan_says_how_many_of_each() -> None:
    plan = ReloadDiff(unchanged=("a", "b"), removed=("c",))
    assert str(plan) == "2 unchanged, 0 changed, 0 restarted, 0 added, 1 removed"


def test_a_daemons_own_interval_counts_more_than_the_general_one() -> None:
    own = DaemonConfig(name="branch", management=AWAY, poll_interval=5.0)
    config = Config(daemons=(OFFICE, own), poll_interval=60.0)
    assert [each.poll_interval for each in targets(config)] == [60.0, 5.0]
