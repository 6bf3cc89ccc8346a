import time
from pathlib import Path

import pytest

from exporter.simulator.daemon.settings import RELEASE
from exporter.simulator.daemon.status import (
    BadFormat,
    Snapshot,
    TunnelStatistics,
    local_time,
    server_status,
    tunnel_status,
)
from exporter.simulator.population.counter import LinearCounter
from exporter.simulator.population.identity import ClientIdentity
from exporter.simulator.population.instance import Instance

TRANSCRIPTS = Path(__file__).parents[2] / "data" / "transcripts" / "2.6.14"


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """The captures were made where local time is UTC."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    local_time.cache_clear()


def recorded(name: str) -> list[str]:
    return (TRANSCRIPTS / name).read_bytes().decode().split("\r\n")[:-1]


def client(common_name: str = "alice", username: str = "UNDEF") -> Instance:
    """The client of the captures with one client, or one like it."""
    identity = ClientIdentity(common_name=common_name, host="127.0.0.1")
    return Instance(
        identity=identity,
        port=48_075,
        client_id=0,
        peer_id=0,
        since=1_795_405_961,
        common_name=common_name,
        username=username,
        cipher="AES-256-GCM",
        pool_index=0,
        virtual_address="10.8.0.2",
        virtual_ipv6_address="fd00:8::1000",
        received=LinearCounter(3005),
        sent=LinearCounter(3122),
        idle_since=1_795_405_961,
    )


def snapshot(*instances: Instance, now: int = 1_795_405_964) -> Snapshot:
    return Snapshot(
        title=RELEASE.title, now=now, tick=0, instances=instances, queue_length=0, dco=False
    )


@pytest.mark.parametrize(
    ("version", "capture"),
    [(1, "02-status-1.recv"), (2, "03-status-2.recv"), (3, "04-status-3.recv")],
)
def test_the_status_of_the_recorded_client_is_the_same_byte_for_byte(
    version: int, capture: str
) -> None:
    assert server_status(snapshot(client()), version) == recorded(f"server-1-client/{capture}")


def test_the_status_of_an_empty_server_is_the_same_byte_for_byte() -> None:
    status = server_status(snapshot(now=1_795_405_944), 3)
    assert status == recorded("server-0-clients/09-status-3.recv")


@pytest.mark.parametrize("version", [-1, 4])
def test_there_is_no_other_version(version: int) -> None:
    with pytest.raises(BadFormat):
        server_status(snapshot(), version)


def test_a_pending_client_has_empty_addresses_and_no_route() -> None:
    pending = Instance(
        identity=ClientIdentity(common_name="mallory"), port=1, client_id=7, peer_id=3, since=1
    )
    rows = [row.split("\t") for row in server_status(snapshot(pending), 3)]
    (row,) = [row for row in rows if row[0] == "CLIENT_LIST"]
    assert (row[1], row[3], row[4], row[9], row[12]) == ("UNDEF", "", "", "UNDEF", "BF-CBC")
    assert not [row for row in rows if row[0] == "ROUTING_TABLE"]


def test_a_row_of_512_bytes_suppresses_itself_and_all_that_follows() -> None:
    short = server_status(snapshot(client(), client(username="u")), 2)
    index = next(index for index, row in enumerate(short) if ",u," in row)
    room = 511 - len(short[index]) + 1
    status = server_status(snapshot(client(), client(username="u" * room)), 2)
    assert len(status[index]) == 511
    assert len(status) == len(short)
    status = server_status(snapshot(client(), client(username="u" * (room + 1))), 2)
    assert status == short[:index]


def test_bytes_are_counted_not_characters() -> None:
    assert server_status(snapshot(client(username="é" * 200)), 2)[-1] != "END"
    assert server_status(snapshot(client(username="é" * 190)), 2)[-1] == "END"


def test_format_1_survives_a_long_user_name() -> None:
    assert server_status(snapshot(client(username="u" * 900)), 1)[-1] == "END"


def test_native_ipv6_has_no_port() -> None:
    one = client()
    one.identity = ClientIdentity(common_name="alice", host="2001:db8::7", ipv6_transport=True)
    (row,) = [row for row in server_status(snapshot(one), 3) if row.startswith("CLIENT_LIST")]
    assert row.split("\t")[2] == "2001:db8::7"


def test_the_statistics_of_a_client_are_the_same_byte_for_byte() -> None:
    counters = TunnelStatistics(link_read=3275, link_write=3035, auth_read=64)
    status = tunnel_status(counters, now=1_795_406_984)
    assert status == recorded("client-mode/05-status.recv")
