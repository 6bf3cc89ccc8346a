"""Recorded sessions played again, with what happened to the daemon meanwhile.

Log lines are left out: the simulator has fewer. All else comes in the recorded order and shape.
"""

from collections.abc import Sequence
from functools import partial

import pytest

from exporter.simulator.daemon.daemon import Signal
from exporter.simulator.daemon.server import ServerSettings
from exporter.simulator.daemon.tunnel import TunnelSettings
from tests.simulator.daemons import ALICE, BOB, FIVE, server, tunnel
from tests.simulator.replay import as_lines, received, sent, shape
from tests.simulator.script import ScriptRunner


def outline(lines: Sequence[str]) -> list[str]:
    return [found for line in lines if (found := shape(line)) != "log"]


@pytest.mark.parametrize(
    "name", ["framing/command-before-greeting-read", "framing/pipelined-three-commands"]
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
    ],
)
def test_settings_change_what_is_answered_as_recorded(name: str, settings: ServerSettings) -> None:
    runner = ScriptRunner(server(settings=settings))
    runner.send(sent(name))
    assert [shape(line) for line in as_lines(runner.received)] == [
        shape(line) for line in received(name)
    ]


UNSUPPORTED = "ERROR: The '{}' command is not supported by the current daemon mode"
RELEASED = "SUCCESS: hold release succeeded"


def without(lines: list[str], *others: str) -> list[str]:
    """Leave out the replies to commands that are not simulated."""
    for other in others:
        lines.remove(other)
    return lines


def test_a_server_is_held_released_and_restarted_as_recorded() -> None:
    runner = ScriptRunner(server(settings=ServerSettings(hold=True)))
    release, restart = runner.daemon.release, runner.signal(Signal.SIGUSR1)
    runner.run("version", "pid", "state", "state all", "status", "status 2", "load-stats", "hold")
    runner.run("verb", "log all", "bytecount 0", "help", "log on", "state on", release)
    runner.run("status 2", "state all", restart, "status 2", "state")
    expected = outline(received("hold/server-session"))
    del expected[expected.index("SUCCESS: hold flag set to OFF") :]
    ignored = expected.index("ERROR: signal 'SIGUSRN' is currently ignored")
    del expected[ignored : ignored + 2]  # the hold is requested once more
    expected = without(expected, UNSUPPORTED.format("nclients"), RELEASED)
    assert outline(as_lines(runner.received)) == expected


def test_a_client_is_held_twice_as_recorded() -> None:
    runner = ScriptRunner(tunnel(TunnelSettings(hold=True, breaks_every=None)))
    release, pause = runner.daemon.release, runner.wait(2)
    runner.run("status", release, pause, "state on", runner.signal(Signal.SIGUSR1))
    runner.run("status", "state", release, pause, "status")
    expected = without(outline(received("hold/client-second-hold")), RELEASED, RELEASED)
    assert outline(as_lines(runner.received)) == expected


def test_a_client_connects_after_its_hold_as_recorded() -> None:
    runner = ScriptRunner(tunnel(TunnelSettings(hold=True, breaks_every=None)))
    runner.run("state on all", runner.daemon.release, runner.wait(1), "status")
    expected = without(
        outline(received("client-mode/connect-with-state-on")),
        "SUCCESS: real-time echo notification set to ON",
        "N,from config, with comma",
        "END",
        RELEASED,
        ">ECHO:N,forget-passwords",
        "SUCCESS: hold flag set to OFF",
    )
    assert outline(as_lines(runner.received)) == expected


def test_a_client_restarts_and_exits_as_recorded() -> None:
    runner = ScriptRunner(tunnel())
    runner.run(runner.wait(1), "state on", runner.signal(Signal.SIGUSR1))
    runner.run("status", runner.wait(2), "state", "load-stats", "status", "state all")
    runner.run(runner.signal(Signal.SIGTERM))
    recorded = outline(received("client-mode/restart-server-loss-sigterm"))
    start = recorded.index(">STATE:RECONNECTING,SIGUSR1,,,,,")
    end = recorded.index(">STATE:RECONNECTING,ping-restart,,,,,")
    expected = [line for line in recorded[start:end] if not line.startswith(">ECHO")]
    simulated = outline(as_lines(runner.received))
    assert simulated[simulated.index(expected[0]) :] == [*expected, recorded[-1]]
    assert runner.session.closed


def test_a_client_waits_for_its_passwords_as_recorded() -> None:
    request = ">PASSWORD:Need 'Auth' username/password"
    runner = ScriptRunner(tunnel(TunnelSettings(prompt=request, breaks_every=None)))
    runner.run(*_lines("client-mode/query-passwords-1"))
    assert outline(as_lines(runner.received)) == outline(received("client-mode/query-passwords-1"))


def test_clients_are_announced_unasked_as_recorded() -> None:
    daemon = server([ALICE, BOB], settings=ServerSettings(hold=True))
    runner = ScriptRunner(daemon)
    runner.run(daemon.release, runner.wait(30), partial(daemon.kill, 0), runner.wait(30))
    blocks = _blocks(as_lines(runner.received))
    assert len(blocks) == 3
    *_, bob = _blocks(received("server-events/nothing-enabled"))
    assert [[shape(line) for line in block] for block in blocks] == 3 * [
        [shape(line) for line in bob]
    ]


def test_a_client_with_a_user_name_is_announced_as_recorded() -> None:
    runner = ScriptRunner(server([FIVE[0]], settings=ServerSettings(hold=True)))
    runner.run(runner.daemon.release, runner.wait(30))
    (simulated,) = _blocks(as_lines(runner.received))
    recorded, *_ = _blocks(received("server-events/session"))
    assert [shape(line) for line in simulated] == [shape(line) for line in recorded]


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
