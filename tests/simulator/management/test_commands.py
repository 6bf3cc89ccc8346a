import pytest

from exporter.simulator.daemon.server import ServerSettings
from exporter.simulator.daemon.tunnel import TunnelSettings
from tests.simulator.daemons import ALICE, server, tunnel
from tests.simulator.script import ScriptRunner

UNSUPPORTED = "ERROR: The '{}' command is not supported by the current daemon mode"


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("verb 4", "ERROR: 'verb' with a parameter is not simulated"),
        ("hold release", "ERROR: 'hold' with a parameter is not simulated"),
        ("version 3", "ERROR: 'version' with a parameter is not simulated"),
        ("bytecount 0", "SUCCESS: bytecount interval changed"),
        ("bytecount five", "SUCCESS: bytecount interval changed"),
        ("bytecount 5", "ERROR: bytecount is not simulated"),
        ("kill alice", "ERROR: 'kill' is not simulated"),
        ("kill", "ERROR: the 'kill' command requires 1 parameter"),
        ("bogus", "ERROR: unknown command, enter 'help' for more options"),
        ("status 3 surplus", "TITLE\t"),
        ("log", "ERROR: the 'log' command requires at least 1 parameter"),
    ],
)
def test_a_server_answers(command: str, reply: str) -> None:
    assert ScriptRunner(server()).run(command)[0].startswith(reply)


def test_a_held_server_has_no_status() -> None:
    runner = ScriptRunner(server([ALICE], settings=ServerSettings(hold=True)))
    assert runner.run("status 3") == [UNSUPPORTED.format("status")]


def test_a_held_client_has_no_status() -> None:
    runner = ScriptRunner(tunnel(TunnelSettings(hold=True)))
    assert runner.run("status") == [UNSUPPORTED.format("status")]


def test_two_parameters_are_carried_out_from_left_to_right() -> None:
    runner = ScriptRunner(server())
    first, *listing, last = runner.run("state on all")
    assert first == "SUCCESS: real-time state notification set to ON"
    assert [line.split(",")[1] for line in listing] == ["CONNECTING", "ASSIGN_IP", "CONNECTED"]
    assert last == "END"
    assert runner.daemon.realtime_flags.state


@pytest.mark.parametrize(("verb", "logged"), [(2, False), (3, True)])
def test_commands_are_logged_from_verb_3_on(verb: int, *, logged: bool) -> None:
    runner = ScriptRunner(server(settings=ServerSettings(verb=verb)))
    runner.run("log on")
    lines = runner.run("pid")
    assert [line.partition(",")[2] for line in lines[:-1]] == ["D,MANAGEMENT: CMD 'pid'"] * logged


def test_load_stats_is_not_logged() -> None:
    runner = ScriptRunner(server())
    runner.run("log on")
    assert runner.run("load-stats") == ["SUCCESS: nclients=0,bytesin=0,bytesout=0"]
