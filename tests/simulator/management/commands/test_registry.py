import pytest

from exporter.simulator.daemon.server import ServerSettings
from exporter.simulator.daemon.tunnel import TunnelSettings
from tests.simulator.daemons import ALICE, FIVE, server, tunnel
from tests.simulator.script import ScriptRunner

UNSUPPORTED = "ERROR: The '{}' command is not supported by the current daemon mode"


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("verb 4", "SUCCESS: verb level changed"),
        ("verb 16", "ERROR: verb level is out of range"),
        ("verb -1", "ERROR: verb level is out of range"),
        ("mute 3", "SUCCESS: mute level changed"),
        ("mute -1", "ERROR: mute level is out of range"),
        ("auth-retry interact", "SUCCESS: auth-retry parameter changed"),
        ("hold on", "SUCCESS: hold flag set to ON"),
        ("hold off", "SUCCESS: hold flag set to OFF"),
        ("hold release", "SUCCESS: hold release succeeded"),
        ("hold tight", "ERROR: bad hold command parameter"),
        ("bytecount 5", "SUCCESS: bytecount interval changed"),
        ("bytecount five", "SUCCESS: bytecount interval changed"),
        ("env-filter", "SUCCESS: env_filter_level=0"),
        ("env-filter 2x", "SUCCESS: env_filter_level=2"),
        ("signal SIGFOO", "ERROR: signal 'SIGFOO' is not a known signal type"),
        ("signal SIGUSR2", "SUCCESS: signal SIGUSR2 thrown"),
        ("needok x", "ERROR: the 'needok' command requires 2 parameters"),
        ("needstr x y", "ERROR: no needstr-string is currently needed at this time"),
        ("username Auth x", "ERROR: no username is currently needed at this time"),
        ("client-kill", "ERROR: the 'client-kill' command requires at least 1 parameter"),
        ("client-kill x", "ERROR: cannot parse CID"),
        ("client-deny 0 1", "ERROR: the 'client-deny' command requires at least 3 parameters"),
        ("client-deny 0 1 no", "ERROR: client-deny command failed"),
        ("client-auth-nt 0 x", "ERROR: cannot parse KID"),
        ("client-auth 0 x", "ERROR: cannot parse KID"),
        ("client-auth 0", "ERROR: the 'client-auth' command requires 2 parameters"),
        ("client-auth-nt 9 1", "ERROR: client-auth command failed"),
        ("client-pending-auth 0 1 m 10", "ERROR: client-pending-auth command failed."),
        ("rsa-sig", "ERROR: The rsa-sig command is not currently available"),
        ("certificate", "ERROR: The certificate command is not currently available"),
        ("pkcs11-id-get 3", ">PKCS11ID-ENTRY:'3'"),
        ("proxy NONE", UNSUPPORTED.format("proxy")),
        ("remote ACCEPT", UNSUPPORTED.format("remote")),
        ("kill 1.2.3:4", "ERROR: client at address 1.2.0.3:4 not found"),
        ("kill 1.2.3.x:4", "ERROR: error parsing IP address: 1.2.3.x"),
        ("kill 1.2.3.4:70000", "ERROR: port number is out of range: 70000"),
        ("kill :5", "ERROR: kill parse"),
        ("status 3 surplus", "TITLE\t"),
        ("test", "ERROR: the 'test' command requires 1 parameter"),
    ],
)
def test_a_server_answers(command: str, reply: str) -> None:
    assert ScriptRunner(server()).run(command)[0].startswith(reply)


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("remote ACCEPT", "ERROR: remote command failed"),
        ("proxy NONE", "SUCCESS: proxy command succeeded"),
        ("proxy SOCKS 192.0.2.1 1080", "SUCCESS: proxy command succeeded"),
        ("proxy HTTP 192.0.2.1 8080", "ERROR: proxy command failed"),
        ("client-pending-auth 0 1 m 9", UNSUPPORTED.format("client-pending-auth")),
        ("remote-entry-get -1", "END"),
        ("remote-entry-get -1 5", "END"),
        ("remote-entry-get all 0", "0,127.0.0.1,21194,udp4,enabled"),
        ("client-auth-nt 0 1", UNSUPPORTED.format("client-auth")),
        ("client-deny 0 1 no", UNSUPPORTED.format("client-deny")),
        ("remote-entry-get", "ERROR: the 'remote-entry-get' command requires at least 1 parameter"),
        ("remote-entry-get 0", "0,127.0.0.1,21194,udp4,enabled"),
        ("remote-entry-get 1", "END"),
        ("remote-entry-get 0 9", "0,127.0.0.1,21194,udp4,enabled"),
    ],
)
def test_a_client_answers(command: str, reply: str) -> None:
    runner = ScriptRunner(tunnel())
    assert runner.run(command)[0] == reply


@pytest.mark.parametrize("command", ["status 3", "nclients", "kill alice", "net", "client-kill 0"])
def test_a_held_daemon_does_not_support(command: str) -> None:
    runner = ScriptRunner(server([ALICE], settings=ServerSettings(hold=True)))
    name = command.partition(" ")[0]
    assert runner.run(command) == [UNSUPPORTED.format(name)]


@pytest.mark.parametrize("command", ["status", "remote-entry-count", "net", "cr-response x"])
def test_a_held_client_does_not_support(command: str) -> None:
    runner = ScriptRunner(tunnel(TunnelSettings(hold=True)))
    assert runner.run(command)[0].endswith("command is not supported by the current daemon mode")


def test_a_bad_auth_retry_is_explained_before_it_is_refused() -> None:
    assert ScriptRunner(server()).run("auth-retry maybe", "auth-retry") == [
        "--auth-retry method must be 'interact', 'nointeract', or 'none'",
        "ERROR: bad auth-retry parameter",
        "SUCCESS: auth-retry=none",
    ]


def test_what_was_set_is_shown() -> None:
    runner = ScriptRunner(server())
    runner.run("verb 4", "mute 3", "hold on", "auth-retry nointeract")
    assert runner.run("verb", "mute", "hold", "auth-retry") == [
        "SUCCESS: verb=4",
        "SUCCESS: mute=3",
        "SUCCESS: hold=1",
        "SUCCESS: auth-retry=nointeract",
    ]


def test_two_parameters_are_carried_out_from_left_to_right() -> None:
    runner = ScriptRunner(server())
    first, *listing, last = runner.run("state on all")
    assert first == "SUCCESS: real-time state notification set to ON"
    assert [line.split(",")[1] for line in listing] == ["CONNECTING", "ASSIGN_IP", "CONNECTED"]
    assert last == "END"
    assert runner.daemon.realtime_flags.state


def test_kill_by_name_ends_all_sessions_of_a_name() -> None:
    runner = ScriptRunner(server([*FIVE, ALICE]))
    assert runner.run("kill alice") == ["SUCCESS: common name 'alice' found, 2 client(s) killed"]
    assert runner.run("nclients") == ["SUCCESS: nclients=4"]


def test_kill_takes_a_quoted_name_with_a_comma() -> None:
    runner = ScriptRunner(server(FIVE))
    assert runner.run('kill "Doe, John"')[0].startswith("SUCCESS: common name 'Doe, John' found")


def test_kill_by_address_ends_one_session() -> None:
    runner = ScriptRunner(server(FIVE))
    row = next(row for row in runner.run("status 3") if row.startswith("CLIENT_LIST\t"))
    address = row.split("\t")[2]
    assert runner.run(f"kill {address}") == [f"SUCCESS: 1 client(s) at address {address} killed"]
    assert runner.run(f"kill {address}") == [f"ERROR: client at address {address} not found"]


def test_a_killed_client_comes_back_with_another_client_id() -> None:
    runner = ScriptRunner(server([ALICE]))
    assert runner.run("client-kill 0") == ["SUCCESS: client-kill command succeeded"]
    assert runner.run("client-kill 0") == ["ERROR: client-kill command failed"]
    announced = runner.run(runner.wait(30))
    assert announced[0] == ">CLIENT:ESTABLISHED,1"


@pytest.mark.parametrize(("verb", "logged"), [(2, False), (3, True)])
def test_commands_are_logged_from_verb_3_on(verb: int, *, logged: bool) -> None:
    runner = ScriptRunner(server(settings=ServerSettings(verb=verb)))
    runner.run("log on")
    lines = runner.run("pid")
    assert [line.partition(",")[2] for line in lines[:-1]] == ["D,MANAGEMENT: CMD 'pid'"] * logged


def test_load_stats_is_not_logged_and_a_password_not_shown() -> None:
    runner = ScriptRunner(server())
    runner.run("log on")
    assert runner.run("load-stats") == ["SUCCESS: nclients=0,bytesin=0,bytesout=0"]
    told, _ = runner.run('password "Auth" secret')
    assert told.endswith(",D,MANAGEMENT: CMD 'password [...]'")
