"""Log events: counted as often as they are in the daemon's log file, and no line twice."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import pytest

from tests.real import log_reader
from tests.real.at_once import Outcomes, run_at_once
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
HANDSHAKE_FAILED = "TLS Error: TLS handshake failed"
CONNECTING = "link remote: [AF_INET]"


async def wrong_authority(office: Server) -> None:
    async with client(office, "mallory", signer=office.lab.other_authority, ready=CONNECTING):
        await office.daemon.wait_for_log(HANDSHAKE_FAILED)


async def wrong_password(office: Server) -> None:
    async with client(office, "alice", user=WRONG_PASSWORD, ready=AUTH_FAILED):
        pass


async def client_limit(office: Server) -> None:
    async with client(office, "alice"), client(office, "bob", ready=CONNECTING):
        await office.daemon.wait_for_log("would exceed maximum number of clients")


async def port_scan(office: Server) -> None:
    for request in (b"GET / HTTP/1.0\r\n\r\n", b""):
        mark = office.daemon.mark()
        _, writer = await asyncio.open_connection(LOOPBACK, office.port)
        writer.write(request)
        await office.daemon.wait_for_log("TCP connection established", since=mark)
        writer.write_eof()
        await office.daemon.wait_for_log("Connection reset, restarting", since=mark)
        writer.close()


async def killed_client(office: Server) -> None:
    async with client(office, "alice") as alice:
        await alice.daemon.kill()
    await office.daemon.wait_for_log("Inactivity timeout")


async def duplicate_name(office: Server) -> None:
    async with client(office, "alice"), client(office, "alice"):
        pass


async def floating_client(office: Server) -> None:
    async with behind_router(office) as router, client(router.server, "alice"):
        await router.change_port()
        await office.daemon.wait_for_log("floated from")


@dataclass(frozen=True, slots=True)
class Case:
    """An action on a server, and the events that it logs at least once."""

    action: Callable[[Server], Awaitable[None]]
    events: frozenset[str]
    options: tuple[str, ...] = ()
    transport: Transport = Transport.UDP

    def __str__(self) -> str:
        return f"{self.action.__name__}-{self.transport.value}"

    def server(self, lab: Lab) -> AbstractAsyncContextManager[Server]:
        return server(lab, MACHINE_READABLE, *self.options, transport=self.transport)


REJECTED = frozenset({"certificate_verify_error", "tls_handshake_failed", "tls_read_error"})
CASES = [
    Case(wrong_authority, REJECTED),
    Case(wrong_authority, REJECTED | {"tls_fatal"}, transport=Transport.TCP),
    Case(client_limit, frozenset({"client_limit_reached"}), ("--max-clients", "1")),
    Case(
        port_scan,
        frozenset({"bad_packet_length", "connection_reset"}),
        transport=Transport.TCP,
    ),
    Case(killed_client, frozenset({"ping_timeout"}), ("--keepalive", "1", "2")),
    Case(duplicate_name, frozenset({"session_replaced"})),
    Case(floating_client, frozenset({"client_floated"}), ("--verb", "4")),
]


def agrees_with_log(page: Page, before: Page, daemon: Daemon, mark: int) -> bool:
    """Return whether the page counts the lines of the log file after the mark."""
    severities = increase(before, page, MESSAGES, by="severity")
    events = increase(before, page, EVENTS, by="event")
    return severities == without_zeros(
        log_reader.severities(daemon, since=mark)
    ) and events == log_reader.events(daemon, since=mark)


@pytest.fixture(scope="module")
def counted(lab: Lab) -> Outcomes[None]:
    """The checks of each case."""

    async def check(case: Case) -> None:
        async with (
            case.server(lab) as office,
            scraping(daemon_config(office.management)) as scraper,
        ):
            before = await scraper.wait_up()
            mark = office.daemon.mark()
            await case.action(office)
            await scraper.wait_for(lambda page: agrees_with_log(page, before, office.daemon, mark))
            after = await scraper.wait_polled()
            assert agrees_with_log(after, before, office.daemon, mark)

        assert set(before.values(EVENTS, by="event").values()) == {0}
        assert set(before.values(MESSAGES, by="severity").values()) == {0}
        assert case.events <= increase(before, after, EVENTS, by="event").keys()
        assert len(log_reader.commands(office.daemon)) > 10
        assert decreased(scraper.pages) == []

    return run_at_once(check, CASES)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_event_is_counted_as_often_as_in_the_log_file(counted: Outcomes[None], case: Case) -> None:
    counted.of(case)


async def test_lines_logged_during_a_gap_are_counted_once(lab: Lab) -> None:
    reject_all = lab.script("exit 1")
    async with (
        server(lab, MACHINE_READABLE, *user_password_options(reject_all)) as office,
        link(lab, office.management) as management_link,
        scraping(daemon_config(management_link.management)) as scraper,
    ):
        before = await scraper.wait_up()
        mark = office.daemon.mark()
        await wrong_password(office)
        live = await scraper.wait_for(
            lambda page: agrees_with_log(page, before, office.daemon, mark)
        )
        management_link.disconnect()
        await scraper.wait_down("closed")
        await wrong_password(office)
        management_link.reconnect()
        await scraper.wait_for(lambda page: agrees_with_log(page, before, office.daemon, mark))
        await wrong_password(office)
        await scraper.wait_for(lambda page: agrees_with_log(page, before, office.daemon, mark))
        after = await scraper.wait_polled()
        assert agrees_with_log(after, before, office.daemon, mark)

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
async def test_common_name_that_looks_like_an_event_is_not_counted(lab: Lab, name: str) -> None:
    async with server(lab) as office, scraping(daemon_config(office.management)) as scraper:
        before = await scraper.wait_up()
        async with client(office, name):
            await scraper.wait_for(lambda page: page.value("openvpn_server_connected_clients") == 1)
            after = await scraper.wait_polled()

    assert increase(before, after, EVENTS, by="event") == {}
    assert after.value("openvpn_fatal_errors_total") == 0
    assert after.value("openvpn_server_client_connects_total") == 1
    assert after.value("openvpn_exporter_unparsed_lines_total") == 0


async def test_the_subject_of_a_rejected_client_is_no_connect(lab: Lab) -> None:
    """OpenVPN logs `ADDRESS VERIFY OK: depth=0, SUBJECT`: a subject that repeats its beginning."""
    port = lab.port()
    start = f"{LOOPBACK}:{port} VERIFY OK: depth=0, CN=mallory, description=x/192.0.2.7:4"
    message = f"MULTI: primary virtual IP for {start}: 10.8.0.2"
    forged = lab.authority.issue("mallory", description=f"x/192.0.2.7:4 {message}")
    address = ("--local", LOOPBACK, "--lport", str(port))
    async with (
        server(lab, MACHINE_READABLE, *user_password_options(lab.script("exit 1"))) as office,
        scraping(daemon_config(office.management)) as scraper,
    ):
        await scraper.wait_up()
        options = (*address, *forged.options())
        async with client(office, "mallory", *options, user=WRONG_PASSWORD, ready=AUTH_FAILED):
            pass
        assert f"{start} {message}" in office.daemon.log
        after = await scraper.wait_polled()
    assert after.value("openvpn_server_client_connects_total") == 0
