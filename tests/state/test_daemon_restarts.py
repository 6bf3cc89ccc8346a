"""Restarts of a daemon, detected by its PID or its state history."""

import pytest

from exporter.config.schema import DaemonConfig
from exporter.config.target import Target
from exporter.management.batches import run_batches
from exporter.management.endpoint import TcpEndpoint
from exporter.management.notifications import ClientEvent, StateChange
from exporter.management.replies import LoadStats, Poll
from exporter.management.state import State, StateName
from exporter.management.status import ClientRow, ServerStatus
from exporter.state.daemon import DaemonState
from exporter.state.process import HISTORY_LIMIT

SAME_PID = 1
START = State(1000, StateName.CONNECTING, "")
CONNECTED = State(1002, StateName.CONNECTED, "SUCCESS")
LATER = State(5000, StateName.CONNECTING, "")
RESTARTED = State(3000, StateName.RECONNECTING, "SIGUSR1")


def begun(*history: State) -> DaemonState:
    daemon = DaemonConfig(name="office", management=TcpEndpoint("127.0.0.1", 7505))
    record = DaemonState(Target(daemon), absolute=True)
    again(record, *history)
    return record


def again(record: DaemonState, *history: State) -> None:
    """Begin another session with the daemon."""
    record.on_connect()
    record.on_pid(SAME_PID)
    record.on_state_history(history)


def poll(record: DaemonState, received: int, *, load: int | None = None, since: int = 1001) -> None:
    client = ClientRow("alice", "192.0.2.7:4", "10.8.0.2", "", received, 0, since, client_id=0)
    status = ServerStatus(updated=6000, clients=(client,), pending=(), route_count=1)
    load_stats = LoadStats(1, received if load is None else load, 0)
    record.on_status_received()
    run_batches(record.on_poll(Poll(load_stats, status), now=6000.0, duration=0.1))


def totals(record: DaemonState) -> tuple[int, int]:
    """Return what the clients and what the daemon received."""
    return record.clients.received_bytes, record.traffic.received_bytes


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((START, CONNECTED), (LATER,)),
        ((START, CONNECTED), (LATER, CONNECTED)),
        ((START, CONNECTED), ()),
        ((CONNECTED,) * HISTORY_LIMIT, (LATER, CONNECTED)),
    ],
)
def test_a_restarted_container_with_the_same_pid_is_a_restart(
    before: tuple[State, ...], after: tuple[State, ...]
) -> None:
    record = begun(*before)
    poll(record, 100)
    again(record, *after)
    assert record.process.restarts == 1
    poll(record, 150, since=5001)
    assert totals(record) == (250, 250)
    assert record.events.transitions["CONNECTING"] == after.count(LATER)


@pytest.mark.parametrize(
    "after",
    [
        (START, CONNECTED),
        (START, CONNECTED, RESTARTED),
        (CONNECTED,) * HISTORY_LIMIT,
    ],
)
def test_a_longer_or_full_history_is_of_the_same_process(
    after: tuple[State, ...],
) -> None:
    record = begun(START, CONNECTED)
    again(record, *after)
    assert record.process.restarts == 0


def test_a_restart_within_the_process_ends_sessions() -> None:
    record = begun(START, CONNECTED)
    poll(record, 100)
    record.on_notification("STATE", StateChange(RESTARTED))
    poll(record, 120, load=220)
    assert totals(record) == (220, 220)
    sessions = record.clients.sessions
    assert (sessions.connects, sessions.disconnects) == (1, 1)
    poll(record, 125, load=225)
    assert totals(record) == (225, 225)
    assert (sessions.connects, sessions.disconnects) == (1, 1)


def test_a_restart_after_a_status_keeps_its_sessions() -> None:
    record = begun(START, CONNECTED)
    poll(record, 100)
    client = ClientRow("alice", "192.0.2.7:4", "10.8.0.2", "", 110, 0, 1001, client_id=0)
    status = ServerStatus(updated=6000, clients=(client,), pending=(), route_count=1)
    record.on_status_received()
    record.on_notification("STATE", StateChange(RESTARTED))
    run_batches(record.on_poll(Poll(LoadStats(1, 110, 0), status), now=6000.0, duration=0.1))
    assert totals(record) == (110, 110)
    assert record.clients.sessions.disconnects == 0
    poll(record, 7, load=117, since=3001)
    assert totals(record) == (117, 117)
    assert record.clients.sessions.disconnects == 1


def test_a_restart_between_sessions_is_in_the_history() -> None:
    record = begun(START, CONNECTED)
    poll(record, 100)
    again(record, START, CONNECTED, RESTARTED)
    poll(record, 100, load=200)
    assert totals(record) == (200, 200)


@pytest.mark.parametrize("rejected", [False, True])
def test_a_handshake_is_no_login(rejected: bool) -> None:  # noqa: FBT001 -- two rows of a table
    """`>CLIENT:ESTABLISHED` comes for rejected clients, too."""
    record = begun(START, CONNECTED)
    record.on_status_received()
    empty = ServerStatus(updated=6000, clients=(), pending=(), route_count=0)
    run_batches(record.on_poll(Poll(LoadStats(0, 0, 0), empty), now=6000.0, duration=0.1))
    variables = {"time_unix": "1001", "IV_PLAT": "linux", "IV_VER": "2.6.14"}
    if rejected:
        variables["time_duration"] = "0"
    record.on_notification("CLIENT", ClientEvent("ESTABLISHED", 0, variables))
    assert record.clients.sessions.connects == 0
    if not rejected:
        poll(record, 100)
        (session,) = record.clients.sessions.current
        assert (session.peer_info.platform, session.peer_info.version) == ("linux", "2.6.14")
        assert record.clients.sessions.connects == 1
