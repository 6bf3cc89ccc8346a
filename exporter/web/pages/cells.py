"""Cells of tables. On a narrow screen, each row is a block with a line for each cell."""

import functools

from exporter.web.pages.html import Html, element, join

_SMALL = element("small", "%s")


def cell(column: str, *content: str) -> Html:
    """Return a cell; on a narrow screen, empty cells are hidden and others show their column."""
    return Html(_cell(column) % join(content)) if any(content) else _EMPTY


def small(*content: str) -> Html:
    """Return an addition in small type; nothing without content."""
    return Html(_SMALL % join(content)) if any(content) else Html()


@functools.cache
def _cell(column: str) -> Html:
    return element("td", "%s", attributes={"data-is": column})


_EMPTY = element("td")
