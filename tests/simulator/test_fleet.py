import asyncio

import pytest

from exporter.simulator import Fleet
from tests.simulator.manual_clock import ManualClock
from tests.simulator.raw_client import greeted_client, raw_client


async def test_the_demo_has_two_servers_a_tunnel_and_one_that_is_down() -> None:
    async with Fleet.demo(seed=1) as fleet:
        addresses = {daemon.name: daemon.address for daemon in fleet.daemons}
        assert list(addresses) == ["office", "remote-work", "uplink", "backup-site"]
        firsts = {}
        for name in ("office", "remote-work", "uplink"):
            async with greeted_client(addresses[name]) as client:
                firsts[name] = (await client.ask("status 1"))[0]
        assert firsts == {
            "office": "OpenVPN CLIENT LIST",
            "remote-work": "OpenVPN CLIENT LIST",
            "uplink": "OpenVPN STATISTICS",
        }
        with pytest.raises(ConnectionRefusedError):
            async with raw_client(addresses["backup-site"]):
                pass


async def test_some_of_the_expected_clients_are_connected() -> None:
    async with (
        Fleet.demo(seed=1) as fleet,
        greeted_client(fleet.daemons[0].address) as office,
    ):
        rows = [line.split("\t") for line in await office.ask("status 3")]
    connected = {row[1] for row in rows if row[0] == "CLIENT_LIST"}
    assert set(fleet.daemons[0].expected_clients) & connected
    assert len(connected) < (fleet.daemons[0].max_clients or 0)


async def test_the_same_seed_makes_the_same_fleet() -> None:
    async def names(seed: int) -> list[str]:
        async with (
            Fleet.demo(seed=seed, clock=ManualClock()) as fleet,
            greeted_client(fleet.daemons[0].address) as client,
        ):
            return await client.ask("status 3")

    one, same, other = await names(1), await names(1), await names(2)
    assert one == same
    assert one != other


async def test_daemons_are_served_at_the_same_time() -> None:
    async with (
        Fleet.demo() as fleet,
        greeted_client(fleet.daemons[0].address) as office,
        greeted_client(fleet.daemons[1].address) as work,
    ):
        replies = await asyncio.gather(office.ask("pid"), work.ask("pid"))
    assert replies[0] != replies[1]
