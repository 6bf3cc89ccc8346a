"""Log events: counted as often as the daemon's own log file tells them, and no line twice."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import pytest

from tests.real import log_reader
from tests.real.changes import increase, without_zeros
from tests.real.client import Credentials, client
from tests.real.daemon import Daemon
from tests.real.lab import Lab
from tests.real.link import link
from tests.real.log_reader import MACHINE_READABLE
from tests.real.management import LOOPBACK
from tests.real.router import behind_router
from tests.real.scraping import Page, daemon_config, decreased, scraping
from tests.real.server import Server, Transport, server, user_password_options

EVENTS = "openvpn_log_events_total"
MESSAGES = "openvpn_log_messages_total"
WRONG_PASSWORD = Credentials("alice", "bad")
AUTH_FAILED = "AUTH: Received control message: AUTH_FAILED"
TURNED_AWAY = "TLS Error: TLS handshake failed"
ON_ITS_WAY = "link remote: [AF_INET]"


async def wrong_authority(office: Server) -> None:
    async with client(office, "mallory", signer=office.lab.other_authority, ready=ON_ITS_WAY):
        await office.daemon.wait_for_log(TURNED_AWAY)


async def wrong_password(office: Server) -> None:
    async with client(office, "alice", user=WRONG_PASSWORD, ready=AUTH_FAILED):
        pass


async def one_too_many(office: Server) -> None:
    async with client(office, "alice"), client(office, "bob", ready=ON_ITS_WAY):
        await office.daemon.wait_for_log("would exceed maximum number of clients")


async def port_scan(office: Server) -> None:
    for said in (b"GET / HTTP/1.0\r\n\r\n", b""):
        mark = office.daemon.mark()
        _, writer = await asyncio.open_connection(LOOPBACK, office.port)
        writer.write(said)
        await office.daemon.wait_for_log("TCP connection established", since=mark)
        writer.write_eof()
        await office.daemon.wait_for_log("Connection reset, restarting", since=mark)
        writer.close()


async def vanished(office: Server) -> None:
    async with client(office, "alice") as alice:
        await alice.daemon.kill()
    await office.daemon.wait_for_log("Inactivity timeout")


async def the_same_twice(office: Server) -> None:
    async with client(office, "alice"), client(office, "alice"):
        pass


async def floating(office: Server) -> None:
    async with behind_router(office) as router, client(router.server, "alice"):
        await router.change_port()
        await office.daemon.wait_for_log("floated from")


@dataclass(frozen=True, slots=True)
class Scene:
    """Something that happens to a server, and the events that are told of it at least once."""

    act: Callable[[Server], Awaitable[None]]
    told: frozenset[str]
    options: tuple[str, ...] = ()
    transport: Transport = Transport.UDP

    def __str__(self) -> str:
        return f"{self.act.__name__}-{self.transport.value}"

    def stage(self, lab: Lab) -> AbstractAsyncContextManager[Server]:
        return server(lab, MACHINE_READABLE, *self.options, transport=self.transport)


REFUSED = frozenset({"certificate_verify_error", "tls_handshake_failed", "tls_read_error"})
SCENES = [
    Scene(wrong_authority, REFUSED),
    Scene(wrong_authority, REFUSED | {"tls_fatal"}, transport=Transport.TCP),
    Scene(one_too_many, frozenset({"client_limit_reached"}), ("--max-clients", "1")),
    Scene(
        port_scan,
        frozenset({"bad_packet_length", "connection_reset"}),
        transport=Transport.TCP,
    ),
    Scene(vanished, frozenset({"ping_timeout"}), ("--keepalive", "1", "2")),
    Scene(the_same_twice, frozenset({"session_replaced"})),
    Scene(floating, frozenset({"client_floated"}), ("--verb", "4")),
]


def agrees(page: Page, before: Page, daemon: Daemon, mark: int) -> bool:
    """Tell whether the page counts what the daemon's log file says after the mark."""
    severities = increase(before, page, MESSAGES, by="severity")
    events = increase(before, page, EVENTS, by="event")
    return severities == without_zeros(
        log_reader.severities(daemon, since=mark)
    ) and events == log_reader.events(daemon, since=mark)


@pytest.mark.parametrize("scene", SCENES, ids=str)
async def test_each_event_counts_as_often_as_the_log_file_tells_it(lab: Lab, scene: Scene) -> None:
    async with scene.stage(lab) as office, scraping(daemon_config(office.management)) as scraper:
        before = await scraper.wait_up()
        mark = office.daemon.mark()
        await scene.act(office)
        await scraper.wait_for(lambda page: agrees(page, before, office.daemon, mark))
        after = await scraper.wait_polled()
        assert agrees(after, before, office.daemon, mark)

    assert set(before.values(EVENTS, by="event").values()) == {0}
    assert set(before.values(MESSAGES, by="severity").values()) == {0}
    assert scene.told <= increase(before, after, EVENTS, by="event").keys()
    assert len(log_reader.commands(office.daemon)) > 10
    assert decreased(scraper.pages) == []


async def test_what_was_logged_while_nobody_listened_counts_once_later(lab: Lab) -> None:
    accept_nobody = lab.script("exit 1")
    async with (
        server(lab, MACHINE_READABLE, *user_password_options(accept_nobody)) as office,
        link(lab, office.management) as line,
        scraping(daemon_config(line.management)) as scraper,
    ):
        before = await scraper.wait_up()
        mark = office.daemon.mark()
        await wrong_password(office)
        live = await scraper.wait_for(lambda page: agrees(page, before, office.daemon, mark))
        line.disconnect()
        await scraper.wait_down("closed")
        await wrong_password(office)
        line.reconnect()
        await scraper.wait_for(lambda page: agrees(page, before, office.daemon, mark))
        await wrong_password(office)
        await scraper.wait_for(lambda page: agrees(page, before, office.daemon, mark))
        after = await scraper.wait_polled()
        assert agrees(after, before, office.daemon, mark)

    assert increase(before, live, EVENTS, by="event") == {"auth_failed": 1}
    assert increase(before, after, EVENTS, by="event") == {"auth_failed": 3}
    assert decreased(scraper.pages) == []


@pytest.mark.parametrize(
    "name",
    [
        ">FATAL:x",
        "alice/192.0.2.1:40000 TLS Error: TLS handshake failed",
        "x\u2028Connection reset, restarting [0]",
    ],
)
async def test_a_name_that_looks_like_an_event_makes_none(lab: Lab, name: str) -> None:
    async with server(lab) as office, scraping(daemon_config(office.management)) as scraper:
        before = await scraper.wait_up()
        async with client(office, name):
            await scraper.wait_for(lambda page: page.value("openvpn_server_connected_clients") == 1)
            after = await scraper.wait_polled()

    assert increase(before, after, EVENTS, by="event") == {}
    assert after.value("openvpn_fatal_errors_total") == 0
    assert after.value("openvpn_server_client_connects_total") == 1
    assert after.value("openvpn_exporter_unparsed_lines_total") == 0
