"""`/api/v1/daemons` and `/api/v1/daemons/NAME`: what the pages show, as JSON.

Within version 1, fields may be added; none is removed, renamed or given another meaning. The values
are those of `exporter.web.view`. A response is sent in batches, so that ten thousand clients
neither hold the event loop nor are in memory twice.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus

import msgspec
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from exporter.aio import yield_to_loop
from exporter.management.batches import row_batches
from exporter.state.daemon import DaemonState
from exporter.web.metrics import accepts_gzip
from exporter.web.view.clients import client_batches
from exporter.web.view.daemon import daemon_view, state_history

_BATCH_SIZE = 100
"""Daemons that are encoded at once."""

_encode = msgspec.json.encode

now = time.time
"""Seconds since the epoch."""


def list_handler(daemons: Callable[[], Sequence[DaemonState]]) -> Handler:
    """Return the handler of the list of daemons."""
    turn = asyncio.Lock()

    async def list_daemons(request: web.Request) -> web.Response:
        return _response(request, turn, {}, daemons=_daemon_batches(daemons()))

    return list_daemons


def daemon_handler(daemons: Callable[[], Sequence[DaemonState]]) -> Handler:
    """Return the handler of one daemon with its states and clients."""
    turn = asyncio.Lock()

    async def show_daemon(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        daemon = next((daemon for daemon in daemons() if daemon.name == name), None)
        if daemon is None:
            error = {"error": "unknown daemon; /api/v1/daemons lists the daemons"}
            return web.json_response(error, status=HTTPStatus.NOT_FOUND)
        head = {"daemon": daemon_view(daemon), "states": state_history(daemon)}
        return _response(request, turn, head, clients=client_batches(daemon))

    return show_daemon


def _daemon_batches(daemons: Sequence[DaemonState]) -> Iterator[Sequence[object]]:
    return (list(map(daemon_view, batch)) for batch in row_batches(daemons, _BATCH_SIZE))


def _response(
    request: web.Request,
    turn: asyncio.Lock,
    head: dict[str, object],
    **lists: Iterable[Sequence[object]],
) -> web.Response:
    """Return an object: the time, the fields of `head`, and lists of the items in their batches.

    The responses with the same `turn` have one place among those that wait for the event loop.
    """
    body = _chunks(turn, head, lists)
    response = web.Response(body=body, content_type="application/json")
    if accepts_gzip(request.headers.get(hdrs.ACCEPT_ENCODING, "")):
        response.enable_compression(web.ContentCoding.gzip)
    return response


async def _chunks(
    turn: asyncio.Lock, head: dict[str, object], lists: Mapping[str, Iterable[Sequence[object]]]
) -> AsyncIterator[bytes]:
    yield _encode({"time": now(), **head})[:-1]
    for name, batches in lists.items():
        yield b"," + _encode(name) + b":["
        separator = b"\n"
        for batch in batches:
            if batch:
                yield separator + _encode(batch)[1:-1]
                separator = b",\n"
            async with turn:
                await yield_to_loop()
        yield b"\n]"
    yield b"}\n"
