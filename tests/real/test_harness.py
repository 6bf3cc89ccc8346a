"""The harness keeps what it promises: real daemons do what the tests above it rely on."""

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


async def status(asked: Server, version: int = 3) -> str:
    [reply] = await raw_session.request(asked.management.address, f"status {version}")
    return reply


async def state(asked: Client) -> list[str]:
    [reply] = await raw_session.request(asked.management.address, "state")
    return reply.split("\n")[0].split(",")


def test_the_process_has_a_network_of_its_own_with_loopback_alone(original_namespace: str) -> None:
    assert namespace.current() != original_namespace
    assert [name for _, name in socket.if_nameindex()] == ["lo"]


async def test_three_real_clients_are_three_rows_with_virtual_addresses(lab: Lab) -> None:
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


async def test_hostile_names_come_through_openvpn_as_they_are(lab: Lab) -> None:
    names = ["END", ">FATAL:x", "one\u2028two", "\u0085", r"back\slash", "L" * 64]
    async with server(lab) as office, AsyncExitStack() as clients:
        for name in names:
            await clients.enter_async_context(client(office, name))
        rows = client_rows(await status(office))
    assert [row[0] for row in rows] == sorted(names)


async def test_servers_and_clients_are_ready_when_their_blocks_begin(lab: Lab) -> None:
    async with server(lab) as office:
        assert client_rows(await status(office)) == []
        async with client(office, "a"), client(office, "b"), client(office, "c"):
            rows = client_rows(await status(office))
    assert [(row[0], row[2] != "") for row in rows] == [("a", True), ("b", True), ("c", True)]


async def test_clients_over_tcp_connect_as_well(lab: Lab) -> None:
    async with server(lab, transport=Transport.TCP) as office, client(office, "alice"):
        [row] = client_rows(await status(office))
    assert row[2] == str(office.network[2])


async def test_two_servers_run_side_by_side(lab: Lab) -> None:
    async with server(lab) as one, server(lab) as other, client(one, "a"), client(other, "b"):
        rows = client_rows(await status(one)) + client_rows(await status(other))
    assert [row[0] for row in rows] == ["a", "b"]
    assert [row[2] for row in rows] == [str(one.network[2]), str(other.network[2])]
    assert one.network != other.network


async def test_a_client_that_is_asked_itself_is_connected(lab: Lab) -> None:
    async with server(lab) as office, client(office, "alice", management=lab.tcp()) as alice:
        fields = await state(alice)
    assert fields[1:4] == ["CONNECTED", "SUCCESS", str(office.network[2])]


async def test_a_unix_socket_with_a_password_answers_who_knows_it(lab: Lab) -> None:
    async with server(lab, management=lab.unix(password="s3cret")) as office:
        asked = office.management
        replies = await raw_session.request(
            asked.address, "pid", "version", password=asked.password
        )
    assert replies[0] == f"SUCCESS: pid={office.daemon.pid}"
    assert re.search(r"OpenVPN Version: OpenVPN 2\.\d+", replies[1])


async def test_a_taken_slot_leaves_the_next_one_in_silence(lab: Lab) -> None:
    async with server(lab) as office, raw_session.connect(office.management.address):
        with pytest.raises(raw_session.NoReplyError):
            async with raw_session.connect(office.management.address, deadline=0.5):
                pytest.fail("greeted although the slot is taken")


@pytest.mark.parametrize("security", list(Security))
async def test_both_ends_of_a_point_to_point_link_are_connected(
    lab: Lab, security: Security
) -> None:
    async with pair(lab, security=security) as ends:
        for end in (ends.listener, ends.initiator):
            [reply, statistics] = await raw_session.request(
                end.management.address, "state", "status 3"
            )
            assert reply.split(",")[1:3] == ["CONNECTED", "SUCCESS"]
            assert statistics.startswith("OpenVPN STATISTICS\n")


async def test_a_held_daemon_says_so_and_serves_after_its_release(lab: Lab) -> None:
    async with (
        server(lab, "--management-hold", ready=HELD) as office,
        raw_session.connect(office.management.address) as person,
    ):
        assert await person.notification() == ">HOLD:Waiting for hold release:0"
        assert (await person.request("status 3")).startswith("ERROR: The 'status' command")
        assert await person.request("hold release") == "SUCCESS: hold release succeeded"
        await office.daemon.wait_for_log(INITIALISED)
        assert (await person.request("status 3")).endswith("\nEND")


async def test_a_daemon_that_dials_calls_us_and_ends_when_we_do(lab: Lab) -> None:
    management_client = lab.management_client()
    async with (
        raw_session.listen(management_client.address) as dialled,
        server(lab, management=management_client) as office,
    ):
        person = await dialled
        assert (await person.notification()).startswith(">INFO:OpenVPN Management Interface")
        assert await person.request("pid") == f"SUCCESS: pid={office.daemon.pid}"
        await person.close()
        assert await office.daemon.wait_for_end() == 0


async def test_a_user_name_of_500_letters_leaves_status_3_without_an_end(lab: Lab) -> None:
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


async def test_a_script_decides_who_gets_in(lab: Lab) -> None:
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


async def test_a_client_signed_by_a_stranger_is_not_let_in(lab: Lab) -> None:
    async with (
        server(lab) as office,
        client(office, "mallory", signer=lab.other_authority, ready="Initial packet"),
    ):
        await office.daemon.wait_for_log("VERIFY ERROR: depth=0")
        assert not any(row[2] for row in client_rows(await status(office)))


async def test_a_restart_is_seen_as_a_second_initialisation_of_the_same_process(lab: Lab) -> None:
    async with server(lab) as office:
        before = office.daemon.mark()
        office.daemon.signal(signal.SIGUSR1)
        await office.daemon.wait_for_log(INITIALISED, since=before)
        [pid, history] = await raw_session.request(office.management.address, "pid", "state all")
    assert pid == f"SUCCESS: pid={office.daemon.pid}"
    names = [line.split(",")[1] for line in history.split("\n")[:-1]]
    assert names[-3:] == ["RECONNECTING", "ASSIGN_IP", "CONNECTED"]


async def test_a_client_that_is_killed_stays_in_the_list(lab: Lab) -> None:
    async with server(lab) as office, client(office, "alice") as alice:
        await alice.daemon.kill()
        assert await alice.daemon.wait_for_end() == -signal.SIGKILL
        [row] = client_rows(await status(office))
    assert row[0] == "alice"


async def test_an_option_that_openvpn_refuses_shows_in_the_error(lab: Lab) -> None:
    with pytest.raises(DaemonError) as refused:
        async with server(lab, "--no-such-option"):
            pytest.fail("started with an option that does not exist")
    assert "Unrecognized option" in "".join(refused.value.__notes__)


async def test_nothing_is_left_when_the_block_ends(lab: Lab) -> None:
    async with server(lab) as office, client(office, "alice") as alice:
        assert [name for _, name in socket.if_nameindex()] != ["lo"]
    for daemon in (office.daemon, alice.daemon):
        with pytest.raises(ProcessLookupError):
            os.kill(daemon.pid, 0)
    assert [name for _, name in socket.if_nameindex()] == ["lo"]
