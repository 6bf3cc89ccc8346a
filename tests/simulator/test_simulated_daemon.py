import pytest

from exporter.simulator import simulated_server, simulated_tunnel
from exporter.simulator.daemon.daemon import Signal
from exporter.simulator.daemon.tunnel import TunnelSettings
from exporter.simulator.population.identity import ClientIdentity
from exporter.simulator.population.profile import ChurnProfile
from tests.simulator.daemons import ALICE
from tests.simulator.manual_clock import ManualClock
from tests.simulator.raw_client import greeted_client, raw_client


async def test_scheduled_events_are_sent_when_they_are_due() -> None:
    """On the real clock, without a command or a tick after the first."""
    async with (
        simulated_server(clients=[ALICE]) as daemon,
        greeted_client(daemon.address) as client,
    ):
        await client.ask("state on")
        daemon.daemon.signal(Signal.SIGUSR1)
        daemon.tick()
        names = [line.split(",")[1] for line in await client.lines(3)]
        assert names == ["RECONNECTING", "ASSIGN_IP", "CONNECTED"]


async def test_a_signal_takes_effect_with_the_next_tick() -> None:
    async with simulated_server() as daemon, greeted_client(daemon.address) as client:
        await client.ask("state on")
        daemon.daemon.signal(Signal.SIGHUP)
        daemon.tick()
        assert ",RECONNECTING,SIGHUP," in await client.line()


async def test_a_manual_clock_stops_the_population_until_the_next_tick() -> None:
    clock, profile = ManualClock(), ChurnProfile(session_seconds=30, absence_seconds=30)
    async with (
        simulated_server(clients=20, profile=profile, clock=clock) as daemon,
        greeted_client(daemon.address) as client,
    ):
        before = await client.ask("status 3")
        assert await client.ask("status 3") == before
        clock.advance(60)
        daemon.tick()
        assert (await client.line()).startswith((">CLIENT:", ">NOTIFY:"))


async def test_a_daemon_that_is_terminated_between_two_clients_refuses_the_next() -> None:
    async with simulated_tunnel(settings=TunnelSettings(pid=77)) as daemon:
        async with greeted_client(daemon.address) as client:
            assert await client.ask("pid") == ["SUCCESS: pid=77"]
            client.send("quit")
            await client.rest()
        daemon.daemon.signal(Signal.SIGTERM)
        daemon.tick()
        with pytest.raises(ConnectionRefusedError):
            async with raw_client(daemon.address):
                pass


async def test_given_identities_are_the_ones_that_connect() -> None:
    async with (
        simulated_server(clients=[ALICE]) as daemon,
        greeted_client(daemon.address) as client,
    ):
        (row,) = [line for line in await client.ask("status 3") if line.startswith("CLIENT_LIST")]
    assert row.split("\t")[1] == "alice"


async def test_a_row_that_is_too_long_leaves_the_reply_without_an_end() -> None:
    """The daemon stays healthy: other commands, and format 1, are answered."""
    long = ClientIdentity(common_name="alice", username="u" * 500)
    async with simulated_server(clients=[long]) as daemon, greeted_client(daemon.address) as client:
        client.send("status 3", "load-stats")
        lines = await client.until("SUCCESS: nclients=1")
        assert [line.split("\t")[0] for line in lines[:-1]] == ["TITLE", "TIME", "HEADER"]
        assert (await client.ask("status 1"))[-1] == "END"
