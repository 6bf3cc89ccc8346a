import asyncio

import pytest

from exporter.simulator import ManagementOptions, simulated_server
from exporter.simulator.daemon.daemon import Signal


async def test_a_daemon_that_dials_greets_answers_and_exits_on_disconnect() -> None:
    accepted: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accepted.put((reader, writer))

    listener = await asyncio.start_server(accept, "127.0.0.1", 0)
    host, port = listener.sockets[0].getsockname()
    async with (
        listener,
        simulated_server(management=ManagementOptions(dial=f"{host}:{port}")) as daemon,
    ):
        reader, writer = await accepted.get()
        assert (await reader.readline()).startswith(b">INFO:")
        writer.write(b"state on\npid\n")
        await reader.readuntil(b"SUCCESS: pid=")
        await reader.readline()
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()
        assert daemon.daemon.exited
        assert daemon.daemon.states[-1].split(",")[1:3] == ["EXITING", "management-exit"]


async def test_a_signal_reaches_a_daemon_that_dialled_with_the_next_tick() -> None:
    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.set_result(await reader.read())
        writer.close()

    heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    listener = await asyncio.start_server(accept, "127.0.0.1", 0)
    host, port = listener.sockets[0].getsockname()
    async with (
        listener,
        simulated_server(management=ManagementOptions(dial=f"{host}:{port}")) as daemon,
    ):
        daemon.daemon.signal(Signal.SIGTERM)
        daemon.tick()
        assert (await heard).startswith(b">INFO:")


async def test_a_daemon_whose_connection_is_refused_does_not_run() -> None:
    with pytest.raises(ConnectionRefusedError):
        async with simulated_server(management=ManagementOptions(dial="127.0.0.1:1")):
            pass
