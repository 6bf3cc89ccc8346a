"""The modes that a daemon may have, and the label values that go with them."""

import pytest

from exporter.management.state import ANY_MODE, CLIENT, SERVER, TUNNEL, Mode, Modes
from exporter.management.status import ServerStatus, TunnelStatus
from exporter.state.modes import DaemonModes

MODES = {"server": SERVER, "client": CLIENT, "tunnel": TUNNEL, "p2p": ANY_MODE - SERVER - CLIENT}
ZEROS = dict.fromkeys([*MODES, "all"], 0)

SERVER_STATUS = ServerStatus(
    updated=1, clients=(), pending=(), route_count=0, routes=(), max_queue_length=0
)
TUNNEL_STATUS = TunnelStatus(updated=1)


def selected(modes: DaemonModes) -> set[str]:
    return set(modes.select(ZEROS, MODES))


@pytest.mark.parametrize("configured", [None, *Mode])
def test_every_label_value_is_there_while_no_mode_is_known(configured: Mode | None) -> None:
    names = {
        None: {*ZEROS},
        Mode.SERVER: {"server", "all"},
        Mode.CLIENT: {"client", "tunnel", "all"},
        Mode.P2P: {"p2p", "tunnel", "all"},
    }
    assert selected(DaemonModes(configured)) == names[configured]


def test_a_status_shows_a_server_or_a_tunnel() -> None:
    modes = DaemonModes(None)
    modes.update(SERVER_STATUS)
    assert (selected(modes), modes.is_tunnel) == ({"server", "all"}, False)
    modes = DaemonModes(None)
    modes.update(TUNNEL_STATUS)
    assert (selected(modes), modes.is_tunnel) == ({*ZEROS} - {"server"}, True)


@pytest.mark.parametrize("configured", [Mode.CLIENT, Mode.P2P])
def test_the_configuration_shows_which_tunnel_it_is(configured: Mode) -> None:
    modes = DaemonModes(configured)
    modes.update(TUNNEL_STATUS)
    assert selected(modes) == {configured.value, "tunnel", "all"}


def test_a_tunnel_may_be_of_either_kind_if_it_is_configured_as_a_server() -> None:
    modes = DaemonModes(Mode.SERVER)
    modes.update(TUNNEL_STATUS)
    assert selected(modes) == {*ZEROS}


def test_a_mode_that_was_known_stays() -> None:
    modes = DaemonModes(None)
    modes.update(SERVER_STATUS)
    modes.update(TUNNEL_STATUS)
    assert (selected(modes), modes.is_tunnel) == ({*ZEROS}, True)
    modes = DaemonModes(Mode.SERVER)
    modes.reconfigure(Mode.P2P)
    assert selected(modes) == {"server", "tunnel", "p2p", "all"}
    modes.reconfigure(None)
    assert selected(modes) == {"server", "tunnel", "p2p", "all"}


def test_what_was_counted_stays() -> None:
    modes = DaemonModes(Mode.SERVER)
    none: Modes = frozenset()
    assert modes.select({"client": 1, "tunnel": 0}, {"client": CLIENT, "tunnel": none}) == {
        "client": 1
    }
