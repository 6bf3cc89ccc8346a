import pytest

from exporter.simulator.daemon.env_block import (
    DaemonEnv,
    connect,
    disconnect,
    established,
    filtered,
)
from exporter.simulator.population.client_table import ClientTable
from exporter.simulator.population.identity import ClientIdentity
from exporter.simulator.population.instance import Instance
from tests.simulator.daemons import FIVE
from tests.simulator.manual_clock import MORNING
from tests.simulator.replay import TRANSCRIPTS, as_lines

DAEMON = DaemonEnv(pid=1, started=2, verb=3, port=1194, tcp=False, clients=4)


def client(identity: ClientIdentity = FIVE[0]) -> Instance:
    client_table = ClientTable()
    opened = client_table.open(identity, port=50_000, now=MORNING)
    client_table.verify(opened, received=1, sent=1)
    client_table.establish(opened, MORNING)
    return opened


def names(variables: list[str]) -> list[str]:
    return [variable.partition("=")[0] for variable in variables]


def test_the_end_of_an_admitted_client_is_told_in_the_recorded_order() -> None:
    recorded = as_lines((TRANSCRIPTS / "client-auth" / "answered.recv").read_bytes())
    block = recorded[recorded.index(">CLIENT:DISCONNECT,0") + 1 : -1]
    theirs = names([line.removeprefix(">CLIENT:ENV,") for line in block])
    pushed = {"IV_PLAT_VER", "IV_SSL"}  # only with --push-peer-info
    ours = names(disconnect(client(), DAEMON, now=int(MORNING) + 9))
    assert ours == [name for name in theirs if name not in pushed]


@pytest.mark.parametrize(
    ("level", "kept"), [(0, True), (1, True), (2, False), (3, False), (-1, True)]
)
def test_the_filter_keeps_the_certificate_up_to_level_1(level: int, *, kept: bool) -> None:
    variables = filtered(established(client(), DAEMON, now=int(MORNING)), level)
    assert ("X509_1_CN" in names(variables)) is kept


def test_the_filter_keeps_what_identifies_a_client_up_to_level_2() -> None:
    variables = established(client(), DAEMON, now=int(MORNING))
    assert {"username", "X509_0_CN", "dev"} <= set(names(filtered(variables, 2)))
    assert "common_name" not in names(filtered(variables, 2))
    assert filtered(variables, 3) == []


def test_only_a_client_that_asks_shows_its_password() -> None:
    assert "password" in names(connect(client(), DAEMON))
    assert "password" not in names(established(client(), DAEMON, now=int(MORNING)))


def test_a_native_ipv6_address_has_variables_of_its_own() -> None:
    identity = ClientIdentity(common_name="alice", host="2001:db8::7", ipv6_transport=True)
    variables = established(client(identity), DAEMON, now=int(MORNING))
    assert "trusted_ip6=2001:db8::7" in variables
    assert "trusted_ip" not in names(variables)
