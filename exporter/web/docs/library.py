"""The pages of the documentation: HTML of the project's own files."""

import re
from collections.abc import Mapping
from html import unescape
from pathlib import Path

import msgspec

from exporter.web.pages.html import Html

_PAGES = Path(__file__).with_name("pages")
_SUFFIX = ".html"

INDEX = "index"
"""The page that lists the others."""

_TITLE = re.compile("<h1[^>]*>(.*?)</h1>")
_TAG = re.compile("<[^>]*>")
_HEADING = re.compile(r'(?=<h[1-6] id="([^"]*)">)')


class DocsPage(msgspec.Struct, frozen=True):
    """A page with its title."""

    title: str
    content: Html


def names() -> frozenset[str]:
    """Return the names of all pages."""
    files = (file.name for file in _PAGES.iterdir())
    return frozenset(name.removesuffix(_SUFFIX) for name in files if name.endswith(_SUFFIX))


def read(name: str) -> DocsPage:
    """Return one of the pages that `names` lists; reads a file."""
    content = Html((_PAGES / f"{name}{_SUFFIX}").read_text(encoding="utf-8"))
    title = _TITLE.search(content)
    return DocsPage(unescape(_TAG.sub("", title[1])) if title else name, content)


def sections(name: str) -> Mapping[str, Html]:
    """Return what is below each heading of a page, up to the next one, by its anchor."""
    _, *parts = _HEADING.split(read(name).content)
    return {
        anchor: Html(section.partition("\n")[2])
        for anchor, section in zip(parts[::2], parts[1::2], strict=True)
    }
