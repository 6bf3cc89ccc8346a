"""Tools that are slow or hostile cost a bounded buffer and a bounded time, and nothing else."""

import asyncio
import socket
import tracemalloc
from pathlib import Path

import pytest

from exporter import descriptors
from exporter.config.share import SharedEvent
from exporter.management.endpoint import UnixEndpoint
from exporter.sharing import tool as tool_module
from tests.fake_daemon import REPLIES, STATUS_3, TEST_TIMEOUT
from tests.log_capture import LogCapture
from tests.sharing.harness import share_config, shared_daemon

PID = b"SUCCESS: pid=4711\r\n"
LOG_LINE = b">LOG:1795404000,,%06d " + b"x" * 380
LINES = 10_000


async def test_a_tool_that_never_reads_is_dropped_and_costs_the_others_no_line(
    tmp_path: Path, log: LogCapture
) -> None:
    config = share_config(events=(SharedEvent.LOG,))
    async with (
        shared_daemon(tmp_path, config=config) as shared,
        shared.greeted() as silent,
        shared.greeted() as reading,
    ):
        silent.reader._transport.pause_reading()  # type: ignore[attr-defined]
        for tool in (silent, reading):
            tool.send(b"log on\n")
        await reading.read(b"SUCCESS: real-time log notification set to ON\r\n")
        sent = [LOG_LINE % number for number in range(LINES)]
        for start in range(0, LINES, 500):
            batch = sent[start : start + 500]
            shared.session.send_lines(*batch)
            await reading.read(b"".join(line + b"\r\n" for line in batch))
        async with shared.greeted() as later:
            assert await later.ask(b"pid") == PID
        silent.reader._transport.resume_reading()  # type: ignore[attr-defined]
        received = await silent.rest()
        assert 0 < len(received) < LINES * len(sent[0])
        assert shared.monitor.daemon.sharing.tools == 1
        shared.monitor.reconfigure(shared.monitor.target)
        await shared.session.reply_to_polls()
        await shared.until_open()
    assert "level=warn" not in "".join(log.lines)
    assert 'level=debug msg="tool does not read, disconnected"' in "".join(log.lines)


async def test_a_reply_that_is_not_read_ends_the_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = (*STATUS_3[:3], *[STATUS_3[3]] * 40_000, *STATUS_3[4:])
    replies = {**REPLIES, b"status 3": rows}
    async with shared_daemon(tmp_path, replies=replies) as shared, shared.greeted() as tool:
        with monkeypatch.context() as patched:
            patched.setattr(tool_module, "WRITE_TIMEOUT", 0.1)
            tool.reader._transport.pause_reading()  # type: ignore[attr-defined]
            tool.send(b"status 3\n")
            await shared.until_tools(0)
        async with shared.greeted() as another:
            another.send(b"status 3\n")
            another.send_eof()
            assert await another.rest() == b"".join(line + b"\r\n" for line in rows)


async def test_a_tool_beyond_the_limit_is_disconnected(tmp_path: Path) -> None:
    async with (
        shared_daemon(tmp_path, config=share_config(max_clients=2)) as shared,
        shared.greeted() as first,
        shared.greeted(),
    ):
        async with shared.connect() as third:
            assert await third.rest() == b""
        assert await first.ask(b"pid") == PID


async def test_descriptors_are_left_for_the_web_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shared_daemon(tmp_path) as shared, shared.greeted() as first:
        monkeypatch.setattr(descriptors, "daemon_limit", lambda: 5)
        async with shared.connect() as another:
            assert await another.rest() == b""
        assert await first.ask(b"pid") == PID


@pytest.mark.parametrize(
    "data",
    [
        b"x" * 65_536 + b"\n",
        b"\0" * 65_536 + b"\n",
        b"\n" * 65_536,
        b"# comment\n" * 6_000,
        b'"' * 65_536 + b"\n",
        b"kill x\n" * 5_000,
        b"\xff\xfe\n" * 5_000,
        b"signal SIGTERM\r\nhold release\r\nEND\r\n" * 500,
    ],
    ids=["long", "nul", "blank", "comments", "quotes", "kill", "bytes", "blocks"],
)
async def test_no_input_holds_the_event_loop_or_reaches_the_daemon(
    data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tool_module, "READ_PAUSE", 0.0)
    async with (
        shared_daemon(tmp_path) as shared,
        shared.greeted() as rude,
        shared.greeted() as other,
    ):
        reading = asyncio.create_task(rude.rest())
        rude.send(data)
        for _ in range(20):
            assert await other.ask(b"pid") == PID
        rude.send(b"pid\nstatus 1\n")
        rude.send_eof()
        assert await shared.session.read_line() == b"status 1"
        shared.session.send_lines(b"END")
        assert (await reading).endswith(PID + b"END\r\n")


async def test_half_open_and_aborted_connections_give_their_places_back(tmp_path: Path) -> None:
    config = share_config(max_clients=4)
    async with shared_daemon(tmp_path, config=config) as shared:
        (address,) = shared.share.addresses
        assert isinstance(address, UnixEndpoint)
        for _ in range(50):
            with socket.socket(socket.AF_UNIX) as connection:
                connection.setblocking(False)  # noqa: FBT003 -- the library's own signature
                await asyncio.get_running_loop().sock_connect(connection, address.path)
        await shared.until_tools(0)
        async with shared.greeted() as tool:
            assert await tool.ask(b"pid") == PID


async def test_a_large_reply_that_is_asked_for_many_times_is_not_copied(tmp_path: Path) -> None:
    rows = (*STATUS_3[:3], *[STATUS_3[3]] * 20_000, *STATUS_3[4:])
    replies = {**REPLIES, b"status 3": rows}
    async with shared_daemon(tmp_path, replies=replies) as shared, shared.greeted() as tool:
        reply = b"".join(line + b"\r\n" for line in rows)
        tool.reader._transport.pause_reading()  # type: ignore[attr-defined]
        tracemalloc.start()
        tool.send(b"status 3\n" * 28)
        async with shared.greeted() as other:
            assert await other.ask(b"pid") == PID
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 3 * len(reply)  # its parts, and all of it
        tool.reader._transport.resume_reading()  # type: ignore[attr-defined]
        for _ in range(28):
            await tool.read(reply)


async def test_a_tool_that_leaves_keeps_its_place_until_its_connection_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def drain_nothing(_: asyncio.StreamWriter) -> None:
        """Leave the rest of the output in the buffer, as after its last 64 kB."""

    monkeypatch.setattr(asyncio.StreamWriter, "drain", drain_nothing)
    rows = (*STATUS_3[:3], *[STATUS_3[3]] * 40_000, *STATUS_3[4:])
    replies = {**REPLIES, b"status 3": rows}
    config = share_config(max_clients=1)
    async with (
        shared_daemon(tmp_path, replies=replies, config=config) as shared,
        shared.greeted() as tool,
    ):
        tool.reader._transport.pause_reading()  # type: ignore[attr-defined]
        tool.send(b"status 3\n")
        tool.send_eof()
        async with asyncio.timeout(TEST_TIMEOUT):
            while shared.monitor.shared._tools:  # noqa: ASYNC110 -- no event is set
                await asyncio.sleep(0)
        async with shared.connect() as another:
            assert await another.rest() == b""
        tool.reader._transport.resume_reading()  # type: ignore[attr-defined]
        assert await tool.rest() == b"".join(line + b"\r\n" for line in rows)
        await shared.until_tools(0)
