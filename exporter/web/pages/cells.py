"""Cells of tables. On a narrow screen, each row is a block with a line for each cell."""

from exporter.web.pages.html import Html, element


def cell(column: str, *content: str) -> Html:
    """Return a cell; on a narrow screen, empty cells are hidden and others show their column."""
    if not any(content):
        return element("td")
    return element("td", *content, attributes={"data-is": column})


def small(*content: str) -> Html:
    """Return an addition in small type; nothing without content."""
    return element("small", *content) if any(content) else Html()
