"""Clients that are expected on any server, with two servers and a client that roams."""

from contextlib import AsyncExitStack

from tests.real.client import client
from tests.real.lab import Lab
from tests.real.management import LOOPBACK
from tests.real.scraping import Page, daemon_config, scraping
from tests.real.server import Server, Transport, server

# A disconnect over TCP is detected at once.
TCP = Transport.TCP
CONNECTED = "openvpn_expected_client_connected"
LAST_SEEN = "openvpn_expected_client_last_seen_timestamp_seconds"
SESSIONS = "openvpn_server_client_sessions"
UP = "openvpn_up"


def connected(page: Page) -> dict[str, float]:
    return page.values(CONNECTED, by="common_name")


def sessions(page: Page) -> dict[str, float]:
    return page.values(SESSIONS, by="daemon")


def remotes(*servers: Server) -> list[str]:
    return [text for each in servers for text in ("--remote", LOOPBACK, str(each.port))]


async def test_a_client_that_roams_is_connected_and_is_missing_only_while_all_servers_are_up(
    lab: Lab,
) -> None:
    async with AsyncExitStack() as first, server(lab, transport=TCP) as branch:
        office = await first.enter_async_context(server(lab, transport=TCP))
        daemons = [
            daemon_config(each.management, name=name)
            for name, each in (("office", office), ("branch", branch))
        ]
        async with scraping(*daemons, expected_clients=("alice", "bob")) as scraper:
            before = await scraper.wait_for(lambda page: len(connected(page)) == 2)
            async with client(office, "alice", *remotes(office, branch)):
                at_office = await scraper.wait_for(lambda page: connected(page)["alice"] == 1)
                await first.aclose()  # the client goes on to the next remote
                at_branch = await scraper.wait_for(lambda page: sessions(page).get("branch") == 1)
            unknown = await scraper.wait_for(lambda page: sessions(page)["branch"] == 0)
            async with server(lab, transport=TCP, management=office.management):
                missing = await scraper.wait_for(
                    lambda page: page.values(UP, by="daemon")["office"] == 1
                )

    assert connected(before) == {"alice": 0, "bob": 0}
    assert sessions(at_office) == {"office": 1}
    assert connected(at_branch) == {"alice": 1}
    assert connected(unknown) == {}
    assert connected(missing) == {"alice": 0, "bob": 0}
    roaming = scraper.pages[scraper.pages.index(at_office) : scraper.pages.index(missing)]
    assert 0 not in {connected(page).get("alice") for page in roaming}

    seen = unknown.value(LAST_SEEN, common_name="alice")
    assert missing.labels(LAST_SEEN) == [{"common_name": "alice"}]
    assert missing.value(LAST_SEEN, common_name="alice") == seen
    assert LAST_SEEN not in at_branch.names() | before.names()
