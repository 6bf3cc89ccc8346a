from html.parser import HTMLParser

import pytest

from exporter import __version__
from exporter.daemon.record import Record
from exporter.management.errors import ProtocolError
from exporter.web.landing import landing_page
from tests.metrics.records import introduce, new_record, server, take_down, tunnel

SCRIPT = "<script>alert('&amp;')</script>"


class Page(HTMLParser):
    """What a browser would show: the cells of the table, the links and the elements."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.open: list[str] = []
        self.rows: list[list[str]] = []
        self.links: list[str | None] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        if tag != "meta":
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        elif tag == "a":
            self.links.append(dict(attrs)["href"])

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if "td" in self.open or "th" in self.open:
            self.rows[-1][-1] += data


def rows(*records: Record) -> list[list[str]]:
    """Return the rows of the table, without its head."""
    return Page(landing_page(records, "/metrics")).rows[1:]


def test_each_daemon_has_a_row_with_its_state_clients_and_version() -> None:
    assert rows(server(), tunnel()) == [
        ["office", "CONNECTED", "1", "2.6.14"],
        ["uplink", "CONNECTED", "", "2.6.14"],
    ]


def test_a_daemon_that_nobody_has_reached_yet_says_so() -> None:
    assert rows(new_record()) == [["office", "not reached yet", "", ""]]


def test_a_daemon_that_is_down_says_why() -> None:
    record = server()
    take_down(record)
    reason = "down (refused): 127.0.0.1:7505: Connection refused"
    assert rows(record) == [["office", reason, "", ""]]


def test_the_page_leads_to_the_metrics_and_tells_the_version() -> None:
    page = Page(landing_page([server()], "/some/metrics"))
    assert page.links == ["/some/metrics"]
    assert f"version {__version__}" in " ".join(page.text.split())


def test_every_element_is_closed_and_none_is_a_script() -> None:
    page = Page(landing_page([server(), tunnel()], "/metrics"))
    assert page.open == []
    assert "script" not in page.elements


@pytest.mark.parametrize("text", [SCRIPT, "{name}", "a & b", '"quoted"', "ünï 漢", "%s"])
def test_names_versions_and_errors_are_text_whatever_they_hold(text: str) -> None:
    up, down = new_record(text), new_record(text)
    introduce(up, version=text)
    down.went_down(ProtocolError(text))
    html = landing_page([up, down], "/metrics")
    page = Page(html)
    assert [page.rows[1][0], page.rows[1][3]] == [text, text]
    assert page.rows[2][:2] == [text, f"down (protocol): {text}"]
    assert set(page.elements) == set(Page(landing_page([server()], "/metrics")).elements)
