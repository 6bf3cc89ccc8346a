from exporter.simulator.daemon.env_block import DaemonEnv, established
from exporter.simulator.population.identity import ClientIdentity
from exporter.simulator.population.instance import Instance
from exporter.simulator.population.instance_table import InstanceTable
from tests.simulator.daemons import FIVE
from tests.simulator.manual_clock import MORNING

DAEMON = DaemonEnv(pid=1, started=2, verb=3, port=1194, tcp=False, clients=4)


def client(identity: ClientIdentity = FIVE[0]) -> Instance:
    instance_table = InstanceTable()
    opened = instance_table.open(identity, port=50_000, now=MORNING)
    instance_table.verify(opened, received=1, sent=1)
    instance_table.establish(opened, MORNING)
    return opened


def names(variables: list[str]) -> list[str]:
    return [variable.partition("=")[0] for variable in variables]


def test_the_block_of_a_connected_client_has_no_password() -> None:
    variables = established(client(), DAEMON, now=int(MORNING))
    assert {"username", "X509_0_CN", "dev"} <= set(names(variables))
    assert "password" not in names(variables)


def test_a_native_ipv6_address_has_variables_of_its_own() -> None:
    identity = ClientIdentity(common_name="alice", host="2001:db8::7", ipv6_transport=True)
    variables = established(client(identity), DAEMON, now=int(MORNING))
    assert "trusted_ip6=2001:db8::7" in variables
    assert "trusted_ip" not in names(variables)
