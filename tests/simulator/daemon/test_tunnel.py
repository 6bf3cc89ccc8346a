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


def test_a_tunnel_loses_its_server_and_reconnects_through_the_recorded_states() -> None:
    runner = ScriptRunner(tunnel(FRAGILE))
    runner.run(runner.wait(5), "state on")
    messages: list[str] = []
    while len(messages) < 4:
        messages += runner.run(runner.wait(1))
    reconnecting, *rest = [shape(line) for line in messages]
    lost = received("client-mode/restart-server-loss-sigterm")
    assert reconnecting in [shape(line) for line in lost]
    assert reconnecting == ">STATE:RECONNECTING,ping-restart,,,,,"
    assert rest == [
        ">STATE:WAIT,,,,,,",
        ">STATE:AUTH,,,,,,",
        ">STATE:CONNECTED,SUCCESS,x,x,x,,,x",
    ]


def test_a_server_loss_can_be_injected() -> None:
    daemon = tunnel()
    runner = ScriptRunner(daemon)
    runner.run(runner.wait(5), "state on")
    lost = runner.run(lambda: daemon.inject_server_loss(30), runner.wait(20))
    assert [line.split(",")[1] for line in lost] == ["RECONNECTING", "WAIT"]
    back = runner.run(runner.wait(20))
    assert [line.split(",")[1] for line in back] == ["AUTH", "CONNECTED"]


def test_injected_replays_are_logged() -> None:
    daemon = tunnel()
    runner = ScriptRunner(daemon)
    runner.run("log on")
    messages = runner.run(lambda: daemon.inject_replays(3))
    assert len(messages) == 3
    assert {"bad packet ID (may be a replay)" in line for line in messages} == {True}


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
    counters = statistics(runner)
    assert 0 < counters["TUN/TAP read bytes"] < counters["TCP/UDP write bytes"]
    assert 0 < counters["TUN/TAP write bytes"] < counters["TCP/UDP read bytes"]
    assert counters["Auth read bytes"] < counters["TCP/UDP read bytes"]


def test_the_prompt_is_sent_to_the_next_client_again() -> None:
    daemon = tunnel(TunnelSettings(prompt=PRIVATE_KEY_REQUEST))
    first = ScriptRunner(daemon)
    first.session.detach()
    assert f"{PRIVATE_KEY_REQUEST}\r\n".encode() in ScriptRunner(daemon).received


def test_a_prompt_is_pending_until_it_is_answered() -> None:
    daemon = tunnel(TunnelSettings(prompt=PRIVATE_KEY_REQUEST, breaks_every=None))
    runner = ScriptRunner(daemon)
    assert runner.received.decode().split("\r\n")[1] == PRIVATE_KEY_REQUEST
    runner.run(runner.wait(2))
    assert runner.run("status")[0].startswith("ERROR: The 'status' command is not supported")
    runner.run(daemon.answer_prompt, runner.wait(2))
    assert runner.run("state")[0].split(",")[1] == "CONNECTED"
