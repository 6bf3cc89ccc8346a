import pytest

from exporter.simulator.daemon.server import ServerSettings
from exporter.simulator.daemon.signal import Signal
from exporter.simulator.population.failures import FailureKind
from exporter.simulator.population.profile import ChurnProfile
from tests.simulator.daemons import ALICE, BOB, FIVE, server
from tests.simulator.replay import received, shape
from tests.simulator.stage import Stage

BUSY = ChurnProfile(session_seconds=60, absence_seconds=30)


def load_stats(stage: Stage) -> list[int]:
    (reply,) = stage.play("load-stats")
    return [int(part.partition("=")[2]) for part in reply.removeprefix("SUCCESS: ").split(",")]


def rows(stage: Stage) -> list[list[str]]:
    status = stage.play("status 3")
    return [row.split("\t") for row in status if row.startswith("CLIENT_LIST\t")]


def test_the_totals_are_the_sum_of_the_rows() -> None:
    stage = Stage(server(FIVE))
    stage.play(stage.wait(100))
    clients, received_bytes, sent_bytes = load_stats(stage)
    assert clients == 5
    assert received_bytes == sum(int(row[5]) for row in rows(stage))
    assert sent_bytes == sum(int(row[6]) for row in rows(stage))


def test_the_totals_survive_departures_and_restarts_and_never_fall() -> None:
    stage = Stage(server(FIVE, profile=BUSY))
    last = 0
    for minute in range(60):
        stage.play(stage.wait(60))
        if minute == 30:
            stage.play("signal SIGUSR1")
        _, received_bytes, _ = load_stats(stage)
        assert received_bytes >= last
        last = received_bytes
    assert last > sum(int(row[5]) for row in rows(stage))


def test_with_offload_the_totals_are_blind_to_the_data() -> None:
    stage = Stage(server(FIVE, settings=ServerSettings(dco=True)))
    before = load_stats(stage)
    stage.play(stage.wait(1000))
    assert load_stats(stage) == before
    assert sum(int(row[5]) for row in rows(stage)) > before[1]
    assert "GLOBAL_STATS\tdco_enabled\t1" in stage.play("status 3")


def test_it_says_whom_it_turns_away_at_its_limit() -> None:
    daemon = server([ALICE], settings=ServerSettings(max_clients=1))
    stage = Stage(daemon)
    stage.play("log on")
    (told,) = stage.play(lambda: daemon.connect(BOB))
    limit = "MULTI: new incoming connection would exceed maximum number of clients (1)"
    assert told.split(",", 2)[1:] == ["N", limit]
    assert [row[1] for row in rows(stage)] == ["alice"]


def test_people_come_and_go_and_trouble_happens_as_it_is_told() -> None:
    daemon = server([ALICE])
    stage = Stage(daemon)
    stage.play(lambda: daemon.disconnect("alice"), lambda: daemon.connect(BOB), stage.wait(6))
    assert [row[1] for row in rows(stage)] == ["bob"]
    stage.play(lambda: daemon.trigger(FailureKind.PORT_SCAN))
    assert [row[1] for row in rows(stage)] == ["bob", "UNDEF"]


def test_nobody_comes_to_a_server_that_is_not_up() -> None:
    daemon = server(settings=ServerSettings(hold=True))
    stage = Stage(daemon)
    stage.play(lambda: daemon.connect(ALICE), stage.wait(6), "hold release", stage.wait(1))
    assert rows(stage) == []


@pytest.mark.parametrize("signal", [Signal.SIGUSR1, Signal.SIGHUP])
def test_a_restart_keeps_the_connection_and_begins_with_client_id_0(signal: Signal) -> None:
    stage = Stage(server([ALICE, BOB]))
    stage.play("client-kill 0", stage.wait(30), "state on")
    assert {row[10] for row in rows(stage)} == {"1", "2"}
    told = stage.play(stage.signal(signal))
    assert [shape(line) for line in told] == [f">STATE:RECONNECTING,{signal},,,,,"]
    assert stage.play("status 3") == [
        "ERROR: The 'status' command is not supported by the current daemon mode"
    ]
    told = stage.play(stage.wait(1))
    assert [line.split(",")[1] for line in told] == ["ASSIGN_IP", "CONNECTED"]
    assert rows(stage) == []
    stage.play(stage.wait(30))
    assert {row[10] for row in rows(stage)} == {"0", "1"}


def test_nobody_is_there_twice_after_two_restarts() -> None:
    stage = Stage(server(FIVE, profile=ChurnProfile(session_seconds=300, absence_seconds=300)))
    stage.play(stage.signal(Signal.SIGUSR1), stage.wait(2), stage.signal(Signal.SIGUSR1))
    names: list[str] = []
    for _ in range(60):
        stage.play(stage.wait(1))
        names = [row[1] for row in rows(stage)]
        assert sorted(names) == sorted(set(names))
    assert set(names) == {person.common_name for person in FIVE}


def test_a_hangup_counts_as_a_new_start_for_scripts_but_a_restart_does_not() -> None:
    stage = Stage(server([ALICE]))

    def start_time(signal: Signal) -> str:
        told = stage.play(stage.signal(signal), stage.wait(30))
        (variable,) = [line for line in told if "daemon_start_time=" in line]
        return variable.partition("=")[2]

    started, now = str(stage.daemon.started), str(int(stage.clock.now) + 30)
    assert start_time(Signal.SIGUSR1) == started
    assert start_time(Signal.SIGHUP) == now


def test_bytecount_tells_of_a_client_as_soon_as_it_is_connected() -> None:
    stage = Stage(server([ALICE]))
    stage.play("bytecount 3600", "kill alice")
    *_, end, traffic = stage.play(stage.wait(30))
    assert end == ">CLIENT:ENV,END"
    assert shape(traffic) == ">BYTECOUNT_CLI:N,N,N"


def test_the_histories_keep_the_newest_100_states_and_250_log_lines() -> None:
    stage = Stage(server())
    for _ in range(60):
        stage.play(stage.signal(Signal.SIGUSR1), stage.wait(1))
    states, log = stage.play("state all"), stage.play("log all")
    assert (len(states), len(log)) == (101, 251)
    assert states[0].split(",")[1] == "CONNECTED"
    assert log[-2].endswith("CMD 'log all'")


def test_a_hangup_reads_the_configuration_again() -> None:
    stage = Stage(server())
    stage.play("verb 5", "mute 9", stage.signal(Signal.SIGUSR1))
    assert stage.play("verb", "mute") == ["SUCCESS: verb=5", "SUCCESS: mute=9"]
    stage.play(stage.signal(Signal.SIGHUP))
    assert stage.play("verb", "mute") == ["SUCCESS: verb=3", "SUCCESS: mute=0"]


def test_a_polite_departure_is_noticed_and_the_row_stays_five_seconds() -> None:
    profile = ChurnProfile(session_seconds=500, absence_seconds=100_000)
    stage = Stage(server(FIVE, profile=profile, settings=ServerSettings(hold=True)))
    stage.play("hold release", stage.wait(30))
    while ">NOTIFY:info,remote-exit,EXIT" not in stage.play(stage.wait(1)):
        pass
    before = {row[10]: row for row in rows(stage)}
    stage.play(stage.wait(3))
    (left,) = [row for row in rows(stage) if row == before[row[10]]]
    stage.play(stage.wait(2))
    assert left[10] not in {row[10] for row in rows(stage)}


def test_bytecount_tells_of_connected_clients_until_the_client_leaves() -> None:
    stage = Stage(server([ALICE, BOB]))
    stage.play("bytecount 5")
    told = stage.play(stage.wait(5))
    assert [shape(line) for line in told] == [">BYTECOUNT_CLI:N,N,N"] * 2
    assert [line.split(",")[1:] for line in told] == [row[5:7] for row in rows(stage)]
    stage.session.detach()
    again = Stage(stage.daemon)
    assert again.play(again.wait(60)) == []


def test_a_second_session_of_a_name_throws_the_first_out_without_a_word() -> None:
    profile = ChurnProfile(churn=False, duplicate_names=False)
    stage = Stage(server([ALICE, ALICE], profile=profile, settings=ServerSettings(hold=True)))
    told = stage.play("log on", "hold release")
    sessions = []
    for _ in range(60):
        told += stage.play(stage.wait(1))
        connected = [row for row in rows(stage) if row[3]]
        assert len(connected) <= 1
        sessions += [(row[3], row[10]) for row in connected]
    assert {("10.8.0.2", "0"), ("10.8.0.2", "1")} <= set(sessions)
    assert not [line for line in told if line.startswith(">NOTIFY")]
    note = "MULTI: new connection by client 'alice' will cause previous active sessions"
    assert [line for line in told if note in line]


def test_a_client_that_floats_keeps_its_session() -> None:
    stage = Stage(server([ALICE], profile=ChurnProfile(churn=False, floats=3600)))
    (before,) = rows(stage)
    stage.play(stage.wait(60))
    (after,) = rows(stage)
    assert before[2] != after[2]
    assert (before[7:]) == (after[7:])


def test_a_client_refused_by_a_script_is_announced_counted_and_has_no_address() -> None:
    stage = Stage(server([ALICE], profile=ChurnProfile(session_seconds=1, script_rejections=3600)))
    told: list[str] = []
    while not any("time_duration=0" in line for line in told):
        told = stage.play(stage.wait(0.5))
    start = max(index for index, line in enumerate(told) if "ESTABLISHED" in line)
    ours = [shape(line) for line in told[start:]]
    recorded = [shape(line) for line in received("server-events/client-connect-script-fails")]
    begin = recorded.index(">CLIENT:ESTABLISHED,N")
    assert (
        ours[: ours.index(">CLIENT:ENV,END")] == recorded[begin : recorded.index(">CLIENT:ENV,END")]
    )
    assert [row for row in rows(stage) if row[1] == "alice" and row[3] == ""]
    connected = sum(bool(row[3]) for row in rows(stage))
    assert load_stats(stage)[0] == connected + 1


class TestClientAuth:
    """With `--management-client-auth` the management client decides who comes in."""

    def stage(self) -> Stage:
        stage = Stage(server([FIVE[0]], settings=ServerSettings(hold=True, client_auth=True)))
        stage.play("hold release")
        return stage

    def test_a_client_waits_with_its_password_for_a_decision(self) -> None:
        stage = self.stage()
        told = stage.play(stage.wait(30))
        recorded = received("client-auth/nobody-answers")
        end = recorded.index(">CLIENT:ENV,END")
        assert [shape(line) for line in told] == [shape(line) for line in recorded[1 : end + 1]]
        assert any(line.startswith(">CLIENT:ENV,password=") for line in told)
        (row,) = rows(stage)
        assert (row[1], row[3], row[9]) == ("alice", "", "alice-user")

    def test_nobody_answers_and_the_client_tries_again(self) -> None:
        stage = self.stage()
        told = stage.play(stage.wait(120))
        calls = [line for line in told if line.startswith(">CLIENT:CONNECT")]
        assert calls == [">CLIENT:CONNECT,0,1", ">CLIENT:CONNECT,1,1"]
        assert stage.play("nclients") == ["SUCCESS: nclients=0"]

    def test_an_admitted_client_is_announced_with_its_addresses(self) -> None:
        stage = self.stage()
        stage.play(stage.wait(30))
        assert stage.play("client-auth-nt 0 2") == ["ERROR: client-auth command failed"]
        first, *told = stage.play("client-auth-nt 0 1")
        assert first == "SUCCESS: client-auth command succeeded"
        assert told[:3] == [
            ">CLIENT:ADDRESS,0,10.8.0.2,1",
            ">CLIENT:ADDRESS,0,fd00:8::1000,1",
            ">CLIENT:ESTABLISHED,0",
        ]
        assert len(rows(stage)) == 1

    def test_the_end_of_an_admitted_client_is_told(self) -> None:
        profile = ChurnProfile(session_seconds=20, absence_seconds=10_000)
        settings = ServerSettings(hold=True, client_auth=True)
        stage = Stage(server([FIVE[0]], profile=profile, settings=settings))
        stage.play("hold release", stage.wait(30), "client-auth-nt 0 1")
        told = stage.play(stage.wait(600))
        block = told[told.index(">CLIENT:DISCONNECT,0") :]
        assert block[1].startswith(">CLIENT:ENV,time_duration=")
        assert block[-1] == ">CLIENT:ENV,END"

    def test_the_options_of_an_admission_end_with_a_line_end(self) -> None:
        stage = self.stage()
        stage.play(stage.wait(30))
        assert stage.play("client-auth 0 1", 'push "route 10.0.0.0"', "pid") == []
        assert stage.play("END")[0] == "SUCCESS: client-auth command succeeded"

    def test_a_denied_client_goes(self) -> None:
        stage = self.stage()
        stage.play(stage.wait(30), 'client-deny 0 1 "no thanks"')
        stage.play(stage.wait(5))
        assert rows(stage) == []
        assert stage.play("client-auth-nt 0 1") == ["ERROR: client-auth command failed"]


def test_a_daemon_with_management_signal_restarts_when_its_client_leaves() -> None:
    stage = Stage(server([ALICE], settings=ServerSettings(management_signal=True)))
    stage.session.detach()
    again = Stage(stage.daemon)
    again.play(again.wait(2))
    told = again.play("state all", "status 2")
    recorded = received("dangerous/management-signal-server")[1:]
    assert [shape(line) for line in told] == [shape(line) for line in recorded]


def test_a_fatal_error_is_the_last_thing_said() -> None:
    stage = Stage(server())
    stage.play("log on")
    text = "TCP/UDP: Socket bind failed on local address [AF_INET]127.0.0.1:21194"
    told = stage.play(lambda: stage.daemon.fail(text))
    assert [line.split(",", 1)[-1] for line in told] == [f"F,{text}", f">FATAL:{text}"]
    assert stage.session.closed
