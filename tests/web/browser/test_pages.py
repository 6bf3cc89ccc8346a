"""All pages in Chromium: on a phone and a desktop, light and dark; for a screen reader."""

from collections.abc import Mapping, Sequence
from urllib.parse import quote

import pytest

from tests.web.browser.conftest import Serve
from tests.web.browser.fleet import (
    HOSTILE,
    down_server,
    hostile_server,
    large_server,
    reconnecting_tunnel,
)
from tests.web.browser.webdriver import Browser

PATHS = (
    "/",
    "/daemons/office?filter=client-0001",
    "/daemons/branch",
    "/daemons/uplink",
    f"/daemons/{quote(HOSTILE, safe='')}",
    "/docs/",
    "/docs/troubleshooting",
    "/docs/metrics",
)

SIZES = {"phone": (390, 800), "desktop": (1400, 900)}

MIN_CONTRAST = 4.5
"""Of text, by WCAG 2.2, level AA."""

CONTRASTS = """
const channel = (value) =>
  value <= 0.03928 * 255 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4;
const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const numbers = (color) => color.match(/[0-9.]+/g).map(Number);
const background = (element) => {
  for (let parent = element; parent; parent = parent.parentElement) {
    const color = numbers(getComputedStyle(parent).backgroundColor);
    if (color.length === 3) return color;
  }
  return [255, 255, 255];
};
const hasText = (node) => node.nodeType === Node.TEXT_NODE && node.data.trim();
return [...document.querySelectorAll("body *")]
  .filter((element) => element.checkVisibility() && [...element.childNodes].some(hasText))
  .map((element) => {
    const colors = [numbers(getComputedStyle(element).color), background(element)];
    const [dark, light] = colors.map(luminance).sort((a, b) => a - b);
    return [(light + 0.05) / (dark + 0.05), element.outerHTML.slice(0, 80)];
  });
"""
"""Returns the contrast of each element that has text."""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", list(SIZES))
async def test_all_text_is_readable_without_scrolling_sideways(
    browser: Browser, serve: Serve, size: str, *, dark: bool
) -> None:
    width, height = SIZES[size]
    await browser.set_view(width=width, height=height, dark=dark)
    url = await serve([large_server(20), down_server(), reconnecting_tunnel(), hostile_server()])
    for path in PATHS:
        await browser.open(f"{url}{path}")
        assert await browser.log() == []
        assert await browser.run("return document.documentElement.scrollWidth") <= width, path
        contrasts = await browser.run(CONTRASTS)
        assert contrasts
        assert [found for found in contrasts if found[0] < MIN_CONTRAST] == []


async def test_colours_differ_in_the_dark(browser: Browser, serve: Serve) -> None:
    url = await serve([])
    colours = set()
    for dark in (False, True):
        await browser.set_view(width=1400, height=900, dark=dark)
        await browser.open(url)
        colours.add(await browser.run("return getComputedStyle(document.body).backgroundColor"))
    assert len(colours) == 2


async def test_a_row_is_a_block_on_a_phone(browser: Browser, serve: Serve) -> None:
    await browser.set_view(width=390, height=800)
    await browser.open(f"{await serve([large_server(3)])}/daemons/office")
    display = "return getComputedStyle(document.querySelector(arguments[0])).display"
    assert await browser.run(display, "#clients tbody td") == "block"
    assert await browser.run(display, "#sort-received") != "none"


class TestForAScreenReader:
    async def test_the_table_of_clients_has_heads_and_a_name(
        self, browser: Browser, serve: Serve
    ) -> None:
        await browser.open(f"{await serve([large_server(2)])}/daemons/office")
        tree = await accessibility_tree(browser)
        columns = {
            *("Client", "Status", "Real address", "Virtual address", "Connected since"),
            *("Last seen", "Received", "Sent", "Rate", "Platform", "Cipher"),
        }
        assert roles(tree, "heading") == {"office", "Clients", "States"}
        assert roles(tree, "columnheader") == columns | {"Entered", "State", "Reason"}
        assert roles(tree, "rowheader") == {
            *("site-oslo", "client-00000 alice@office", "client-00001 alice@office", "alice"),
            "CONNECTED",
        }
        assert roles(tree, "searchbox") == {"Filter"}
        assert roles(tree, "button") == columns | {"Filter"}
        assert roles(tree, "navigation") == {"Exporter"}
        assert "Clients" in roles(tree, "region")
        assert roles(tree, "main") == {""}

    async def test_every_control_has_a_name(self, browser: Browser, serve: Serve) -> None:
        url = await serve([large_server(3), down_server()])
        for path in ("/", "/daemons/office", "/daemons/branch", "/docs/troubleshooting"):
            await browser.open(f"{url}{path}")
            tree = await accessibility_tree(browser)
            for role in ("link", "button", "searchbox"):
                assert "" not in roles(tree, role)


async def accessibility_tree(browser: Browser) -> Sequence[Mapping[str, Mapping[str, str]]]:
    tree = await browser.devtools("Accessibility.getFullAXTree")
    nodes: Sequence[Mapping[str, Mapping[str, str]]] = tree["nodes"]
    return [node for node in nodes if not node["ignored"]]


def roles(tree: Sequence[Mapping[str, Mapping[str, str]]], role: str) -> set[str]:
    """Return the names of all nodes with a role."""
    return {node["name"]["value"] for node in tree if node["role"]["value"] == role}
