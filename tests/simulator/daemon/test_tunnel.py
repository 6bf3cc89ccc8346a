import pytest

from exporter.simulator.daemon.prompt import AUTH, NAME, PRIVATE_KEY, TOKEN, Question
from exporter.simulator.daemon.tunnel import Credentials, TunnelSettings
from tests.simulator.daemons import tunnel
from tests.simulator.replay import received, shape
from tests.simulator.script import ScriptRunner

FRAGILE = TunnelSettings(remote="127.0.0.1", port=21_194, breaks_every=120)


def load_stats(runner: ScriptRunner) -> tuple[int, int]:
    (reply,) = runner.run("load-stats")
    clients, *counters = (int(part.partition("=")[2]) for part in reply[9:].split(","))
    assert clients == 0
    return counters[0], counters[1]


def statistics(runner: ScriptRunner) -> dict[str, int]:
    _, _, *lines, _ = runner.run("status")
    return {name: int(value) for name, value in (line.split(",") for line in lines)}


def test_a_tunnel_breaks_and_comes_back_through_the_recorded_states() -> None:
    runner = ScriptRunner(tunnel(FRAGILE))
    runner.run(runner.wait(5), "state on")
    told: list[str] = []
    while len(told) < 4:
        told += runner.run(runner.wait(1))
    reconnecting, *rest = [shape(line) for line in told]
    lost = received("client-mode/restart-server-loss-sigterm")
    assert reconnecting in [shape(line) for line in lost]
    assert reconnecting == ">STATE:RECONNECTING,ping-restart,,,,,"
    assert rest == [
        ">STATE:WAIT,,,,,,",
        ">STATE:AUTH,,,,,,",
        ">STATE:CONNECTED,SUCCESS,x,x,x,,,x",
    ]


def test_a_tunnel_loses_its_server_when_it_is_told_to() -> None:
    daemon = tunnel()
    runner = ScriptRunner(daemon)
    runner.run(runner.wait(5), "state on")
    lost = runner.run(lambda: daemon.inject_server_loss(30), runner.wait(20))
    assert [line.split(",")[1] for line in lost] == ["RECONNECTING", "WAIT"]
    back = runner.run(runner.wait(20))
    assert [line.split(",")[1] for line in back] == ["AUTH", "CONNECTED"]


def test_packets_that_come_twice_are_remarked() -> None:
    daemon = tunnel()
    runner = ScriptRunner(daemon)
    runner.run("log on")
    told = runner.run(lambda: daemon.inject_replays(3))
    assert len(told) == 3
    assert {"bad packet ID (may be a replay)" in line for line in told} == {True}


def test_the_counters_of_a_connection_restart_but_the_totals_never_fall() -> None:
    runner = ScriptRunner(tunnel(FRAGILE))
    restarts, last, last_total = 0, 0, (0, 0)
    for _ in range(600):
        runner.run(runner.wait(2))
        now, total = statistics(runner)["TCP/UDP read bytes"], load_stats(runner)
        restarts += now < last
        assert total[0] >= last_total[0]
        assert total[1] >= last_total[1]
        last, last_total = now, total
    assert restarts >= 3


def test_the_counters_of_a_connection_fit_together() -> None:
    runner = ScriptRunner(tunnel())
    runner.run(runner.wait(100))
    told = statistics(runner)
    assert 0 < told["TUN/TAP read bytes"] < told["TCP/UDP write bytes"]
    assert 0 < told["TUN/TAP write bytes"] < told["TCP/UDP read bytes"]
    assert told["Auth read bytes"] < told["TCP/UDP read bytes"]


def test_bytecount_outlives_the_client_that_asked_for_it_as_recorded() -> None:
    daemon = tunnel()
    before = ScriptRunner(daemon)
    before.run(before.wait(3), "bytecount 1")
    before.session.detach()
    after = ScriptRunner(daemon)
    seconds = [after.wait(n) for n in (4, 5, 6, 7)]
    told = [line for second in seconds for line in after.run(second)]
    recorded = received("sticky/client-bytecount-after-reconnect")
    assert {shape(line) for line in told} == {shape(line) for line in recorded[1:-1]}


def test_a_wrong_password_ends_a_client_that_may_not_ask_again() -> None:
    settings = TunnelSettings(
        question=AUTH, credentials=Credentials("alice-user", "good"), breaks_every=None
    )
    runner = ScriptRunner(tunnel(settings))
    runner.run("state on", 'username "Auth" alice-user')
    told = runner.run('password "Auth" bad', runner.wait(2))
    assert told[0] == "SUCCESS: 'Auth' password entered, but not yet verified"
    assert [shape(line) for line in told[1:]] == [
        shape(line) for line in received("client-mode/auth-failed")[4:]
    ]
    assert runner.session.closed


def test_answers_of_another_type_are_refused() -> None:
    settings = TunnelSettings(question=AUTH, credentials=Credentials("alice-user", "good"))
    runner = ScriptRunner(tunnel(settings))
    assert runner.run('password "Private Key" x') == [
        "ERROR: password of type 'Private Key' entered, but we need one of type 'Auth'"
    ]


def test_the_prompt_is_said_again_to_the_next_client() -> None:
    settings = TunnelSettings(question=AUTH, credentials=Credentials("alice-user", "good"))
    daemon = tunnel(settings)
    first = ScriptRunner(daemon)
    first.session.detach()
    assert b">PASSWORD:Need 'Auth' username/password\r\n" in ScriptRunner(daemon).received


@pytest.mark.parametrize(
    ("question", "command", "reply"),
    [
        (PRIVATE_KEY, 'password "Private Key" secret', "'Private Key' password"),
        (
            TOKEN,
            "needok token-insertion-request ok",
            "'token-insertion-request' needok-confirmation",
        ),
        (NAME, "needstr name alice", "'name' needstr-string"),
    ],
)
def test_a_question_stands_until_it_is_answered(
    question: Question, command: str, reply: str
) -> None:
    runner = ScriptRunner(tunnel(TunnelSettings(question=question, breaks_every=None)))
    assert runner.received.decode().split("\r\n")[1] == question.request
    assert runner.run("username Auth x") == ["ERROR: no username is currently needed at this time"]
    assert runner.run("status")[0].startswith("ERROR: The 'status' command is not supported")
    assert runner.run(command) == [f"SUCCESS: {reply} entered, but not yet verified"]
    runner.run(runner.wait(2))
    assert runner.run("state")[0].split(",")[1] == "CONNECTED"


def test_a_daemon_that_waits_for_an_answer_ignores_a_restart() -> None:
    runner = ScriptRunner(tunnel(TunnelSettings(question=AUTH)))
    assert runner.run("signal SIGHUP") == [
        "ERROR: signal 'SIGHUP' is currently ignored",
        AUTH.request,
    ]
