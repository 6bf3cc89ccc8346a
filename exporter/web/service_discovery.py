"""`/sd`: the daemons for Prometheus' HTTP service discovery, each a target of its own."""

import re
from collections.abc import Callable, Sequence
from http import HTTPStatus

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from exporter.state.daemon import DaemonState

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,253})(:[0-9]{1,5})?")
_URL = re.compile(
    rf"(?P<scheme>https?)://(?P<host>{_HOST.pattern})(?P<path>(/[A-Za-z0-9._~-]+)*)/?"
)


class ExternalUrl(msgspec.Struct, frozen=True):
    """Where Prometheus finds this exporter: behind a proxy, that is elsewhere than here.

    `path` is what stands before the paths served here, "" or such as `/openvpn`.
    """

    scheme: str
    host: str
    path: str


def parse_external_url(text: str) -> ExternalUrl:
    """Read `http://vpn.example.org:9176` or `https://example.org/openvpn`.

    Raises:
        ValueError: anything else; the text says how to write it.
    """
    match = _URL.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no such URL; write one such as https://vpn.example.org:9176")
    return ExternalUrl(match["scheme"], match["host"], match["path"])


def handler(records: Callable[[], Sequence[DaemonState]], external: ExternalUrl | None) -> Handler:
    """Return the handler; without an external URL, the exporter is where the request went."""

    async def discover(request: web.Request) -> web.Response:
        place = external or _asked(request)
        groups = [_group(place, record.name) for record in records()]
        return web.json_response(groups)

    return discover


def _asked(request: web.Request) -> ExternalUrl:
    host = request.headers.get("Host", "")
    if _HOST.fullmatch(host) is None:
        raise web.HTTPBadRequest(
            text=f"{HTTPStatus.BAD_REQUEST.phrase}: the header Host says no address; send one, or "
            "start the exporter with --web.external-url.\n",
            content_type="text/plain",
        )
    return ExternalUrl(request.scheme, host, "")


def _group(place: ExternalUrl, name: str) -> dict[str, object]:
    return {
        "targets": [place.host],
        "labels": {
            "__scheme__": place.scheme,
            "__metrics_path__": f"{place.path}/probe",
            "__param_target": name,
            "daemon": name,
        },
    }
