import pytest
from msgspec import structs

from exporter import __version__
from exporter.management.batches import run_batches
from exporter.management.errors import ProtocolError
from exporter.management.replies import LoadStats, Poll
from exporter.management.state import State, StateName
from exporter.management.values import MAX_TIME
from exporter.state.daemon import DaemonState
from exporter.web.landing.page import ROWS_LIMIT, SIZE_LIMIT, landing_page
from exporter.web.pages.frame import Frame, Link
from exporter.web.pages.static import SCRIPT as SCRIPT_FILE
from tests.metrics.daemons import (
    NOON,
    OFFICE_CLIENT,
    TUNNEL,
    new_daemon,
    poll,
    server,
    server_status,
    start_session,
    take_down,
    tunnel,
)
from tests.web.landing.html_page import Page, read, rows

SCRIPT = "<script>alert('&amp;')</script>"


@pytest.fixture(autouse=True)
def set_clock_a_minute_past_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exporter.web.landing.page.now", lambda: NOON + 60.0)


class TestRow:
    async def test_has_state_clients_traffic_and_the_last_poll(self) -> None:
        assert await rows(server(), tunnel()) == [
            [
                "office | server 2.6.14",
                "CONNECTED | for 2 h",
                "1 of 200",
                "9.00 kB",
                "8.00 kB",
                "60 s ago",
            ],
            ["uplink | p2p 2.6.14", "CONNECTED | for 2 h", "", "9.00 kB", "8.00 kB", "60 s ago"],
        ]

    async def test_has_a_state_of_the_year_9999(self) -> None:
        daemon = tunnel()
        daemon.on_state(State(MAX_TIME, StateName.WAIT, ""))
        assert (await rows(daemon))[0][1].startswith("WAIT | for")

    async def test_has_a_rate_after_the_second_poll(self) -> None:
        daemon = tunnel()
        run_batches(
            daemon.on_poll(
                Poll(LoadStats(1, 9000 + 3000, 8000), TUNNEL), now=NOON + 30, duration=0.1
            )
        )
        assert (await rows(daemon))[0][3:] == ["12.0 kB | 100 B/s", "8.00 kB | 0 B/s", "30 s ago"]

    async def test_has_no_rate_and_no_state_of_a_daemon_that_is_down(self) -> None:
        daemon = tunnel()
        poll(daemon, TUNNEL, now=NOON + 30)
        take_down(daemon)
        assert (await rows(daemon))[0] == ["uplink", "down", "", "9.00 kB", "8.00 kB", "30 s ago"]

    async def test_has_pending_clients_apart(self) -> None:
        daemon = server()
        pending = tuple(structs.replace(OFFICE_CLIENT, client_id=number) for number in (8, 9))
        poll(daemon, structs.replace(server_status([OFFICE_CLIENT]), pending=pending))
        assert (await rows(daemon))[0][2] == "1 of 200 | 2 pending"

    async def test_has_no_values_before_the_first_poll(self) -> None:
        assert await rows(new_daemon()) == [["office", "pending", "", "", "", "never"]]

    async def test_is_followed_by_the_problem_and_a_link_to_its_documentation(self) -> None:
        daemon = server()
        take_down(daemon)
        problem, links = (await rows(daemon))[1][0].split(" | ")
        assert problem == "refused 127.0.0.1:7505: Connection refused"
        assert links == "Troubleshooting · Commands and replies"

    async def test_links_to_the_page_of_the_daemon_and_to_what_explains_its_problem(self) -> None:
        daemon = new_daemon("a b&c/ü")
        take_down(daemon)
        assert (await read(daemon)).links[1:] == [
            "./daemons/a%20b%26c%2F%C3%BC",
            "./docs/troubleshooting#refused",
            "./probe?target=a%20b%26c%2F%C3%BC&debug=true",
        ]


class TestPage:
    async def test_orders_daemons_by_severity_and_keeps_their_order_otherwise(self) -> None:
        down, degraded = server("down"), tunnel("degraded")
        take_down(down)
        degraded.on_state(State(NOON, StateName.RECONNECTING, "ping-restart"))
        page = await read(server("z"), new_daemon("new"), server("a"), degraded, down)
        names = [row[0].split(" ")[0] for row in page.rows[1:] if len(row) > 1]
        assert names == ["down", "degraded", "new", "z", "a"]
        assert page.classes == ["down", "degraded", "pending", "up", "up"]

    async def test_counts_daemons_by_severity_and_their_clients(self) -> None:
        down = server("down")
        take_down(down)
        text = " ".join((await read(server("a"), server("b"), down, tunnel())).text.split())
        assert "4 daemons · 1 down · 3 up · 2 clients connected" in text

    async def test_counts_no_clients_without_a_server(self) -> None:
        assert "clients connected" not in (await read(tunnel())).text

    async def test_is_limited_and_counts_the_daemons_that_are_not_listed(self) -> None:
        last = server("last")
        take_down(last)
        daemons = [server(f"{number:064}") for number in range(ROWS_LIMIT + 2)]
        html = await landing_page([*daemons, last], Frame(()))
        page = Page(html)
        assert len(page.classes) == ROWS_LIMIT
        assert page.classes[0] == "down"
        assert "Not listed: 3 more, 3 up." in page.text
        assert len(html) < 700_000

    async def test_has_relative_links_version_and_time(self) -> None:
        page = await read(links=(Link("some/metrics", "Metrics"), Link("x?a=1&b=2", "More")))
        assert page.links == ["./", "./some/metrics", "./x?a=1&b=2"]
        assert "As of 2026-11-23 12:01:00 UTC" in page.text
        assert f"version {__version__}" in page.text

    async def test_has_no_inline_script_and_no_inline_style(self) -> None:
        page = await read(server(), tunnel(), new_daemon())
        assert page.open == []
        assert page.scripts == [f"./{SCRIPT_FILE.url}"]
        assert "style" not in page.elements
        assert not [name for name in page.attributes if name.startswith("on") or name == "style"]

    @pytest.mark.parametrize("text", [SCRIPT, "$now {name}", "a & b", '"quoted"', "ünï 漢", "%s"])
    async def test_escapes_names_versions_and_errors(self, text: str) -> None:
        up, down = new_daemon(text), new_daemon(text)
        start_session(up, version=text)
        poll(up, server_status())
        down.on_down(ProtocolError(text))
        page = await read(down, up)
        assert page.rows[1][0] == text
        assert page.rows[2][0].startswith(f"protocol {text} | ")
        assert page.rows[3][0] == f"{text} | server {text}"
        assert set(page.elements) == set((await read(_down(), server())).elements)


def _down() -> DaemonState:
    daemon = server()
    take_down(daemon)
    return daemon


async def test_wide_characters_of_a_peer_do_not_make_the_page_large() -> None:
    daemons = [server(str(number)) for number in range(ROWS_LIMIT)]
    for daemon in daemons:
        daemon.on_down(ProtocolError("\U0001f600" * 1000))
    html = await landing_page(daemons, Frame(()))
    assert ord(max(html)) < 256
    assert len(html) < SIZE_LIMIT * 1.2
    page = Page(html)
    assert "\U0001f600" in page.text
    listed = page.text.count("Troubleshooting")
    assert f"Not listed: {ROWS_LIMIT - listed:,} more" in page.text
