"""From the first byte to the greeting, over a real socket."""

import asyncio
from collections.abc import Callable

import pytest

from exporter.management.commands import Command
from exporter.management.errors import (
    AuthenticationFailed,
    EndpointPermissionError,
    ManagementError,
    ProtocolError,
    ReplyTimeout,
    SessionClosed,
    SlotBusy,
)
from exporter.management.messages import Notification, SuccessReply
from exporter.secret import Secret
from exporter.transport.connection import Connection
from tests.fake_daemon import GREETING, PROMPT, TEST_TIMEOUT, FakeSession
from tests.transport.sessions import SHORT, connected

PASSWORD = Secret("correct horse")


async def fails_with(
    kind: type[ManagementError],
    connection: Connection,
    *,
    password: Secret | None = None,
) -> str:
    async with asyncio.timeout(TEST_TIMEOUT):
        with pytest.raises(ManagementError) as caught:
            await connection.log_in(password)
    assert type(caught.value) is kind
    return str(caught.value)


async def test_the_greeting_alone_opens_a_session_without_a_password() -> None:
    async with connected() as (connection, daemon):
        daemon.send_lines(GREETING)
        await connection.log_in(None)
        asking = asyncio.create_task(connection.request(Command.PID))
        assert await daemon.read_line() == b"pid"
        daemon.send_lines(b"SUCCESS: pid=4711")
        assert await asking == SuccessReply(b"pid=4711")


async def test_a_greeting_may_come_byte_by_byte() -> None:
    async with connected() as (connection, daemon):
        logging_in = asyncio.create_task(connection.log_in(None))
        for byte in GREETING:
            daemon.send_bytes(bytes([byte]))
            await asyncio.sleep(0)
            assert not logging_in.done()
        daemon.send_bytes(b"\r\n")
        await logging_in


async def test_an_error_after_the_password_means_auth() -> None:
    """openvpn-auth-oauth2 says so once and closes; a daemon only asks again."""
    async with connected() as (connection, daemon):
        daemon.send_bytes(PROMPT)
        failing = asyncio.create_task(
            fails_with(AuthenticationFailed, connection, password=PASSWORD)
        )
        assert await daemon.read_line() == b"correct horse"
        daemon.send_lines(b"ERROR: bad password")
        daemon.close()
        assert "password_file" in await failing


async def test_an_error_in_place_of_a_greeting_means_protocol() -> None:
    async with connected() as (connection, daemon):
        daemon.send_lines(b"ERROR: go away")
        await fails_with(ProtocolError, connection)


async def test_a_pending_request_after_the_greeting_reaches_subscribers() -> None:
    noticed: asyncio.Queue[Notification] = asyncio.Queue()
    async with connected() as (connection, daemon):
        connection.subscribe(noticed.put_nowait)
        daemon.send_lines(GREETING, b">HOLD:Waiting for hold release:0")
        await connection.log_in(None)
        assert (await noticed.get()).keyword == "INFO"
        assert await noticed.get() == Notification("HOLD", b"Waiting for hold release:0")


async def test_the_right_password_opens_the_session() -> None:
    async with connected() as (connection, daemon):
        daemon.send_bytes(PROMPT)
        logging_in = asyncio.create_task(connection.log_in(PASSWORD))
        assert await daemon.read_line() == b"correct horse"
        daemon.send_lines(b"SUCCESS: password is correct", GREETING)
        await logging_in
        assert connection.pop_unparsed() == 0


async def test_the_password_is_not_sent_without_a_prompt() -> None:
    async with connected() as (connection, daemon):
        daemon.send_lines(GREETING)
        await connection.log_in(PASSWORD)
        await connection.close()
        assert await daemon.read_line() == b"quit"
        assert await daemon.read_line() == b""


async def test_a_wrong_password_is_not_sent_again() -> None:
    async with connected() as (connection, daemon):
        daemon.send_bytes(PROMPT)
        failing = asyncio.create_task(
            fails_with(AuthenticationFailed, connection, password=PASSWORD)
        )
        await daemon.read_line()
        daemon.send_bytes(PROMPT)
        assert "does not accept the password" in await failing
        await connection.close()
        assert await daemon.read_line() == b""
        assert daemon.received == [b"correct horse"]


async def test_a_missing_password_is_an_error_at_once() -> None:
    async with connected() as (connection, daemon):
        daemon.send_bytes(PROMPT)
        assert "set 'password_file'" in await fails_with(AuthenticationFailed, connection)
        await connection.close()
        assert await daemon.read_line() == b""


@pytest.mark.parametrize("leave", [FakeSession.close, FakeSession.reset])
async def test_closing_after_the_password_means_it_is_wrong(
    leave: Callable[[FakeSession], None],
) -> None:
    async with connected() as (connection, daemon):
        daemon.send_bytes(PROMPT)
        failing = asyncio.create_task(
            fails_with(AuthenticationFailed, connection, password=PASSWORD)
        )
        await daemon.read_line()
        leave(daemon)
        assert "after our password" in await failing


@pytest.mark.parametrize("leave", [FakeSession.close, FakeSession.reset])
async def test_closing_before_the_first_byte_is_a_permission_error(
    leave: Callable[[FakeSession], None],
) -> None:
    async with connected() as (connection, daemon):
        leave(daemon)
        assert "management-client-user" in await fails_with(EndpointPermissionError, connection)


async def test_closing_within_the_greeting_is_session_closed() -> None:
    async with connected() as (connection, daemon):
        daemon.send_bytes(GREETING)
        daemon.close()
        await fails_with(SessionClosed, connection)


async def test_a_silent_peer_is_busy_with_another_client() -> None:
    async with connected(deadline=SHORT) as (connection, _):
        assert "another client" in await fails_with(SlotBusy, connection)


async def test_a_peer_that_stops_before_the_greeting_is_a_timeout() -> None:
    async with connected(deadline=SHORT) as (connection, daemon):
        daemon.send_bytes(b">INFO:OpenVPN")
        await fails_with(ReplyTimeout, connection)


async def test_a_peer_that_stops_after_the_password_is_a_timeout() -> None:
    async with connected(deadline=SHORT) as (connection, daemon):
        daemon.send_bytes(PROMPT)
        await fails_with(ReplyTimeout, connection, password=PASSWORD)
        assert await daemon.read_line() == b"correct horse"


@pytest.mark.parametrize(
    ("banner", "message"),
    [
        (b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", "the peer speaks SSH, not"),
        (
            b"HTTP/1.1 408 Request Time-out\r\nConnection: close\r\n\r\n",
            "the peer speaks HTTP, not",
        ),
        (b"220 mail.example.org ESMTP\r\n", "the peer speaks SMTP or FTP, not"),
        (b"\x15\x03\x01\x00\x02\x02\x0a\n", "the peer speaks TLS, not"),
        (b"Hello\r\n", "the peer does not speak OpenVPN's management protocol"),
        (b"x" * 20_000, "a line of more than"),
    ],
)
async def test_another_protocol_is_an_error_at_its_first_line(banner: bytes, message: str) -> None:
    async with connected() as (connection, daemon):
        daemon.send_bytes(banner)
        assert message in await fails_with(ProtocolError, connection)
        await connection.close()
        assert await daemon.read_line() == b""  # not even 'quit'
