"""States, and the mode that a state history implies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.management.state import (
    STATE_MODES,
    Mode,
    State,
    StateName,
    infer_tunnel_mode,
    parse_state,
)

ENTRIES = [
    ("1795406665,CONNECTING,,,", State(1795406665, StateName.CONNECTING, "")),
    (
        "1795406665,CONNECTED,SUCCESS,10.8.0.2,192.0.2.1",
        State(1795406665, StateName.CONNECTED, "SUCCESS", "10.8.0.2", "192.0.2.1"),
    ),
    ("1795404829,CONNECTING,,,,,,", State(1795404829, StateName.CONNECTING, "")),
    (
        "1795404829,CONNECTED,SUCCESS,10.8.0.1,,,127.0.0.1,21194,fd00:8::1",
        State(
            1795404829, StateName.CONNECTED, "SUCCESS", "10.8.0.1", "", "", "127.0.0.1", "21194",
            "fd00:8::1",
        ),
    ),
    (
        "1795404829,CONNECTED,SUCCESS,10.8.0.2,127.0.0.1,21194,127.0.0.1,54704",
        State(
            1795404829, StateName.CONNECTED, "SUCCESS", "10.8.0.2", "127.0.0.1", "21194",
            "127.0.0.1", "54704",
        ),
    ),
    (
        "1795404829,CONNECTED,SUCCESS,10.8.0.2,127.0.0.1,21194,,,fd00:8::1000",
        State(
            1795404829, StateName.CONNECTED, "SUCCESS", "10.8.0.2", "127.0.0.1", "21194", "", "",
            "fd00:8::1000",
        ),
    ),
    (
        "1795404829,CONNECTED,SUCCESS,10.8.0.2,fe80::1%eth0,21194,::ffff:127.0.0.1,5,fd00:8::1",
        State(
            1795404829, StateName.CONNECTED, "SUCCESS", "10.8.0.2", "fe80::1%eth0", "21194",
            "::ffff:127.0.0.1", "5", "fd00:8::1",
        ),
    ),
    (
        "1795404829,AUTH_PENDING,timeout 60,openurl,crtext,,,,,",
        State(1795404829, StateName.AUTH_PENDING, "timeout 60,openurl,crtext"),
    ),
    (
        "1795404829,AUTH_PENDING,a,b,,192.0.2.1,1194,,,",
        State(1795404829, StateName.AUTH_PENDING, "a,b", "", "192.0.2.1", "1194"),
    ),
    (  # text in the place of a port shows that the description ends in a comma
        "1795404829,AUTH_PENDING,a,,10.8.0.2,192.0.2.1,,,",
        State(1795404829, StateName.AUTH_PENDING, "a,", "10.8.0.2", "192.0.2.1"),
    ),
    (  # an address of unknown form does not shift the other fields
        "1795404829,CONNECTED,SUCCESS,10.8.0.2,[NULL],21194,,",
        State(1795404829, StateName.CONNECTED, "SUCCESS", "10.8.0.2", "[NULL]", "21194"),
    ),
    (
        "1795404829,CONNECTED,SUCCESS,10.8.0.2,UNKNOWN,21194,,,fd00:8::1",
        State(
            1795404829, StateName.CONNECTED, "SUCCESS", "10.8.0.2", "UNKNOWN", "21194", "", "",
            "fd00:8::1",
        ),
    ),
    (
        "1795404829,RECONNECTING,auth-failure (auth-token),,,,,",
        State(1795404829, StateName.RECONNECTING, "auth-failure (auth-token)"),
    ),
    ("1795404829,?,,,,,,", State(1795404829, StateName.UNKNOWN, "")),
    ("1795404829,HIBERNATING,,,,,,", State(1795404829, StateName.UNKNOWN, "")),
]  # fmt: skip


@pytest.mark.parametrize(("line", "state"), ENTRIES)
def test_an_entry_is_parsed(line: str, state: State) -> None:
    assert parse_state(line) == state


@pytest.mark.parametrize("name", StateName)
def test_each_name_is_known(name: StateName) -> None:
    assert parse_state(f"1,{name},,,,,,").name is name


def test_each_state_has_its_modes() -> None:
    assert [*STATE_MODES] == [*StateName]


@pytest.mark.parametrize(
    "line",
    ["", "1", "1,CONNECTED", "1,CONNECTED,", "1,CONNECTED,,", "1,CONNECTED,,,,", "x,CONNECTED,,,",
     "-1,CONNECTED,,,", "1,CONNECTED,a,b,c,d,e,f,g,h,i"],
)  # fmt: skip
def test_an_invalid_entry_is_an_error(line: str) -> None:
    with pytest.raises(ValueError, match=r"not an|values"):
        parse_state(line)


def test_a_reason_is_clean_text() -> None:
    assert parse_state("1,EXITING,\x1b[2J,,,,,").description == r"\x1b[2J"


@given(
    description=st.lists(st.text("abc ()'-", min_size=1, max_size=9), min_size=1, max_size=9).map(
        ",".join
    ),
    local=st.sampled_from(["", "10.8.0.2"]),
    remote=st.sampled_from(["", "192.0.2.1", "2001:db8::1"]),
    port=st.sampled_from(["", "1194"]),
    ipv6=st.sampled_from([None, "", "fd00::1"]),
)
def test_the_commas_of_a_description_are_kept(
    description: str, local: str, remote: str, port: str, ipv6: str | None
) -> None:
    tail = "" if ipv6 is None else f",{ipv6}"
    state = parse_state(f"1,AUTH_PENDING,{description},{local},{remote},{port},,{tail}")
    assert state.description == description
    assert (state.virtual_address, state.remote_address) == (local, remote)
    assert (state.remote_port, state.virtual_ipv6_address) == (port, ipv6 or "")


@pytest.mark.parametrize(
    ("names", "mode"),
    [
        ("CONNECTING WAIT AUTH GET_CONFIG ASSIGN_IP CONNECTED", Mode.CLIENT),
        ("CONNECTING RESOLVE TCP_CONNECT WAIT AUTH GET_CONFIG CONNECTED", Mode.CLIENT),
        # A server of 2.6 sends the configuration unasked.
        ("CONNECTING WAIT AUTH CONNECTED+10.8.0.2 RECONNECTING WAIT", Mode.CLIENT),
        ("CONNECTING WAIT AUTH ASSIGN_IP CONNECTED", Mode.CLIENT),
        ("CONNECTED RECONNECTING WAIT AUTH GET_CONFIG", Mode.CLIENT),
        ("CONNECTING RESOLVE TCP_CONNECT RECONNECTING", Mode.CLIENT),
        ("CONNECTING WAIT AUTH", Mode.CLIENT),
        ("CONNECTING", Mode.CLIENT),
        ("", Mode.CLIENT),
        ("CONNECTING ASSIGN_IP WAIT AUTH CONNECTED", Mode.P2P),
        ("CONNECTING ASSIGN_IP", Mode.P2P),
        ("CONNECTING RESOLVE ASSIGN_IP TCP_CONNECT WAIT AUTH", Mode.P2P),
        ("CONNECTING CONNECTED RECONNECTING", Mode.P2P),
        ("CONNECTING ASSIGN_IP CONNECTED RECONNECTING ASSIGN_IP", Mode.P2P),
        # Both ends without an address of the tunnel: TAP, `ifconfig-noexec`, `dev null` of 2.7.
        ("CONNECTING WAIT AUTH CONNECTED", Mode.P2P),
        ("CONNECTING AUTH WAIT CONNECTED", Mode.P2P),
        ("CONNECTING AUTH WAIT CONNECTED+10.9.0.1", Mode.P2P),
        ("CONNECTING AUTH WAIT ASSIGN_IP CONNECTED", Mode.P2P),
    ],
)
def test_the_mode_is_inferred_from_the_history(names: str, mode: Mode) -> None:
    entries = [name.partition("+") for name in names.split()]
    history = [State(1, StateName(name), "", address) for name, _, address in entries]
    assert infer_tunnel_mode(history) is mode
