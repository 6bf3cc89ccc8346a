"""Each reason why a daemon is down, caused over a real socket."""

import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from exporter.management.endpoint import Endpoint, ListenEndpoint, TcpEndpoint, UnixEndpoint
from exporter.management.errors import DownReason
from tests.fake_daemon import (
    GREETING,
    PROMPT,
    STATUS_3,
    TEST_TIMEOUT,
    FakeSession,
    fake_daemon,
    free_port,
)
from tests.log_capture import LogCapture
from tests.monitor.harness import SHORT, accept_login, running_monitor, write


async def is_down(
    endpoint: Endpoint, log: LogCapture, *, deadline: float = TEST_TIMEOUT
) -> DownReason:
    """Monitor until the first failure; return the reason, which the state must have as well."""
    async with running_monitor(endpoint, deadline=deadline) as state:
        reason = await log.wait_for_down()
        assert not state.up
        assert not state.management_up
        assert state.down_reason is not None
        assert state.down_reason.value == reason
        assert state.down_message
        assert state.poll_failures.total() == state.poll_failures[state.down_reason] > 0
        assert state.polls == state.poll_failures.total()
        return state.down_reason


async def test_refused(log: LogCapture) -> None:
    endpoint = TcpEndpoint("127.0.0.1", free_port())
    assert await is_down(endpoint, log) is DownReason.REFUSED


async def test_not_found(tmp_path: Path, log: LogCapture) -> None:
    endpoint = UnixEndpoint(str(tmp_path / "office.sock"))
    assert await is_down(endpoint, log) is DownReason.NOT_FOUND


async def test_unreachable(log: LogCapture) -> None:
    endpoint = TcpEndpoint("127.255.255.255", 7505)  # loopback's broadcast: no packet leaves
    assert await is_down(endpoint, log) is DownReason.UNREACHABLE


async def test_an_occupied_listen_port_is_unreachable(log: LogCapture) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        endpoint = ListenEndpoint(*other.getsockname())
        assert await is_down(endpoint, log) is DownReason.UNREACHABLE


@contextlib.asynccontextmanager
async def first_session(
    log: LogCapture, reason: str, *, deadline: float = TEST_TIMEOUT
) -> AsyncIterator[FakeSession]:
    """Yield the first session of a monitor; the daemon must be down for `reason` after it."""
    async with (
        fake_daemon() as daemon,
        running_monitor(daemon.endpoint, deadline=deadline) as state,
    ):
        yield await daemon.accept()
        assert await log.wait_for_down() == reason
        assert state.down_reason is not None
        assert state.down_reason.value == reason
        assert state.poll_failures.total() <= 1  # none where it went down between two polls
        assert not state.up


async def test_closed_before_a_byte_means_permission(log: LogCapture) -> None:
    async with first_session(log, "permission") as session:
        session.close()


async def test_no_greeting_means_busy(log: LogCapture) -> None:
    async with first_session(log, "busy", deadline=SHORT):
        pass


async def test_no_reply_means_timeout(log: LogCapture) -> None:
    async with first_session(log, "timeout", deadline=SHORT) as session:
        session.send_lines(GREETING)
        await session.reply(until=b"load-stats")


async def test_a_password_prompt_without_a_password_file_means_auth(log: LogCapture) -> None:
    async with first_session(log, "auth") as session:
        session.send_bytes(PROMPT)


async def test_a_greeting_of_another_protocol_means_protocol(log: LogCapture) -> None:
    async with first_session(log, "protocol") as session:
        session.send_lines(b"SSH-2.0-OpenSSH_9.2p1 Debian-2")


async def test_an_unparsable_reply_means_protocol(log: LogCapture) -> None:
    async with first_session(log, "protocol") as session:
        session.send_lines(GREETING)
        await session.reply(until=b"status 3")
        session.send_lines(b"SUCCESS: all is well")


async def test_an_end_in_the_middle_of_a_reply_means_closed(log: LogCapture) -> None:
    async with first_session(log, "closed") as session:
        session.send_lines(GREETING)
        await session.reply(until=b"status 3")
        session.send_lines(*STATUS_3[:-1])
        session.close()


async def test_an_end_between_polls_means_closed_at_once(log: LogCapture) -> None:
    async with fake_daemon() as daemon, running_monitor(daemon.endpoint, interval=3600) as state:
        session = await daemon.accept_and_greet()
        await session.reply_to_polls(1)
        await log.wait_for_up()
        session.close()
        assert await log.wait_for_down() == "closed"
        assert not state.up


async def test_the_fatal_error_is_part_of_the_down_message(log: LogCapture) -> None:
    async with fake_daemon() as daemon, running_monitor(daemon.endpoint, interval=3600) as state:
        session = await daemon.accept_and_greet()
        await session.reply_to_polls(1)
        session.send_lines(b">FATAL:Cannot open TUN/TAP dev /dev/net/tun")
        session.close()
        await log.wait_for_down()
        assert "Cannot open TUN/TAP dev" in state.down_message


async def test_a_truncated_reply_does_not_count(log: LogCapture) -> None:
    async with first_session(log, "closed") as session:
        session.send_lines(GREETING)
        await session.reply(until=b"status 3")
        session.send_lines(*STATUS_3[:-1])
        session.close()
    async with fake_daemon() as daemon, running_monitor(daemon.endpoint) as state:
        session = await daemon.accept_and_greet()
        await session.reply(until=b"status 3")
        session.send_lines(*STATUS_3[:-1])
        session.close()
        await log.wait_for_down()
        assert state.clients.received_bytes == 0
        assert state.traffic.received_bytes == 0
        assert state.status is None


async def test_the_password_comes_from_its_file(tmp_path: Path) -> None:
    path = write(tmp_path, "s3cret")
    async with (
        fake_daemon() as daemon,
        running_monitor(daemon.endpoint, password_file=path) as state,
    ):
        session = await accept_login(daemon)
        await session.reply_to_polls(2)
        assert session.received[0] == b"s3cret"
        assert state.up


async def test_the_password_is_read_for_each_session(tmp_path: Path) -> None:
    path = write(tmp_path, "old")
    async with fake_daemon() as daemon, running_monitor(daemon.endpoint, password_file=path):
        session = await accept_login(daemon)
        await session.reply_to_polls(1)
        write(tmp_path, "new")
        session.close()
        session = await accept_login(daemon)
        await session.reply_to_polls(1)
        assert session.received[0] == b"new"


async def test_a_wrong_password_is_not_tried_again(tmp_path: Path, log: LogCapture) -> None:
    path = write(tmp_path, "wrong")
    async with (
        fake_daemon() as daemon,
        running_monitor(daemon.endpoint, password_file=path) as state,
    ):
        session = await daemon.accept()
        session.send_bytes(PROMPT)
        assert await session.read_line() == b"wrong"
        session.send_bytes(PROMPT)
        assert await log.wait_for_down() == "auth"
        assert await session.read_line() == b""
        # In the time that another daemon, hanging up each time, is tried many times...
        async with fake_daemon() as other, running_monitor(other.endpoint):
            for _ in range(50):
                (await other.accept()).close()
        # ...this one is not.
        assert daemon.all_accepted
        assert state.down_reason is DownReason.AUTH
        assert session.received == [b"wrong"]


async def test_a_missing_password_file_is_reported_without_a_connection(
    tmp_path: Path, log: LogCapture
) -> None:
    async with (
        fake_daemon() as daemon,
        running_monitor(daemon.endpoint, password_file=tmp_path / "none") as state,
    ):
        assert await log.wait_for_down() == "auth"
        assert str(tmp_path / "none") in state.down_message
        assert daemon.all_accepted


@pytest.mark.parametrize("line", [b"", b">CLIENT:ENV,a=b", b">ECHO:1,x", b"SUCCESS: x"])
async def test_endless_lines_of_any_kind_end_the_session(
    line: bytes, log: LogCapture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exporter.monitor.realtime.MAX_OTHER_LINES", 1000)
    async with fake_daemon() as daemon, running_monitor(daemon.endpoint) as state:
        session = await daemon.accept_and_greet()
        await session.reply_to_polls(1)
        session.send_lines(*[line] * 2000)
        await session.wait_closed()
        assert await log.wait_for_down() == DownReason.PROTOCOL.value
        assert "too many lines" in state.down_message
