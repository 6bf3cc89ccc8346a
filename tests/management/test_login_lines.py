"""The log line of a finished login, whatever name a peer chooses."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exporter.management.log_lines import MAX_TEXT
from exporter.management.login_lines import LoginLine, parse_login
from exporter.management.notifications import LogLine

TIME = 1795404638
ADDRESSES = [
    "127.0.0.1:48762",
    "::1",
    "2001:db8::7",
    "udp4:127.0.0.1:48762",
    "tcp4-server:127.0.0.1:41152",
    "udp6:[::1]:38311",
]
NAMES = ["alice", "Carol Ann  Smith", "ou/people/alice", "Zoë [laptop]: '2", "x/1.2.3.4:5"]
LOGINS = [
    "{client} SENT CONTROL [{name}]: 'PUSH_REPLY' (status=1)",
    "{client} SENT CONTROL [{name}]: 'PUSH_REPLY,ping 2,peer-id 0,tun-mtu 1500' (status=1)",
    "{client} MULTI: no dynamic or static remote --ifconfig address is available for {client}",
    "{client} MULTI: Learn: 9e:45:f9:23:0a:9c@0 -> {client}",
    "{client} MULTI: Learn: 10.8.0.2 -> {client}",
]
OTHERS = [
    "{client} PUSH: Received control message: 'PUSH_REQUEST'",
    "{client} SENT CONTROL [{name}]: 'AUTH_FAILED' (status=1)",
    "{client} SENT CONTROL [{name}]: 'PUSH_REPLY,ping 2' (status=0)",
    "{client} SENT CONTROL [{name}]: 'PUSH_REPLY,auth-tokenSESS_ID' (status=1)",
    "{client} SENT CONTROL [{name}]: 'PUSH_REPLY, auth-token' (status=1)",
    "{client} SENT CONTROL [{name}]: 'PUSH_REPLYING' (status=1)",
    "{client} SENT CONTROL [{name}]: 'AUTH_PENDING' (status=1)",
    "{client} SENT CONTROL [PUSH_REPLY,{name}' (status=1)",
    "{client} SENT CONTROL [{name}]: 'RESTART' (status=1)",
    "{client} MULTI: Learn FAILED: 9e:45:f9:23:0a:9c@0 -> {client}",
    "{client} MULTI_sva: pool returned IPv4=(Not enabled), IPv6=(Not enabled)",
    "{client} TLS: Username/Password authentication succeeded for username '{name}' ",
    "{client} VERIFY OK: depth=0, CN={name}",
    "{client} SIGUSR1[soft,remote-exit] received, client-instance restarting",
    "{client} VERIFY OK: depth=0, CN={name}, O=x -> alice/1.2.3.4:5",
    "[{name}] Peer Connection Initiated with [AF_INET]127.0.0.1:48762",
    "MULTI: new connection by client '{name}' will cause previous active sessions by this client",
    "{client} peer info: IV_PLAT={name}",
]
FORGED = ["alice/1.2.3.4:5", "1.2.3.4:5", "alice/::1"]
"""Clients that a peer might pretend to be in its name."""


def parse(text: str, **values: str) -> LoginLine | None:
    return parse_login(LogLine(TIME, "", text.format(**values)))


@pytest.mark.parametrize("text", LOGINS)
@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("peer_id", ["", " peer-id=0", " rx-peer-id=-1"])
def test_the_login_has_the_name_the_address_and_the_time(
    text: str, address: str, name: str, peer_id: str
) -> None:
    """Data channel offload adds a peer id at `verb 6` and above."""
    found = parse(text, client=f"{name}/{address}{peer_id}", name=name)
    assert found == LoginLine(name, address, TIME)


@pytest.mark.parametrize("text", LOGINS)
@pytest.mark.parametrize("name", ["", "UNDEF"])
def test_a_client_without_a_name_logs_in(text: str, name: str) -> None:
    """There is none with `verify-client-cert none`."""
    assert parse(text, client="192.0.2.7:4", name=name) == LoginLine("", "192.0.2.7:4", TIME)


@pytest.mark.parametrize("name", ["alice SENT CONTROL [x", "x MULTI: Learn: y"])
def test_a_name_with_a_part_of_one_line_is_proven_by_another(name: str) -> None:
    client = f"{name}/192.0.2.7:4"
    found = [parse(text, client=client, name=name) for text in LOGINS]
    assert LoginLine(name, "192.0.2.7:4", TIME) in found


@pytest.mark.parametrize("text", OTHERS)
@pytest.mark.parametrize("name", NAMES)
def test_other_lines_are_no_login(text: str, name: str) -> None:
    assert parse(text, client=f"{name}/192.0.2.7:4", name=name) is None


def test_a_line_with_two_clients_is_no_login() -> None:
    for text in LOGINS:
        line = text.format(client="alice/192.0.2.7:4", name="alice")
        assert parse_login(LogLine(TIME, "", f"bob/192.0.2.8:5 {line}")) is None
        assert parse_login(LogLine(TIME, "", line.replace("alice", "bob", 1))) is None


@pytest.mark.parametrize("client", ["192.0.2.8:5", "bob/192.0.2.8:5"])
@pytest.mark.parametrize("text", LOGINS)
def test_the_subject_of_a_certificate_is_no_login(client: str, text: str) -> None:
    """The end of a long subject may repeat how the line that quotes it begins."""
    name = f"{client} VERIFY OK: depth=0, CN=x, description=x"
    assert parse(text, client=f"{name}/192.0.2.7:4", name=name) is None


@pytest.mark.parametrize("text", LOGINS)
@pytest.mark.parametrize("client", ["alice", "alice/", "alice/UNDEF", ""])
def test_a_line_without_an_address_is_no_login(text: str, client: str) -> None:
    assert parse(text, client=client, name="alice") is None


def test_the_name_is_clean() -> None:
    for text in LOGINS:
        found = parse(text, client="a\x07b/192.0.2.7:4", name="a\x07b")
        assert found == LoginLine(r"a\x07b", "192.0.2.7:4", TIME)


def test_a_line_too_long_for_openvpn_is_no_login() -> None:
    options = "x" * MAX_TEXT
    text = f"a/192.0.2.7:4 SENT CONTROL [a]: 'PUSH_REPLY,{options}' (status=1)"
    assert parse_login(LogLine(TIME, "", text)) is None


def hostile_names() -> st.SearchStrategy[str]:
    """Draw names that begin with the login of another client, whole or in part."""
    logins = [
        text.format(client=client, name=name)
        for text in LOGINS
        for client in FORGED
        for name in ("alice", "UNDEF")
    ]
    cut = st.tuples(st.sampled_from(logins), st.integers(0, 20)).map(
        lambda pair: pair[0][: len(pair[0]) - pair[1]]
    )
    ends = st.sampled_from(["", " ", "/", "/1.2.3.4:5", "/1.2.3.4:5 x", "]: '", "'"])
    return st.tuples(cut, ends).map("".join)


@given(hostile_names(), st.sampled_from(LOGINS + OTHERS), st.sampled_from(["192.0.2.7:4", "::2"]))
@example("alice/1.2.3.4:5 SENT CONTROL [alice]: 'PUSH_REPLY' (status=1)", LOGINS[0], "192.0.2.7:4")
@example("alice/1.2.3.4:5 SENT CONTROL [alice]: 'PUSH_REPLY", LOGINS[1], "192.0.2.7:4")
@example("alice/1.2.3.4:5 MULTI: Learn: x", OTHERS[-4], "192.0.2.7:4")
@example("1.2.3.4:5 MULTI: Learn: x -> 1.2.3.4:5", OTHERS[-1], "192.0.2.7:4")
def test_no_name_forges_the_login_of_another_client(name: str, text: str, address: str) -> None:
    for client in (f"{name}/{address}", f"{name}/{address} peer-id=3"):
        found = parse(text, client=client, name=name)
        assert found is None or found.real_address == address
