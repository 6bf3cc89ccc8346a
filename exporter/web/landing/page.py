"""The endpoint `/`, and the whole page: a summary and a table, daemons that are down first."""

import base64
import hashlib
import string
import time
from collections import Counter
from collections.abc import Callable, Sequence
from html import escape
from importlib import resources

import msgspec
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from exporter import __version__
from exporter.management.status import ServerStatus
from exporter.state.daemon import DaemonState
from exporter.web.landing.row import COLUMNS, DaemonSummary, Health, render_daemon, summarise
from exporter.web.metrics import accepts_gzip

ROWS_LIMIT = 1000
"""Most daemons on the page: half a megabyte, which a phone still shows."""

_FILES = resources.files(__package__)
_STYLE = (_FILES / "page.css").read_text(encoding="utf-8")
_PAGE = string.Template((_FILES / "page.html").read_text(encoding="utf-8"))

_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Allows the page's own style and nothing else: no script, no frame, no other host."""

_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    # The page is out of date at once; a cache or a Referer would disclose the daemons' names.
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}

now = time.time
"""Seconds since the epoch."""


class Link(msgspec.Struct, frozen=True):
    """A link of the page; `href` is relative to it, so that a proxy may add a path prefix."""

    href: str
    text: str


_LINKS = (
    Link("config", "Configuration"),
    Link("sd", "Service discovery"),
    Link("-/healthy", "Health"),
    Link("-/ready", "Readiness"),
)


def handler(daemons: Callable[[], Sequence[DaemonState]], telemetry_path: str) -> Handler:
    """Return the handler of the page."""
    links = (Link(telemetry_path.removeprefix("/"), "Metrics"), *_LINKS)

    async def landing(request: web.Request) -> web.Response:
        page = landing_page(daemons(), links)
        response = web.Response(text=page, content_type="text/html", headers=_HEADERS)
        if accepts_gzip(request.headers.get(hdrs.ACCEPT_ENCODING, "")):
            response.enable_compression(web.ContentCoding.gzip)
        return response

    return landing


def landing_page(daemons: Sequence[DaemonState], links: Sequence[Link]) -> str:
    """Return the page as HTML, as of now; all text in it is escaped."""
    moment = now()
    order = list(Health)
    summarised = sorted(
        ((summarise(daemon), daemon) for daemon in daemons),
        key=lambda pair: order.index(pair[0].health),
    )
    return _PAGE.substitute(
        style=_STYLE,
        version=escape(__version__),
        now=time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(moment)),
        links="\n".join(
            f'<a href="./{escape(link.href)}">{escape(link.text)}</a>' for link in links
        ),
        summary=_summary(summarised),
        columns="".join(f'<th scope="col">{column}</th>' for column in COLUMNS),
        daemons="\n".join(
            render_daemon(daemon, summary, moment) for summary, daemon in summarised[:ROWS_LIMIT]
        ),
        not_listed=_not_listed(summarised[ROWS_LIMIT:]),
    )


def _summary(summarised: Sequence[tuple[DaemonSummary, DaemonState]]) -> str:
    """Return the number of daemons, in total and by health, and the number of clients."""
    clients = [
        len(daemon.status.clients)
        for _, daemon in summarised
        if isinstance(daemon.status, ServerStatus)
    ]
    parts = [f"<b>{_count(len(summarised), 'daemon')}</b>", *_count_by_health(summarised)]
    if clients:
        parts.append(f"<b>{_count(sum(clients), 'client')}</b> connected")
    return " · ".join(parts)


def _count_by_health(summarised: Sequence[tuple[DaemonSummary, DaemonState]]) -> list[str]:
    counts = Counter(summary.health for summary, _ in summarised)
    return [
        f'<span class="{health}">{counts[health]} {health}</span>'
        for health in Health
        if counts[health]
    ]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _not_listed(summarised: Sequence[tuple[DaemonSummary, DaemonState]]) -> str:
    if not summarised:
        return ""
    parts = [f"{len(summarised)} more", *_count_by_health(summarised)]
    return f"<p>Not listed: {', '.join(parts)}.</p>"
