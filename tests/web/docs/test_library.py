import re
from pathlib import Path

import pytest

from exporter.management.errors import DownReason
from exporter.web.docs import library
from tests.web.landing.html_page import Page

ROOT = Path(__file__).parents[3]
NAMES = sorted(library.names())


def test_every_page_of_the_documentation_is_there() -> None:
    pages = {path.stem for path in (ROOT / "docs").glob("*.md")}
    assert pages | {library.INDEX, "deploy"} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_complete_html_with_a_title(name: str) -> None:
    page = library.read(name)
    assert page.title
    assert "<" not in page.title
    parsed = Page(page.content)
    assert parsed.open == []
    assert parsed.elements[0] == "h1"
    assert not {"script", "style", "img", "iframe"} & set(parsed.elements)


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_to_a_page_and_a_heading_or_elsewhere(name: str) -> None:
    for link in Page(library.read(name).content).links:
        if re.match("https?://", link):
            continue
        match = re.fullmatch(r"\.\./docs/([a-z-]*)(?:#(.+))?", link)
        assert match, link
        content = library.read(match[1] or library.INDEX).content
        assert match[2] is None or f' id="{match[2]}">' in content, link


def test_titles_are_text() -> None:
    assert library.read("management").title == "The management interface"


def test_sections_are_those_below_each_heading() -> None:
    sections = library.sections("troubleshooting")
    assert set(DownReason) <= set(sections)
    assert sections["refused"].startswith("<p>No process listens at the address.")
    assert "There is no such socket" not in sections["refused"]
