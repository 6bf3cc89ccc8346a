from collections.abc import Mapping

import pytest
from msgspec import structs

from exporter.config.schema import PrivacyMode
from exporter.management.errors import DownReason, ProtocolError
from exporter.management.peer import PeerInfo
from exporter.management.state import State, StateName
from exporter.state.daemon import DaemonState
from exporter.web.daemon_page.client_order import PAGE_SIZE, parse_query
from exporter.web.daemon_page.page import daemon_page
from exporter.web.docs import library
from exporter.web.pages.frame import Frame
from tests.metrics.daemons import (
    NOON,
    OFFICE_CLIENT,
    new_daemon,
    poll,
    server,
    server_status,
    start_session,
    take_down,
    tunnel,
)
from tests.web.landing.html_page import Page

HOSTILE = [
    "<script>alert('&amp;')</script>",
    "$now {name}",
    "a & b",
    '"quoted" \'',
    "ünï 漢",
    "%s",
    "</table>",
    "\u202egnp.exe",
]


@pytest.fixture(autouse=True)
def set_clock_a_minute_past_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exporter.web.daemon_page.page.now", lambda: NOON + 60.0)


async def read(daemon: DaemonState, query: Mapping[str, str] | None = None) -> Page:
    return Page(await daemon_page(daemon, parse_query(query or {}), Frame(())))


def text_of(page: Page) -> str:
    return " ".join(page.text.split())


class TestFacts:
    async def test_are_those_of_a_server(self) -> None:
        text = text_of(await read(server()))
        for fact in (
            "StateCONNECTEDfor 2 h",
            "Last successful poll60 s ago",
            "Sourcemanagement",
            "Address127.0.0.1:7505",
            "Modeserver",
            "Clients1 of 200 connected, 1 with a revoked certificate",
            "Received9.00 kB",
            "Sent8.00 kB",
            "OpenVPN2.6.14 x86_64-pc-linux-gnumanagement interface 5",
            "Process started2026-11-23 10:00:002 h ago",
        ):
            assert fact in text

    async def test_that_are_unknown_are_left_out(self) -> None:
        text = text_of(await read(new_daemon()))
        assert "Statepending" in text
        assert "Last successful pollnever" in text
        assert "Mode" not in text
        assert "OpenVPN2" not in text

    async def test_lead_to_the_same_daemon_elsewhere(self) -> None:
        links = (await read(new_daemon("a/b"))).links
        assert {
            "../api/v1/daemons/a%2Fb",
            "../probe?target=a%2Fb",
            "../probe?target=a%2Fb&debug=true",
        } <= set(links)


class TestProblem:
    async def test_has_the_sentence_and_the_steps_of_the_documentation(self) -> None:
        daemon = server()
        take_down(daemon)
        page = await read(daemon)
        assert "Down: refused127.0.0.1:7505: Connection refused" in text_of(page)
        assert "Does the daemon run?" in text_of(page)
        assert "../docs/troubleshooting#refused" in page.links
        assert page.open == []

    @pytest.mark.parametrize("reason", DownReason)
    def test_every_reason_has_steps(self, reason: DownReason) -> None:
        steps = library.sections("troubleshooting")[reason]
        assert steps.startswith("<p>")
        assert "<h" not in steps

    async def test_is_absent_while_the_daemon_is_up(self) -> None:
        assert "Down:" not in (await read(server())).text


class TestStates:
    async def test_are_those_of_a_tunnel_newest_first(self) -> None:
        daemon = tunnel()
        daemon.on_state(State(NOON, StateName.RECONNECTING, "ping-restart"))
        assert (await read(daemon)).rows[1:] == [
            ["2026-11-23 12:00:00 | 60 s ago", "RECONNECTING", "ping-restart"],
            ["2026-11-23 10:00:00 | 2 h ago", "CONNECTED", "SUCCESS"],
        ]


class TestClients:
    async def test_have_a_row_each(self) -> None:
        daemon = server()
        (session,) = daemon.clients.sessions.current
        session.peer_info = PeerInfo("linux", "2.6.14", "openvpn-connect")
        head, missing, connected = (await read(daemon)).rows[:3]
        assert head == [
            *("Client", "Status", "Real address", "Virtual address", "Connected since"),
            *("Last seen", "Received", "Sent", "Rate", "Platform", "Cipher"),
        ]
        assert missing == ["bob", "missing", *[""] * 9]
        assert connected == [
            "alice | alice@office",
            "connected | revoked certificate",
            "192.0.2.7",
            "10.8.0.6 | fd00::6",
            "2026-11-23 11:00:00 | 61 min",
            "",
            "5.00 kB | 1 B/s",
            "7.00 kB | 2 B/s",
            "3 B/s",
            "linux | 2.6.14 openvpn-connect",
            "AES-256-GCM",
        ]

    async def test_that_have_left_were_last_seen(self) -> None:
        daemon = server(expected=())
        poll(daemon, server_status(), now=NOON + 30)
        assert (await read(daemon)).rows[1] == [
            *("alice", "left", "", "", "", "2026-11-23 12:00:00 | 60 s", *[""] * 5)
        ]

    async def test_are_counted_by_status(self) -> None:
        page = await read(server(), {"filter": "ali"})
        assert "1 missing, 1 connected; 1 with “ali”." in page.text

    async def test_have_pages_whose_links_keep_order_and_filter(self) -> None:
        rows = [
            structs.replace(OFFICE_CLIENT, common_name=f"c{number:04}", client_id=number)
            for number in range(2 * PAGE_SIZE + 1)
        ]
        daemon = server("office", rows, expected=())
        page = await read(daemon, {"page": "2", "sort": "-sent", "filter": "c"})
        assert "; page 2 of 3." in page.text
        assert page.links[-2:] == [
            "?sort=-sent&filter=c&page=1",
            "?sort=-sent&filter=c&page=3",
        ]

    async def test_say_by_which_column_they_are_sorted(self) -> None:
        page = await daemon_page(server(), parse_query({"sort": "-sent"}), Frame(()))
        assert page.count("aria-sort") == 1
        assert (
            '<th aria-sort="descending" scope="col"><button type="submit" form="controls" '
            'name="sort" value="sent" id="sort-sent">Sent</button></th>'
        ) in page
        assert 'value="-received" id="sort-received"' in page

    async def test_of_a_tunnel_are_no_section(self) -> None:
        assert "Clients" not in (await read(tunnel())).text

    async def test_are_hidden_by_privacy(self) -> None:
        daemon = server()
        clients = structs.replace(daemon.target.clients, privacy=PrivacyMode.NONE)
        daemon.reconfigure(structs.replace(daemon.target, clients=clients))
        page = await read(daemon)
        assert "Clients are hidden by 'privacy'." in page.text
        assert "alice" not in page.text
        assert "bob" not in page.text


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_texts_stay_text(text: str) -> None:
    row = structs.replace(
        OFFICE_CLIENT,
        common_name=text,
        username=f"{text}!",
        real_address=text,
        virtual_address=text,
        virtual_ipv6_address=text,
        cipher=text,
    )
    daemon = new_daemon(text, expected=[f"{text}?"])
    start_session(daemon, version=text)
    poll(daemon, server_status([row]))
    daemon.clients.sessions.current[0].peer_info = PeerInfo(text, text, text)
    page = await read(daemon, {"filter": text})
    assert page.rows[1][0] == f"{text}?"
    cells = page.rows[2]
    assert (cells[0], cells[2], cells[3]) == (f"{text} | {text}!", text, f"{text} | {text}")
    assert (cells[9], cells[10]) == (f"{text} | {text} {text}", text)
    assert f"OpenVPN{text} x86" in page.text
    assert page.open == []
    assert set(page.elements) == set((await read(server(), {"filter": "a"})).elements)


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_problems_stay_text(text: str) -> None:
    daemon, other = server(), server()
    daemon.on_down(ProtocolError(text))
    other.on_down(ProtocolError("why"))
    page = await read(daemon)
    assert f"Down: protocol{text}" in page.text
    assert page.elements == (await read(other)).elements
