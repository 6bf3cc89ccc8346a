"""The stand-in for openvpn-auth-oauth2, in front of a real daemon."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.real import raw_session
from tests.real.client import Credentials, client
from tests.real.lab import Lab
from tests.real.management import LOOPBACK, TcpAddress
from tests.real.pass_through import BANNER, PROMPT, PassThrough, pass_through
from tests.real.server import Server, server

AUTH = ("--management-client-auth", "--auth-user-pass-optional")
DENIED = "AUTH: Received control message: AUTH_FAILED"
SECRET = "sesame"


@asynccontextmanager
async def offered(
    lab: Lab, *options: str, password: str | None = None
) -> AsyncIterator[tuple[Server, PassThrough]]:
    async with (
        server(lab, *AUTH, *options) as office,
        pass_through(lab, office.management, password=password) as owner,
    ):
        yield office, owner


async def test_it_decides_on_each_vpn_client(lab: Lab) -> None:
    async with offered(lab) as (office, owner):
        async with client(office, "alice", user=Credentials("alice")):
            pass
        async with client(office, "mallory", user=Credentials("mallory"), ready=DENIED):
            pass
        assert owner.decided == ["alice", "mallory"]


async def test_a_guest_sends_commands(lab: Lab) -> None:
    async with offered(lab) as (office, owner), raw_session.connect(owner.management.address) as it:
        assert it.notifications == [BANNER]
        assert await it.request("pid") == f"SUCCESS: pid={office.daemon.pid}"
        assert (await it.request("status 3")).endswith("\nEND")
        assert (await it.request("state all")).endswith("\nEND")
        assert (await it.request("nonsense")).startswith("ERROR: unknown command")


async def test_it_keeps_some_commands_to_itself(lab: Lab) -> None:
    async with offered(lab) as (office, owner), raw_session.connect(owner.management.address) as it:
        assert await it.request("hold") == "SUCCESS: hold release succeeded"
        for command in ("client-auth 0 0", "client-auth-nt 0 0", "client-deny 0 0 x"):
            assert await it.request(command) == "ERROR: command not allowed"
        assert "CMD 'hold'" not in office.daemon.log


async def test_vpn_clients_are_no_business_of_a_guest(lab: Lab) -> None:
    async with offered(lab) as (office, owner), raw_session.connect(owner.management.address) as it:
        async with client(office, "alice", user=Credentials("alice")):
            await it.request("pid")
        assert it.notifications == [BANNER]


async def test_lines_end_in_cr_lf_and_a_message_in_an_empty_line(lab: Lab) -> None:
    async with offered(lab) as (_, owner):
        assert isinstance(owner.management.address, TcpAddress)
        reader, writer = await asyncio.open_connection(LOOPBACK, owner.management.address.port)
        assert await reader.readline() == f"{BANNER}\r\n".encode()
        writer.write(b"log on\r\n")
        assert b"SUCCESS: real-time log" in await reader.readline()
        writer.write(b"pid\r\n")
        assert (await reader.readline()).startswith(b">LOG:")
        assert (await reader.readline()).startswith(b"SUCCESS: pid=")
        assert await reader.readline() == b"\r\n"
        writer.close()


async def test_a_second_guest_waits_in_silence(lab: Lab) -> None:
    async with offered(lab) as (_, owner):
        assert isinstance(owner.management.address, TcpAddress)
        async with raw_session.connect(owner.management.address):
            reader, writer = await asyncio.open_connection(LOOPBACK, owner.management.address.port)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.readline(), 0.2)
        assert (await reader.readline()).startswith(b">INFO:")
        writer.close()


async def test_a_wrong_password_ends_the_session(lab: Lab) -> None:
    async with offered(lab, password=SECRET) as (_, owner):
        assert isinstance(owner.management.address, TcpAddress)
        reader, writer = await asyncio.open_connection(LOOPBACK, owner.management.address.port)
        assert await reader.readexactly(len(PROMPT)) == PROMPT
        writer.write(b"wrong\n")
        assert await reader.read() == b"ERROR: bad password\r\n"
        writer.close()


async def test_a_log_line_takes_a_login_with_it(lab: Lab) -> None:
    """The hazard: what a guest switches on stays on, and logins are lost."""
    async with offered(lab) as (office, owner):
        async with raw_session.connect(owner.management.address) as guest:
            await guest.request("log on")
        waits = "Peer Connection Initiated"
        async with client(office, "alice", user=Credentials("alice"), ready=waits):
            await office.daemon.wait_for_log("TLS: Username/Password authentication deferred")
            for _ in range(100):
                if owner.lost:
                    break
                await asyncio.sleep(0.05)
        assert owner.decided == []
        assert owner.lost
