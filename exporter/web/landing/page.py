"""The endpoint `/`, and the whole page: a summary and a table, daemons that are down first."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from aiohttp import web
from aiohttp.typedefs import Handler

from exporter.aio import yield_to_loop
from exporter.management.batches import row_batches
from exporter.state.daemon import DaemonState
from exporter.web.landing.row import COLUMNS, ROOT, render_daemon
from exporter.web.pages.frame import Frame, live
from exporter.web.pages.html import Html, ascii_only, element, join
from exporter.web.pages.rendering import Renderer
from exporter.web.view.daemon import DaemonView, Health, daemon_view

ROWS_LIMIT = 1000
"""Most daemons on the page: half a megabyte, which a phone still shows."""

SIZE_LIMIT = 2_000_000
"""Bytes of rows after which no more follow: hostile daemons choose the texts of problems."""

_BATCH_SIZE = 50
"""Daemons that are rendered at once: some milliseconds."""

_ORDER = {health: index for index, health in enumerate(Health)}

now = time.time
"""Seconds since the epoch."""


def handler(daemons: Callable[[], Sequence[DaemonState]], frame: Frame) -> Handler:
    """Return the handler of the page."""
    renderer = Renderer()

    async def landing(request: web.Request) -> web.Response:
        return await renderer.response(request, lambda: landing_page(daemons(), frame))

    return landing


async def landing_page(daemons: Sequence[DaemonState], frame: Frame) -> str:
    """Return the page as HTML, as of now; yield to the event loop between batches."""
    moment = now()
    views: list[DaemonView] = []
    for batch in row_batches(daemons, _BATCH_SIZE):
        views += map(daemon_view, batch)
        await yield_to_loop()
    views.sort(key=lambda view: _ORDER[view.health])
    rows: list[Html] = []
    listed = 0
    for view_batch in row_batches(views[:ROWS_LIMIT], _BATCH_SIZE):
        if sum(map(len, rows)) >= SIZE_LIMIT:
            break
        listed += len(view_batch)
        rows.append(ascii_only(join(render_daemon(view, moment) for view in view_batch)))
        await yield_to_loop()
    heads = [element("th", column, scope="col") for column in COLUMNS]
    main = join(
        [
            element("h1", "Daemons"),
            live(
                "div",
                "daemons",
                _summary(views),
                element("table", element("thead", element("tr", *heads)), *rows),
                _not_listed(views[listed:]),
            ),
        ]
    )
    return frame.page("OpenVPN exporter", main, root=ROOT, as_of=moment)


def _summary(views: Sequence[DaemonView]) -> Html:
    """Return the number of daemons, in total and by health, and the number of clients."""
    clients = [view.connected_clients for view in views if view.connected_clients is not None]
    parts = [element("b", _count(len(views), "daemon")), *_count_by_health(views)]
    if clients:
        parts.append(join([element("b", _count(sum(clients), "client")), " connected"]))
    return element("p", join(parts, " · "))


def _count_by_health(views: Iterable[DaemonView]) -> list[Html]:
    counts = Counter(view.health for view in views)
    return [
        element("span", f"{counts[health]:,} {health}", class_=health)
        for health in Health
        if counts[health]
    ]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _not_listed(views: Sequence[DaemonView]) -> Html:
    if not views:
        return Html()
    parts = [f"{len(views):,} more", *_count_by_health(views)]
    return element("p", "Not listed: ", join(parts, ", "), ".")
