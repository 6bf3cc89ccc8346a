"""`/probe?target=NAME`: one daemon alone, polled now.

Only configured names, never an address: whoever reaches this port must not make the exporter
connect to anything else.
"""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler

from exporter.metrics.exposition import Exposition
from exporter.state.daemon import DaemonState
from exporter.web.metrics import page_response
from exporter.web.scrape_timeout import Refresh, scrape_timeout

Debug = Callable[[DaemonState], str]
"""Tells what was said between the exporter and a daemon, without secrets."""

_HINT = "/sd lists the daemons that are watched"


def handler(
    records: Callable[[], Sequence[DaemonState]],
    exposition: Exposition,
    *,
    poll: Refresh,
    debug: Debug,
) -> Handler:
    """Return the handler; `poll` polls a daemon whatever the configuration says of scrapes."""

    async def probe(request: web.Request) -> web.Response:
        record = _target(request, {record.name: record for record in records()})
        if request.query.get("debug") == "true":
            await poll([record], scrape_timeout(request))
            return web.Response(text=debug(record))
        return await page_response(request, [record], exposition, refresh=poll, own=False)

    return probe


def _target(request: web.Request, records: Mapping[str, DaemonState]) -> DaemonState:
    names = request.query.getall("target", [])
    if len(names) != 1:
        raise _refusal(f"name one daemon, as in /probe?target=NAME; {_HINT}")
    if names[0] not in records:
        raise _refusal(f"no daemon of this name is watched; {_HINT}")
    return records[names[0]]


def _refusal(sentence: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(
        text=f"{HTTPStatus.BAD_REQUEST.phrase}: {sentence}.\n", content_type="text/plain"
    )
