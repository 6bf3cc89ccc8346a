"""Parses a page of the exporter."""

from html.parser import HTMLParser

from exporter.state.daemon import DaemonState
from exporter.web.landing.page import landing_page
from exporter.web.pages.frame import Frame, Link

VOID = {"meta", "link", "br", "input"}


class Page(HTMLParser):
    """The rows of the table, the links, the elements, and all text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.rows: list[list[str]] = []
        self.classes: list[str] = []
        self.links: list[str] = []
        self.scripts: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        attributes = dict(attrs)
        self.attributes |= attributes.keys()
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"}:
            self.rows[-1].append("")
        elif tag == "small" and self.rows and "tr" in self.open:
            self.rows[-1][-1] += " | "
        elif tag == "tbody":
            self.classes.append(attributes.get("class") or "")
        elif tag == "script":
            self.scripts.append(attributes["src"] or "")
        elif tag == "a":
            self.links.append(attributes["href"] or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if "td" in self.open or "th" in self.open:
            self.rows[-1][-1] += data


async def read(*daemons: DaemonState, links: tuple[Link, ...] = ()) -> Page:
    return Page(await landing_page(daemons, Frame(links)))


async def rows(*daemons: DaemonState) -> list[list[str]]:
    """Return the rows of the table, without its head; ` | ` precedes a `<small>`."""
    return (await read(*daemons)).rows[1:]
