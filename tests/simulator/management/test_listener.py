import asyncio
import contextlib
import socket
from pathlib import Path

import pytest

from exporter.simulator import ManagementOptions, simulated_server
from exporter.simulator.daemon.daemon import Signal
from tests.simulator.raw_client import greeted_client, raw_client


async def test_a_client_gets_nothing_while_another_holds_the_slot() -> None:
    async with (
        simulated_server() as daemon,
        greeted_client(daemon.address) as first,
        raw_client(daemon.address) as second,
    ):
        second.send("verb")
        heard = asyncio.create_task(second.line())
        assert await first.ask("verb") == ["SUCCESS: verb=3"]
        assert not heard.done()
        first.send("quit")
        assert await first.rest() == b""
        assert (await heard).startswith(">INFO:")
        assert await second.line() == "SUCCESS: verb=3"


async def test_a_client_that_stops_waiting_does_not_block_the_next() -> None:
    async with simulated_server() as daemon:
        async with greeted_client(daemon.address) as first:
            async with raw_client(daemon.address):
                pass
            first.send("quit")
            await first.rest()
        async with greeted_client(daemon.address) as third:
            log = await third.ask("log 4")
    assert [line.split(",", 2)[2].split(" from")[0] for line in log[:-1]] == [
        "MANAGEMENT: Client connected",
        "MANAGEMENT: Client disconnected",
        "MANAGEMENT: Client connected",
        "MANAGEMENT: CMD 'log 4'",
    ]


async def test_a_unix_socket_is_served_and_removed(tmp_path: Path) -> None:
    path = tmp_path / "office.sock"
    async with simulated_server(management=ManagementOptions(unix_path=path)) as daemon:
        assert daemon.address == f"unix:{path}"
        async with greeted_client(daemon.address) as client:
            assert (await client.ask("status 3"))[-1] == "END"
    assert not path.exists()


async def test_the_password_is_requested_over_the_socket() -> None:
    async with (
        simulated_server(management=ManagementOptions(password="s3cret")) as daemon,
        raw_client(daemon.address) as client,
    ):
        assert await client.reader.readexactly(15) == b"ENTER PASSWORD:"
        client.send("s3cret")
        assert await client.line() == "SUCCESS: password is correct"
        assert (await client.line()).startswith(">INFO:")


async def test_replies_to_commands_sent_before_a_half_close_arrive() -> None:
    async with simulated_server() as daemon, greeted_client(daemon.address) as client:
        client.send("pid", "status 2")
        client.writer.write_eof()
        reply = (await client.rest()).decode().split("\r\n")
    assert reply[0].startswith("SUCCESS: pid=")
    assert reply[-2] == "END"


async def test_a_daemon_that_exits_closes_its_connection_and_its_socket() -> None:
    async with simulated_server() as daemon:
        async with greeted_client(daemon.address) as client:
            await client.ask("state on")
            daemon.daemon.signal(Signal.SIGTERM)
            daemon.tick()
            assert b",EXITING,SIGTERM,,,,,\r\n" in await client.rest()
        with pytest.raises(ConnectionRefusedError):
            async with raw_client(daemon.address):
                pass


async def test_a_status_may_have_ten_thousand_clients() -> None:
    async with simulated_server(clients=10_000) as daemon, greeted_client(daemon.address) as client:
        status = await client.ask("status 3")
        assert sum(line.startswith("CLIENT_LIST\t") for line in status) == 10_000
        assert sum(line.startswith("ROUTING_TABLE\t") for line in status) == 20_000


async def test_the_fourth_client_cannot_connect(tmp_path: Path) -> None:
    path = tmp_path / "office.sock"
    async with (
        simulated_server(management=ManagementOptions(unix_path=path)) as daemon,
        greeted_client(daemon.address),
    ):
        with contextlib.ExitStack() as stack:
            others = [stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(3)]
            for other in others:
                other.settimeout(0)
            for other in others[:2]:
                other.connect(str(path))
            with pytest.raises(BlockingIOError):
                others[2].connect(str(path))


async def test_no_command_is_read_while_output_is_pending() -> None:
    async with (
        simulated_server(clients=10_000) as daemon,
        simulated_server() as other,
        greeted_client(daemon.address) as slow,
        greeted_client(other.address) as busy,
    ):
        slow.send(*["status 3"] * 5)
        assert (await slow.line()).startswith("TITLE")
        slow.send("state on")
        for _ in range(50):
            await busy.ask("pid")
        assert not daemon.daemon.realtime_flags.state
        assert (await slow.until("SUCCESS"))[-1].endswith("notification set to ON")


async def test_the_end_of_the_block_closes_the_connection() -> None:
    async with simulated_server() as daemon:
        client = raw_client(daemon.address)
        connected = await client.__aenter__()
        await connected.line()
    assert await asyncio.wait_for(connected.rest(), timeout=30) == b""
    await client.__aexit__(None, None, None)
