"""The frame of every page: head, navigation, footer; and the headers of the response."""

import string
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
from aiohttp import hdrs, web

from exporter import __version__
from exporter.web.metrics import accepts_gzip
from exporter.web.pages.html import Html, element, join
from exporter.web.pages.static import SCRIPT, STYLE

_FRAME = string.Template(Path(__file__).with_name("frame.html").read_text(encoding="utf-8"))

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Allows the own style and script and nothing else: nothing inline, no other host."""

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    # The page is out of date at once; a cache or a Referer would disclose the daemons' names.
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}


REFRESH = 15
"""Seconds after which the script loads a page again: the `poll_interval` by default."""


class Link(msgspec.Struct, frozen=True):
    """A link of the navigation; `href` is relative to the root of the exporter."""

    href: str
    text: str


class Frame(msgspec.Struct, frozen=True):
    """The frame of the pages of one application; `links` are its navigation."""

    links: Sequence[Link]

    def page(self, title: str, main: Html, *, root: str, as_of: float | None = None) -> str:
        """Return a page as HTML.

        Args:
            title: of the browser's window.
            main: the content.
            root: the relative path from the page to the root: a proxy may add a path prefix.
            as_of: the time of the content, in seconds since the epoch; a page that has one is
                kept up to date.
        """
        return _FRAME.substitute(
            root=root,
            style=STYLE.url,
            script=SCRIPT.url,
            title=element("title", title)[len("<title>") : -len("</title>")],
            links=join(
                [element("a", link.text, href=f"{root}{link.href}") for link in self.links], "\n"
            ),
            refresh=0 if as_of is None else REFRESH,
            main=main,
            footer=_footer(as_of),
        )


def _footer(as_of: float | None) -> Html:
    version = f"version {__version__}"
    if as_of is None:
        return join([version])
    moment = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(as_of))
    return join([live("span", "as-of", f"As of {moment}"), f" · {version}"])


def live(tag: str, name: str, *content: str, **names: str) -> Html:
    """Return an element with an id, whose content the script keeps up to date."""
    return element(tag, *content, attributes={"id": name, "data-live": ""}, **names)


def html_response(request: web.Request, page: str, *, status: int = 200) -> web.Response:
    """Return the response with a page, compressed if the request accepts it."""
    response = web.Response(text=page, status=status, content_type="text/html", headers=HEADERS)
    if accepts_gzip(request.headers.get(hdrs.ACCEPT_ENCODING, "")):
        response.enable_compression(web.ContentCoding.gzip)
    return response
