"""Tools of a real daemon through the exporter: the same bytes, at the cost of one of them."""

import asyncio
import re
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial

import msgspec
import pytest

from exporter.config import DaemonConfig
from exporter.config.share import ShareConfig, SharedEvent
from exporter.management.endpoint import parse_endpoint
from tests.real import raw_session
from tests.real.client import client
from tests.real.daemon import version
from tests.real.lab import Lab
from tests.real.log_reader import commands
from tests.real.management import LOOPBACK, Management, TcpAddress
from tests.real.monitoring_tools import openvpn_api_values, openvpn_monitor_page
from tests.real.scraping import Page, daemon_config, decreased, scraping
from tests.real.server import server

FAILED = "openvpn_exporter_failed_commands_total"
TOOLS = "openvpn_exporter_shared_tools"
COMMANDS = "openvpn_exporter_shared_commands_total"
STATES = "openvpn_state_transitions_total"
LOG = "openvpn_log_messages_total"
CLIENTS = "openvpn_server_connected_clients"
MONITOR = ("version", "state", "load-stats", "status 3")
"""The commands of openvpn-monitor for one page, then `quit`."""

SENDABLE = frozenset(
    {
        *("version", "pid", "state", "state all", "state on", "status 1", "status 3", "hold"),
        *("verb", "log on", "log off", "log all", "bytecount 0", "quit"),
    }
)

SESSIONS = {
    "monitor": b"version\nstate\nload-stats\nstatus 3\n",
    "api": b"version\nstate\nload-stats\nstatus 1\n",
    "go": b"pid\nstate\nstate on\nstate off\n",
    "pipelined": b"pid\nstatus 2\nverb\nhold\n'state' all\nstate 2 1\nstatus\n",
    "lines": b'\n  \n# comment\n; comment\npid\r\nPID\nstatus\t2\n"pid" surplus\nbogus\nEND\n',
    "quoting": b'state "al"l\nstate \'all\'\nbogus\\\nbo"gus\n',
    "long": b"x" * 300 + b"\npid\n" + b"y" * 1100 + b"\nverb\n" + b"z" * 2500 + b"\n",
    "numbers": b"status 4\nstatus -1\nstatus 0\nstatus x\nstate 0\nstate x\nstate 99\n",
    "quit": b"pid\nquit\n",
    "quit later": b"pid\n" * 70 + b"quit\n",
    "incomplete": b"pid\nverb",
    "log": b"log\nlog 0\nlog off\n",
}


def shared(daemon: DaemonConfig, *tools: Management, **keys: object) -> DaemonConfig:
    """Return the configuration of a daemon that is shared at these addresses."""
    share = ShareConfig(
        listen=tuple(parse_endpoint(str(each.address)) for each in tools),  # type: ignore[misc]
        password_file=tools[0].password_file,
        events=(SharedEvent.STATE, SharedEvent.LOG),
    )
    return msgspec.structs.replace(daemon, share=msgspec.structs.replace(share, **keys))


async def replay(tool: Management, sent: bytes, *, log_in: bool = True) -> bytes:
    """Send bytes in one write and the end of the stream; return all that is received."""
    address = tool.address
    streams = (
        asyncio.open_connection(LOOPBACK, address.port)
        if isinstance(address, TcpAddress)
        else asyncio.open_unix_connection(address.path)
    )
    reader, writer = await streams
    password = f"{tool.password}\n".encode() if tool.password and log_in else b""
    try:
        if password:
            assert await reader.readexactly(15) == b"ENTER PASSWORD:"
        writer.write(password + sent)
        writer.write_eof()
        async with asyncio.timeout(10):
            return await reader.read()
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def has_a_client(page: Page) -> bool:
    return page.is_up() and page.value(CLIENTS) == 1


def timeless(data: bytes) -> bytes:
    """Return bytes without the numbers, which differ from second to second."""
    return re.sub(rb"\d+", b"N", data)


@pytest.mark.parametrize("kind", ["tcp", "unix", "password"])
async def test_the_same_session_gives_the_same_bytes_as_the_daemon_itself(
    lab: Lab, kind: str
) -> None:
    kinds: dict[str, Callable[[], Management]] = {
        "tcp": lab.tcp,
        "unix": lab.unix,
        "password": partial(lab.tcp, password="s3cret"),
    }
    new = kinds[kind]
    direct, tool = new(), new()
    async with (
        server(lab, management=direct) as office,
        client(office, "alice"),
        client(office, "Doe, John"),
    ):
        expected = {name: await replay(direct, sent) for name, sent in SESSIONS.items()}
        login = b"wrong\n\ns3cret\npid\n", b"a\nb\nc\npid\n"
        if direct.password:
            expected["login"], expected["refused"] = [
                await replay(direct, sent, log_in=False) for sent in login
            ]
        async with scraping(shared(daemon_config(direct), tool)) as scraper:
            await scraper.wait_up()
            received = {name: await replay(tool, sent) for name, sent in SESSIONS.items()}
            if direct.password:
                received["login"], received["refused"] = [
                    await replay(tool, sent, log_in=False) for sent in login
                ]
    for name, data in expected.items():
        assert timeless(received[name]) == timeless(data), name


async def test_ten_tools_cost_the_daemon_one_command_of_each_kind(lab: Lab) -> None:
    tool = lab.unix()
    async with (
        server(lab) as office,
        client(office, "alice"),
        scraping(
            shared(daemon_config(office.management), tool, max_age=300.0), poll_interval=300.0
        ) as scraper,
    ):
        await scraper.wait_up()
        before = Counter(commands(office.daemon))
        pages = await asyncio.gather(
            *(raw_session.request(tool.address, *MONITOR) for _ in range(10))
        )
        again = await raw_session.request(tool.address, *MONITOR)
        page = await scraper.page()
        sent = Counter(commands(office.daemon)) - before
    assert set(sent.values()) == {1}
    assert "version" not in sent  # the first poll of the exporter has asked for it
    assert all(each == again for each in pages)
    assert "alice" in again[3]
    assert page.value(COMMANDS, command="status", outcome="served") == 10
    assert page.value(COMMANDS, command="status", outcome="forwarded") == 1


async def test_all_tools_at_once(lab: Lab) -> None:
    tcp, unix = lab.tcp(), lab.unix()
    async with (
        server(lab) as office,
        client(office, "alice"),
        scraping(
            shared(daemon_config(office.management), tcp, unix, events=(SharedEvent.STATE,))
        ) as scraper,
    ):
        await scraper.wait_up()
        async with (
            scraping(daemon_config(unix), poll_interval=0.2) as second,
            raw_session.connect(tcp.address) as rude,
        ):
            page = await second.wait_for(has_a_client)
            failed = {name: n for name, n in page.values(FAILED, by="command").items() if n}
            assert failed == {"log on": 1, "log all": 1}  # log lines are not shared
            replies = await asyncio.gather(
                *(raw_session.request(tool.address, *MONITOR) for tool in (tcp, unix) * 5)
            )
            assert all("\talice\t" in status for *_, status in replies)
            for refused in ("kill alice", "signal SIGTERM", "client-kill 0", "verb 9"):
                assert (await rude.request(refused)).startswith("ERROR: read-only: ")
            page = await scraper.wait_for(lambda page: page.value(TOOLS) == 2)
            assert has_a_client(page)
            assert second.down_reasons() == []
    sent = Counter(commands(office.daemon))
    assert set(sent) <= SENDABLE
    assert sent["state on"] == sent["log on"] == sent["version"] == 1


async def test_published_tools_read_through_the_exporter_what_they_read_directly(lab: Lab) -> None:
    """A second exporter reads what the first one shares, and shares it again with a password."""
    tcp, unix = lab.tcp(), lab.unix()
    again_tcp, again_unix = lab.tcp(password="s3cret"), lab.unix(password="s3cret")
    again_unix = replace(again_unix, password_file=again_tcp.password_file)
    async with (
        server(lab) as office,
        client(office, "alice"),
        client(office, "Doe, John"),
    ):
        page = await openvpn_monitor_page(lab, office.management)
        values = await openvpn_api_values(office.management)
        async with (
            scraping(shared(daemon_config(office.management), tcp, unix)) as scraper,
            scraping(shared(daemon_config(unix), again_tcp, again_unix)) as second,
        ):
            await scraper.wait_up()
            await second.wait_up()
            async with raw_session.connect(tcp.address) as following:
                await following.request("state on")
                pages, of_library = await asyncio.gather(
                    asyncio.gather(
                        *(
                            openvpn_monitor_page(lab, tool)
                            for tool in (tcp, unix, again_tcp, again_unix)
                        )
                    ),
                    asyncio.gather(*(openvpn_api_values(tool) for tool in (tcp, unix))),
                )
            assert (await scraper.page()).value(CLIENTS) == 2
    assert pages == [page] * 4
    assert of_library == [values] * 2
    found = [f"<td>{name}</td>" in page for name in ("alice", "Doe, John")]
    assert found == [version() < (2, 7)] * 2  # it can't read the addresses of 2.7
    assert set(commands(office.daemon)) <= SENDABLE


async def test_tools_follow_the_states_and_the_log_of_a_restart(lab: Lab) -> None:
    tcp, unix = lab.tcp(), lab.unix()
    async with (
        server(lab) as office,
        scraping(shared(daemon_config(office.management), tcp, unix)) as scraper,
    ):
        await scraper.wait_up()
        async with (
            scraping(daemon_config(unix), poll_interval=0.2) as second,
            raw_session.connect(tcp.address) as following,
        ):
            await second.wait_up()
            assert (await following.request("state on")).startswith("SUCCESS:")
            office.daemon.signal(signal.SIGUSR1)
            seen = [await following.notification(deadline=20) for _ in range(3)]
            states = [line.split(",")[1] for line in seen]
            assert states == ["RECONNECTING", "ASSIGN_IP", "CONNECTED"]
            after = await second.wait_for(
                lambda page: page.value(STATES, state="CONNECTED") == 1, deadline=30
            )
            assert after.value(STATES, state="RECONNECTING") == 1
            assert after.value(LOG, severity="info") > 0
            assert decreased(scraper.pages) == decreased(second.pages) == []


async def test_without_the_daemon_tools_are_disconnected(lab: Lab) -> None:
    tool, management = lab.unix(), lab.unix()
    async with scraping(shared(daemon_config(management), tool)) as scraper:
        await scraper.wait_down("not_found")
        assert await replay(tool, b"") == b""
        async with server(lab, management=management) as office:
            await scraper.wait_up()
            async with raw_session.connect(tool.address) as following:
                await following.request("state on")
                office.daemon.signal(signal.SIGTERM)
                line = await following.notification()
                assert line.endswith(",EXITING,SIGTERM,,,,,")
                with pytest.raises(ConnectionResetError):
                    await following.notification()
        assert await replay(tool, b"") == b""
