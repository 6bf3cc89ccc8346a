from exporter.simulator.daemon.tunnel import PRIVATE_KEY_REQUEST, TunnelSettings
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


def test_the_prompt_is_said_again_to_the_next_client() -> None:
    daemon = tunnel(TunnelSettings(prompt=PRIVATE_KEY_REQUEST))
    first = ScriptRunner(daemon)
    first.session.detach()
    assert f"{PRIVATE_KEY_REQUEST}\r\n".encode() in ScriptRunner(daemon).received


def test_a_prompt_stands_until_it_is_answered() -> None:
    daemon = tunnel(TunnelSettings(prompt=PRIVATE_KEY_REQUEST, breaks_every=None))
    runner = ScriptRunner(daemon)
    assert runner.received.decode().split("\r\n")[1] == PRIVATE_KEY_REQUEST
    runner.run(runner.wait(2))
    assert runner.run("status")[0].startswith("ERROR: The 'status' command is not supported")
    runner.run(daemon.answer_prompt, runner.wait(2))
    assert runner.run("state")[0].split(",")[1] == "CONNECTED"
