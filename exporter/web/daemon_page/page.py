"""The endpoint `/daemons/NAME`, and the whole page."""

import time
from collections.abc import Callable, Sequence
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler

from exporter.state.daemon import DaemonState
from exporter.web.daemon_page.client_order import ClientQuery, parse_query, select_page
from exporter.web.daemon_page.client_table import render_clients
from exporter.web.daemon_page.facts import (
    ROOT,
    render_facts,
    render_links,
    render_problem,
    render_states,
)
from exporter.web.docs import library
from exporter.web.pages.frame import Frame, html_response, live
from exporter.web.pages.html import element, join
from exporter.web.pages.rendering import Renderer
from exporter.web.view.clients import client_batches, clients_note
from exporter.web.view.daemon import daemon_view, state_history

_STEPS = library.sections("troubleshooting")
"""What to do, by `DownReason`."""

now = time.time
"""Seconds since the epoch."""


def handler(daemons: Callable[[], Sequence[DaemonState]], frame: Frame) -> Handler:
    """Return the handler of the pages of all daemons."""
    renderer = Renderer()

    async def show_daemon(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        daemon = next((daemon for daemon in daemons() if daemon.name == name), None)
        if daemon is None:
            return html_response(request, _unknown(frame), status=HTTPStatus.NOT_FOUND)
        query = parse_query(dict(request.query.items()))  # the last one of each name
        return await renderer.response(request, lambda: daemon_page(daemon, query, frame))

    return show_daemon


async def daemon_page(daemon: DaemonState, query: ClientQuery, frame: Frame) -> str:
    """Return the page as HTML, as of now; yield to the event loop between batches of clients."""
    moment = now()
    view = daemon_view(daemon)
    sections = [
        element("h1", element("bdi", view.name)),
        live("div", "problem", render_problem(view, _STEPS)),
        live("div", "facts", render_facts(view, moment)),
        render_links(view.name),
    ]
    if not daemon.modes.is_tunnel:
        clients = await select_page(client_batches(daemon), query)
        note = clients_note(daemon)
        sections.append(await render_clients(clients, query, moment, note=note))
    sections.append(live("div", "states", render_states(state_history(daemon), moment)))
    return frame.page(view.name, join(sections), root=ROOT, as_of=moment)


def _unknown(frame: Frame) -> str:
    main = join(
        [
            element("h1", "Unknown daemon"),
            element("p", element("a", "All daemons", href=ROOT)),
        ]
    )
    return frame.page("Unknown daemon", main, root=ROOT)
