"""Whole recorded sessions, played again: what was sent, and what happened to the daemon meanwhile.

Log lines are left out: ours are fewer. All else comes in the recorded order and shape.
"""

import re
from collections.abc import Sequence

import pytest

from exporter.simulator.daemon.prompt import AUTH
from exporter.simulator.daemon.server import ServerSettings
from exporter.simulator.daemon.signal import Signal
from exporter.simulator.daemon.tunnel import Credentials, TunnelSettings
from tests.simulator.daemons import ALICE, BOB, FIVE, attach, server, tunnel
from tests.simulator.replay import TRANSCRIPTS, as_lines, received, sent, shape
from tests.simulator.script import ScriptRunner


def outline(lines: Sequence[str]) -> list[str]:
    return [found for line in lines if (found := shape(line)) != "log"]


def numberless(data: bytes) -> bytes:
    return re.sub(rb"\d+", b"N", data)


@pytest.mark.parametrize(
    "name",
    [
        "correct",
        "crlf-line-endings",
        "empty-and-padded",
        "three-wrong",
        "two-wrong-then-right",
    ],
)
def test_passwords_are_asked_and_taken_byte_for_byte_as_recorded(name: str) -> None:
    runner = ScriptRunner(server(), password="s3cret")
    for line in sent(f"password/{name}").splitlines(keepends=True):
        runner.send(line)
    recorded = (TRANSCRIPTS / "password" / f"{name}.recv").read_bytes()
    assert numberless(runner.received) == numberless(recorded)


@pytest.mark.parametrize(
    "name",
    [
        "framing/command-before-greeting-read",
        "framing/half-close",
        "framing/long-commands",
        "framing/partial-and-cr",
        "framing/pipelined-three-commands",
        "framing/pipelined-with-quit",
        "framing/quoting-and-bytes",
        "server-0-clients/version-N",
    ],
)
def test_a_session_sent_in_one_write_is_answered_as_recorded(name: str) -> None:
    runner = ScriptRunner(server())
    runner.send(sent(name))
    assert outline(as_lines(runner.received)) == outline(received(name))


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("server-0-clients/log-cache-5", ServerSettings(log_cache=5)),
        ("server-0-clients/status-with-status-version-3", ServerSettings(status_version=3)),
        ("hold/pipelined-with-quit", ServerSettings(hold=True)),
        ("hold/reconnect-while-held", ServerSettings(hold=True)),
        ("hold/sigterm-while-held", ServerSettings(hold=True)),
    ],
)
def test_settings_change_what_is_answered_as_recorded(name: str, settings: ServerSettings) -> None:
    runner = ScriptRunner(server(settings=settings))
    runner.send(sent(name))
    assert [shape(line) for line in as_lines(runner.received)] == [
        shape(line) for line in received(name)
    ]


def test_a_server_is_held_released_and_restarted_as_recorded() -> None:
    runner = ScriptRunner(server(settings=ServerSettings(hold=True)))
    lines = sent("hold/server-session").decode().splitlines()
    restart = len(lines) - lines[::-1].index("state all")
    runner.run(*lines[:restart], runner.signal(Signal.SIGUSR1), *lines[restart:-1])
    runner.run(runner.wait(2), lines[-1])
    assert outline(as_lines(runner.received)) == outline(received("hold/server-session"))


def test_a_client_is_held_twice_as_recorded() -> None:
    settings = TunnelSettings(hold=True, breaks_every=None)
    runner = ScriptRunner(tunnel(settings))
    status, release, state_on, *again, second_release, last = _lines("hold/client-second-hold")
    runner.run(status, release, runner.wait(2), state_on, runner.signal(Signal.SIGUSR1), *again)
    runner.run(second_release, runner.wait(2), last)
    assert outline(as_lines(runner.received)) == outline(received("hold/client-second-hold"))


def test_a_client_connects_after_its_hold_as_recorded() -> None:
    runner = ScriptRunner(tunnel(TunnelSettings(hold=True, breaks_every=None)))
    runner.daemon.echo("from config, with comma")
    state_on, echo_on, release, status, hold_off = _lines("client-mode/connect-with-state-on")
    runner.run(state_on, echo_on, release, runner.wait(1), status, hold_off)
    theirs = outline(received("client-mode/connect-with-state-on"))
    theirs.remove(">ECHO:N,forget-passwords")  # pushed by a server, which ours doesn't have
    assert outline(as_lines(runner.received)) == theirs


def test_a_client_restarts_and_exits_as_recorded() -> None:
    runner = ScriptRunner(tunnel())
    runner.run(runner.wait(1), "state on", runner.signal(Signal.SIGUSR1))
    runner.run("status", runner.wait(2), "state", "load-stats", "status", "state all")
    runner.run(runner.signal(Signal.SIGTERM))
    theirs = outline(received("client-mode/restart-server-loss-sigterm"))
    start = theirs.index(">STATE:RECONNECTING,SIGUSR1,,,,,")
    end = theirs.index(">STATE:RECONNECTING,ping-restart,,,,,")
    expected = [line for line in theirs[start:end] if not line.startswith(">ECHO")]
    ours = outline(as_lines(runner.received))
    assert ours[ours.index(expected[0]) :] == [*expected, theirs[-1]]
    assert runner.session.closed


def test_a_client_waits_for_its_passwords_as_recorded() -> None:
    settings = TunnelSettings(
        question=AUTH, breaks_every=None, credentials=Credentials("alice-user", "good")
    )
    daemon = tunnel(settings)
    first = ScriptRunner(daemon)
    first.run(*_lines("client-mode/query-passwords-1"))
    assert outline(as_lines(first.received)) == outline(received("client-mode/query-passwords-1"))
    first.session.detach()
    daemon.persistent_flags.auth_retry = "interact"
    second = ScriptRunner(daemon)
    state_on, user, bad, user_again, good = _lines("client-mode/query-passwords-2")
    second.run(state_on, user, bad, second.wait(2), user_again, good, second.wait(4))
    assert outline(as_lines(second.received)) == outline(received("client-mode/query-passwords-2"))


def test_settings_stay_for_the_next_client_as_recorded() -> None:
    daemon = server(settings=ServerSettings(hold=True), identities=[ALICE])
    before = attach(daemon)
    before.receive(b"verb 4\nmute 7\nlog on\nstate on\nbytecount 1\nenv-filter 2\n")
    before.receive(b"auth-retry interact\nhold release\n")
    before.detach()
    after = ScriptRunner(daemon)
    after.run(*_lines("sticky/server-second-connection"), after.wait(30))
    theirs = outline(received("sticky/server-second-connection"))
    assert theirs.pop() == ">NOTIFY:info,remote-exit,EXIT"  # the recorded client left, ours stays
    assert outline(as_lines(after.received)) == theirs


def test_clients_are_announced_unasked_as_recorded() -> None:
    runner = ScriptRunner(server([ALICE, BOB], settings=ServerSettings(hold=True)))
    runner.run("hold release", runner.wait(30), "kill alice", runner.wait(30))
    blocks = _blocks(as_lines(runner.received))
    assert len(blocks) == 3
    *_, bob = _blocks(received("server-events/nothing-enabled"))
    assert [[shape(line) for line in block] for block in blocks] == 3 * [
        [shape(line) for line in bob]
    ]


def test_a_client_with_a_user_name_is_announced_as_recorded() -> None:
    runner = ScriptRunner(server([FIVE[0]], settings=ServerSettings(hold=True)))
    runner.run("hold release", runner.wait(30))
    (ours,) = _blocks(as_lines(runner.received))
    theirs, *_ = _blocks(received("server-events/session"))
    assert [shape(line) for line in ours] == [shape(line) for line in theirs]


def _blocks(lines: Sequence[str]) -> list[list[str]]:
    """Return the blocks of >CLIENT lines."""
    blocks: list[list[str]] = []
    for line in lines:
        if line.startswith(">CLIENT:ESTABLISHED"):
            blocks.append([])
        if line.startswith(">CLIENT:"):
            blocks[-1].append(line)
    return blocks


def _lines(name: str) -> list[str]:
    return sent(name).decode().splitlines()
