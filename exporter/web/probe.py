"""`/probe?target=NAME`: one daemon alone, polled now.

The target is a configured name, never an address: a request must not make the exporter connect to
anything else.
"""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler

from exporter.metrics.exposition import Exposition
from exporter.state.daemon import DaemonState
from exporter.web.metrics import Refresh, page_response, scrape_timeout

Debug = Callable[[DaemonState], str]
"""Returns the last commands and replies of a daemon's session as text, without secrets."""

_HINT = "/sd lists the daemons"


def handler(
    daemons: Callable[[], Sequence[DaemonState]],
    exposition: Exposition,
    *,
    poll: Refresh,
    debug: Debug,
) -> Handler:
    """Return the handler; `poll` polls a daemon whether or not scrapes of `/metrics` do."""

    async def probe(request: web.Request) -> web.Response:
        daemon = _target(request, {daemon.name: daemon for daemon in daemons()})
        if request.query.get("debug") == "true":
            await poll([daemon], scrape_timeout(request))
            return web.Response(text=debug(daemon))
        return await page_response(request, [daemon], exposition, refresh=poll, include_self=False)

    return probe


def _target(request: web.Request, daemons: Mapping[str, DaemonState]) -> DaemonState:
    names = request.query.getall("target", [])
    if len(names) != 1:
        raise _bad_request(f"exactly one target is required, as in /probe?target=NAME; {_HINT}")
    if names[0] not in daemons:
        raise _bad_request(f"unknown target; {_HINT}")
    return daemons[names[0]]


def _bad_request(sentence: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(
        text=f"{HTTPStatus.BAD_REQUEST.phrase}: {sentence}.\n", content_type="text/plain"
    )
