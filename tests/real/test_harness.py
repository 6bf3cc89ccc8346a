"""The harness works, and real daemons behave as the other tests assume."""

import os
import re
import signal
import socket
from contextlib import AsyncExitStack

import pytest

from tests.real import namespace, raw_session
from tests.real.client import Client, Credentials, client
from tests.real.daemon import HELD, INITIALISED, DaemonError
from tests.real.lab import Lab
from tests.real.p2p import Security, pair
from tests.real.server import Server, Transport, server, user_password_options

HOSTILE_NAME = 'Doe, Zoë "x"'
COLUMNS = "Common Name", "Real Address", "Virtual Address", "Virtual IPv6 Address"


def client_rows(status: str) -> list[list[str]]:
    rows = [line.split("\t") for line in status.split("\n")]
    return sorted(row[1:] for row in rows if row[0] == "CLIENT_LIST")


async def status(target: Server, version: int = 3) -> str:
    [reply] = await raw_session.request(target.management.address, f"status {version}")
    return reply


async def state(target: Client) -> list[str]:
    [reply] = await raw_session.request(target.management.address, "state")
    return reply.split("\n")[0].split(",")


def test_namespace_has_only_the_loopback_device(original_namespace: str) -> None:
    assert namespace.current() != original_namespace
    assert [name for _, name in socket.if_nameindex()] == ["lo"]


async def test_status_has_a_row_with_virtual_addresses_for_each_client(lab: Lab) -> None:
    async with (
        server(lab, "--duplicate-cn") as office,
        client(office, "alice"),
        client(office, "alice"),
        client(office, HOSTILE_NAME),
    ):
        reply = await status(office)

    assert tuple(reply.split("\n")[2].split("\t")[2:6]) == COLUMNS
    rows = client_rows(reply)
    assert [row[0] for row in rows] == [HOSTILE_NAME, "alice", "alice"]
    assert {row[2] for row in rows} == {str(office.network[host]) for host in (2, 3, 4)}
    assert {row[3] for row in rows} == {str(office.network6[0x1000 + n]) for n in range(3)}


async def test_openvpn_passes_hostile_names_unchanged(lab: Lab) -> None:
    names = ["END", ">FATAL:x", "one\u2028two", "\u0085", r"back\slash", "L" * 64]
    async with server(lab) as office, AsyncExitStack() as clients:
        for name in names:
            await clients.enter_async_context(client(office, name))
        rows = client_rows(await status(office))
    assert [row[0] for row in rows] == sorted(names)


async def test_servers_and_clients_are_ready_when_their_blocks_start(lab: Lab) -> None:
    async with server(lab) as office:
        assert client_rows(await status(office)) == []
        async with client(office, "a"), client(office, "b"), client(office, "c"):
            rows = client_rows(await status(office))
    assert [(row[0], row[2] != "") for row in rows] == [("a", True), ("b", True), ("c", True)]


async def test_client_connects_over_tcp(lab: Lab) -> None:
    async with server(lab, transport=Transport.TCP) as office, client(office, "alice"):
        [row] = client_rows(await status(office))
    assert row[2] == str(office.network[2])


async def test_two_servers_run_concurrently(lab: Lab) -> None:
    async with server(lab) as one, server(lab) as other, client(one, "a"), client(other, "b"):
        rows = client_rows(await status(one)) + client_rows(await status(other))
    assert [row[0] for row in rows] == ["a", "b"]
    assert [row[2] for row in rows] == [str(one.network[2]), str(other.network[2])]
    assert one.network != other.network


async def test_client_reports_connected_on_its_own_management_interface(lab: Lab) -> None:
    async with server(lab) as office, client(office, "alice", management=lab.tcp()) as alice:
        fields = await state(alice)
    assert fields[1:4] == ["CONNECTED", "SUCCESS", str(office.network[2])]


async def test_unix_socket_with_a_password_accepts_the_password(lab: Lab) -> None:
    async with server(lab, management=lab.unix(password="s3cret")) as office:
        target = office.management
        replies = await raw_session.request(
            target.address, "pid", "version", password=target.password
        )
    assert replies[0] == f"SUCCESS: pid={office.daemon.pid}"
    assert re.search(r"OpenVPN Version: OpenVPN 2\.\d+", replies[1])


async def test_occupied_slot_sends_nothing_to_another_client(lab: Lab) -> None:
    async with server(lab) as office, raw_session.connect(office.management.address):
        with pytest.raises(raw_session.NoReplyError):
            async with raw_session.connect(office.management.address, deadline=0.5):
                pytest.fail("greeted although the slot is occupied")


@pytest.mark.parametrize("security", list(Security))
async def test_point_to_point_peers_are_connected(lab: Lab, security: Security) -> None:
    async with pair(lab, security=security) as peers:
        for peer in (peers.listener, peers.initiator):
            [reply, statistics] = await raw_session.request(
                peer.management.address, "state", "status 3"
            )
            assert reply.split(",")[1:3] == ["CONNECTED", "SUCCESS"]
            assert statistics.startswith("OpenVPN STATISTICS\n")


async def test_held_daemon_notifies_and_serves_after_its_release(lab: Lab) -> None:
    async with (
        server(lab, "--management-hold", ready=HELD) as office,
        raw_session.connect(office.management.address) as operator,
    ):
        assert await operator.notification() == ">HOLD:Waiting for hold release:0"
        assert (await operator.request("status 3")).startswith("ERROR: The 'status' command")
        assert await operator.request("hold release") == "SUCCESS: hold release succeeded"
        await office.daemon.wait_for_log(INITIALISED)
        assert (await operator.request("status 3")).endswith("\nEND")


async def test_management_client_daemon_connects_and_exits_on_close(lab: Lab) -> None:
    management_client = lab.management_client()
    async with (
        raw_session.listen(management_client.address) as connected,
        server(lab, management=management_client) as office,
    ):
        operator = await connected
        assert (await operator.notification()).startswith(">INFO:OpenVPN Management Interface")
        assert await operator.request("pid") == f"SUCCESS: pid={office.daemon.pid}"
        await operator.close()
        assert await office.daemon.wait_for_end() == 0


async def test_status_3_with_a_user_name_of_500_letters_has_no_end(lab: Lab) -> None:
    async with (
        server(lab, *user_password_options()) as office,
        client(office, "alice", user=Credentials("n" * 500)),
    ):
        with pytest.raises(raw_session.NoReplyError) as stuck:
            await raw_session.request(office.management.address, "status 3", deadline=1)
        [pid, short] = await raw_session.request(office.management.address, "pid", "status 1")

    assert stuck.value.partial.split("\n")[-1].startswith("HEADER\tCLIENT_LIST\t")
    assert pid == f"SUCCESS: pid={office.daemon.pid}"
    assert short.endswith("\nEND")


async def test_script_accepts_and_rejects_clients(lab: Lab) -> None:
    script = lab.script('[ "$(sed -n 2p "$1")" = good ]')
    async with (
        server(lab, *user_password_options(script)) as office,
        client(office, "alice", user=Credentials("Ann, A.")),
        client(office, "bob", user=Credentials("bob", "bad"), ready="AUTH_FAILED"),
    ):
        rows = client_rows(await status(office))
    assert [(row[0], row[2] != "", row[8]) for row in rows] == [
        ("alice", True, "Ann, A."),
        ("bob", False, "UNDEF"),
    ]


async def test_client_of_another_authority_is_rejected(lab: Lab) -> None:
    async with (
        server(lab) as office,
        client(office, "mallory", signer=lab.other_authority, ready="Initial packet"),
    ):
        await office.daemon.wait_for_log("VERIFY ERROR: depth=0")
        assert not any(row[2] for row in client_rows(await status(office)))


async def test_restart_logs_a_second_initialisation_of_the_same_process(lab: Lab) -> None:
    async with server(lab) as office:
        before = office.daemon.mark()
        office.daemon.signal(signal.SIGUSR1)
        await office.daemon.wait_for_log(INITIALISED, since=before)
        [pid, history] = await raw_session.request(office.management.address, "pid", "state all")
    assert pid == f"SUCCESS: pid={office.daemon.pid}"
    names = [line.split(",")[1] for line in history.split("\n")[:-1]]
    assert names[-3:] == ["RECONNECTING", "ASSIGN_IP", "CONNECTED"]


async def test_killed_client_stays_in_the_status(lab: Lab) -> None:
    async with server(lab) as office, client(office, "alice") as alice:
        await alice.daemon.kill()
        assert await alice.daemon.wait_for_end() == -signal.SIGKILL
        [row] = client_rows(await status(office))
    assert row[0] == "alice"


async def test_error_contains_the_option_that_openvpn_refuses(lab: Lab) -> None:
    with pytest.raises(DaemonError) as refused:
        async with server(lab, "--no-such-option"):
            pytest.fail("started with an option that does not exist")
    assert "Unrecognized option" in "".join(refused.value.__notes__)


async def test_processes_and_devices_are_gone_after_the_block(lab: Lab) -> None:
    async with server(lab) as office, client(office, "alice") as alice:
        assert [name for _, name in socket.if_nameindex()] != ["lo"]
    for daemon in (office.daemon, alice.daemon):
        with pytest.raises(ProcessLookupError):
            os.kill(daemon.pid, 0)
    assert [name for _, name in socket.if_nameindex()] == ["lo"]
