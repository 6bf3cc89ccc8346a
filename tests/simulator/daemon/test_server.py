from functools import partial

import pytest

from exporter.simulator.daemon.daemon import Signal
from exporter.simulator.daemon.server import ServerSettings
from exporter.simulator.population.failures import FailureKind
from exporter.simulator.population.profile import ChurnProfile
from tests.simulator.daemons import ALICE, BOB, FIVE, server
from tests.simulator.replay import received, shape
from tests.simulator.script import ScriptRunner

BUSY = ChurnProfile(session_seconds=60, absence_seconds=30)


def load_stats(runner: ScriptRunner) -> list[int]:
    (reply,) = runner.run("load-stats")
    return [int(part.partition("=")[2]) for part in reply.removeprefix("SUCCESS: ").split(",")]


def rows(runner: ScriptRunner) -> list[list[str]]:
    status = runner.run("status 3")
    return [row.split("\t") for row in status if row.startswith("CLIENT_LIST\t")]


def test_the_totals_are_the_sum_of_the_rows() -> None:
    runner = ScriptRunner(server(FIVE))
    runner.run(runner.wait(100))
    clients, received_bytes, sent_bytes = load_stats(runner)
    assert clients == 5
    assert received_bytes == sum(int(row[5]) for row in rows(runner))
    assert sent_bytes == sum(int(row[6]) for row in rows(runner))


def test_the_totals_survive_disconnects_and_restarts_and_never_fall() -> None:
    runner = ScriptRunner(server(FIVE, profile=BUSY))
    last = 0
    for minute in range(60):
        runner.run(runner.wait(60))
        if minute == 30:
            runner.run(runner.signal(Signal.SIGUSR1))
        _, received_bytes, _ = load_stats(runner)
        assert received_bytes >= last
        last = received_bytes
    assert last > sum(int(row[5]) for row in rows(runner))


def test_with_offload_the_totals_exclude_the_data() -> None:
    runner = ScriptRunner(server(FIVE, settings=ServerSettings(dco=True)))
    before = load_stats(runner)
    runner.run(runner.wait(1000))
    assert load_stats(runner) == before
    assert sum(int(row[5]) for row in rows(runner)) > before[1]
    assert "GLOBAL_STATS\tdco_enabled\t1" in runner.run("status 3")


def test_a_server_logs_that_it_rejects_a_client_at_its_limit() -> None:
    daemon = server([ALICE], settings=ServerSettings(max_clients=1))
    runner = ScriptRunner(daemon)
    runner.run("log on")
    (line,) = runner.run(lambda: daemon.connect(BOB))
    limit = "MULTI: new incoming connection would exceed maximum number of clients (1)"
    assert line.split(",", 2)[1:] == ["N", limit]
    assert [row[1] for row in rows(runner)] == ["alice"]


def test_clients_connect_and_disconnect_and_fail_on_demand() -> None:
    daemon = server([ALICE])
    runner = ScriptRunner(daemon)
    runner.run(lambda: daemon.disconnect("alice"), lambda: daemon.connect(BOB), runner.wait(6))
    assert [row[1] for row in rows(runner)] == ["bob"]
    runner.run(lambda: daemon.trigger(FailureKind.PORT_SCAN))
    assert [row[1] for row in rows(runner)] == ["bob", "UNDEF"]


def test_no_client_connects_to_a_server_that_is_not_running() -> None:
    daemon = server(settings=ServerSettings(hold=True))
    runner = ScriptRunner(daemon)
    runner.run(lambda: daemon.connect(ALICE), runner.wait(6), daemon.release, runner.wait(1))
    assert rows(runner) == []


@pytest.mark.parametrize("signal", [Signal.SIGUSR1, Signal.SIGHUP])
def test_a_restart_keeps_the_connection_and_begins_with_client_id_0(signal: Signal) -> None:
    daemon = server([ALICE, BOB])
    runner = ScriptRunner(daemon)
    runner.run(partial(daemon.kill, 0), runner.wait(30), "state on")
    assert {row[10] for row in rows(runner)} == {"1", "2"}
    messages = runner.run(runner.signal(signal))
    assert [shape(line) for line in messages] == [f">STATE:RECONNECTING,{signal},,,,,"]
    assert runner.run("status 3") == [
        "ERROR: The 'status' command is not supported by the current daemon mode"
    ]
    messages = runner.run(runner.wait(1))
    assert [line.split(",")[1] for line in messages] == ["ASSIGN_IP", "CONNECTED"]
    assert rows(runner) == []
    runner.run(runner.wait(30))
    assert {row[10] for row in rows(runner)} == {"0", "1"}


def test_no_client_is_connected_twice_after_two_restarts() -> None:
    runner = ScriptRunner(
        server(FIVE, profile=ChurnProfile(session_seconds=300, absence_seconds=300))
    )
    runner.run(runner.signal(Signal.SIGUSR1), runner.wait(2), runner.signal(Signal.SIGUSR1))
    names: list[str] = []
    for _ in range(60):
        runner.run(runner.wait(1))
        names = [row[1] for row in rows(runner)]
        assert sorted(names) == sorted(set(names))
    assert set(names) == {person.common_name for person in FIVE}


def test_sighup_changes_the_start_time_in_env_blocks_and_sigusr1_does_not() -> None:
    runner = ScriptRunner(server([ALICE]))

    def start_time(signal: Signal) -> str:
        messages = runner.run(runner.signal(signal), runner.wait(30))
        (variable,) = [line for line in messages if "daemon_start_time=" in line]
        return variable.partition("=")[2]

    started, now = str(runner.daemon.started), str(int(runner.clock.now) + 30)
    assert start_time(Signal.SIGUSR1) == started
    assert start_time(Signal.SIGHUP) == now


def test_the_histories_keep_the_newest_100_states_and_250_log_lines() -> None:
    runner = ScriptRunner(server())
    for _ in range(60):
        runner.run(runner.signal(Signal.SIGUSR1), runner.wait(1))
    states, log = runner.run("state all"), runner.run("log all")
    assert (len(states), len(log)) == (101, 251)
    assert states[0].split(",")[1] == "CONNECTED"
    assert log[-2].endswith("CMD 'log all'")


def test_an_exit_notification_is_sent_on_and_the_row_stays_five_seconds() -> None:
    profile = ChurnProfile(session_seconds=500, absence_seconds=100_000)
    runner = ScriptRunner(server(FIVE, profile=profile, settings=ServerSettings(hold=True)))
    runner.run(runner.daemon.release, runner.wait(30))
    while ">NOTIFY:info,remote-exit,EXIT" not in runner.run(runner.wait(1)):
        pass
    before = {row[10]: row for row in rows(runner)}
    runner.run(runner.wait(3))
    (left,) = [row for row in rows(runner) if row == before[row[10]]]
    runner.run(runner.wait(2))
    assert left[10] not in {row[10] for row in rows(runner)}


def test_a_second_session_of_a_name_replaces_the_first_without_a_message() -> None:
    profile = ChurnProfile(churn=False, duplicate_names=False)
    runner = ScriptRunner(
        server([ALICE, ALICE], profile=profile, settings=ServerSettings(hold=True))
    )
    messages = runner.run("log on", runner.daemon.release)
    sessions = []
    for _ in range(60):
        messages += runner.run(runner.wait(1))
        connected = [row for row in rows(runner) if row[3]]
        assert len(connected) <= 1
        sessions += [(row[3], row[10]) for row in connected]
    assert {("10.8.0.2", "0"), ("10.8.0.2", "1")} <= set(sessions)
    assert not [line for line in messages if line.startswith(">NOTIFY")]
    note = "MULTI: new connection by client 'alice' will cause previous active sessions"
    assert [line for line in messages if note in line]


def test_a_client_that_floats_keeps_its_session() -> None:
    runner = ScriptRunner(server([ALICE], profile=ChurnProfile(churn=False, floats=3600)))
    (before,) = rows(runner)
    runner.run(runner.wait(60))
    (after,) = rows(runner)
    assert before[2] != after[2]
    assert (before[7:]) == (after[7:])


def test_a_client_rejected_by_a_script_is_announced_counted_and_has_no_address() -> None:
    runner = ScriptRunner(
        server([ALICE], profile=ChurnProfile(session_seconds=1, script_rejections=3600))
    )
    messages: list[str] = []
    while not any("time_duration=0" in line for line in messages):
        messages = runner.run(runner.wait(0.5))
    start = max(index for index, line in enumerate(messages) if "ESTABLISHED" in line)
    simulated = [shape(line) for line in messages[start:]]
    recorded = [shape(line) for line in received("server-events/client-connect-script-fails")]
    begin = recorded.index(">CLIENT:ESTABLISHED,N")
    assert (
        simulated[: simulated.index(">CLIENT:ENV,END")]
        == recorded[begin : recorded.index(">CLIENT:ENV,END")]
    )
    assert [row for row in rows(runner) if row[1] == "alice" and row[3] == ""]
    connected = sum(bool(row[3]) for row in rows(runner))
    assert load_stats(runner)[0] == connected + 1


def test_a_daemon_with_management_signal_restarts_when_its_client_leaves() -> None:
    runner = ScriptRunner(server([ALICE], settings=ServerSettings(management_signal=True)))
    runner.session.detach()
    again = ScriptRunner(runner.daemon)
    again.run(again.wait(2))
    messages = again.run("state all", "status 2")
    recorded = received("dangerous/management-signal-server")[1:]
    assert [shape(line) for line in messages] == [shape(line) for line in recorded]


def test_a_fatal_error_is_the_last_message() -> None:
    runner = ScriptRunner(server())
    runner.run("log on")
    text = "TCP/UDP: Socket bind failed on local address [AF_INET]127.0.0.1:21194"
    messages = runner.run(lambda: runner.daemon.fail(text))
    assert [line.split(",", 1)[-1] for line in messages] == [f"F,{text}", f">FATAL:{text}"]
    assert runner.session.closed
