"""Replies compared with those of a recorded OpenVPN 2.6.14.

`DIFFERENCES` says where they differ and why; everything else has the same shape.
"""

import pytest

from exporter.simulator.management.session import SimulatedSession
from tests.simulator.daemons import ALICE, FIVE, attach, server, tunnel
from tests.simulator.replay import TRANSCRIPTS, answer, received, sent, shape

DIFFERENCES = {
    "server-0-clients/20-log-all": "our log of the start is shorter: no devices, no buffers",
    "client-mode/13-log-all": "likewise, and no TLS is spoken",
}
"""Recorded replies with another number of lines than the simulated ones, and why."""


def _single_commands() -> list[str]:
    """Return the captures that hold one command and its reply, in the order they were made."""
    # Sent by no client of the simulator: exporters only ask, and never change anything.
    known = ("version", "pid", "state", "status", "load-stats", "help", "verb", "hold", "log")
    folders = ("server-0-clients", "server-1-client", "server-5-clients", "client-mode")
    return [
        f"{folder}/{path.stem}"
        for folder in folders
        for path in sorted((TRANSCRIPTS / folder).glob("[0-9]*.sent"))
        if "session" not in path.stem
        and path.read_bytes().split()[:1] in [[name.encode()] for name in (*known, "bytecount")]
    ]


@pytest.fixture(scope="module")
def sessions() -> dict[str, SimulatedSession]:
    """Sessions with daemons like the recorded ones, one a folder, as then."""
    return {
        "server-0-clients": attach(server()),
        "server-1-client": attach(server([ALICE])),
        "server-5-clients": attach(server(FIVE)),
        "client-mode": attach(tunnel()),
    }


@pytest.fixture(scope="module")
def replies(sessions: dict[str, SimulatedSession]) -> dict[str, list[str]]:
    return {
        name: answer(sessions[name.partition("/")[0]], sent(name)) for name in _single_commands()
    }


@pytest.mark.parametrize("name", _single_commands())
def test_a_recorded_command_is_answered_as_recorded(
    name: str, replies: dict[str, list[str]]
) -> None:
    # Rows come in the order of a hash table; with one client there is only one.
    order = sorted if name.startswith("server-5-clients/") else list
    simulated, recorded = (
        order(shape(line) for line in lines) for lines in (replies[name], received(name))
    )
    if name in DIFFERENCES:
        assert len(simulated) != len(recorded)
        assert set(simulated) == set(recorded)
    else:
        assert simulated == recorded


def test_there_are_commands_to_replay() -> None:
    assert len(_single_commands()) > 50
