"""Which kind of tunnel a state history belongs to."""

import pytest

from exporter.management.state import Mode, State, StateName, infer_tunnel_mode


@pytest.mark.parametrize(
    ("names", "mode"),
    [
        ("CONNECTING WAIT AUTH GET_CONFIG ASSIGN_IP CONNECTED", Mode.CLIENT),
        ("CONNECTING WAIT AUTH CONNECTED RECONNECTING WAIT", Mode.CLIENT),
        ("CONNECTING RESOLVE TCP_CONNECT RECONNECTING", Mode.CLIENT),
        ("CONNECTING", Mode.CLIENT),
        ("", Mode.CLIENT),
        ("CONNECTING ASSIGN_IP WAIT AUTH CONNECTED", Mode.P2P),
        ("CONNECTING ASSIGN_IP", Mode.P2P),
        ("CONNECTING CONNECTED RECONNECTING", Mode.P2P),
        ("CONNECTING ASSIGN_IP CONNECTED RECONNECTING ASSIGN_IP", Mode.P2P),
    ],
)
def test_a_history_tells_the_mode(names: str, mode: Mode) -> None:
    history = [State(1, StateName(name), "") for name in names.split()]
    assert infer_tunnel_mode(history) is mode
