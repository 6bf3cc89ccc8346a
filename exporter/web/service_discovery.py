"""`/sd`: one target for each daemon, for Prometheus' HTTP service discovery."""

import re
from collections.abc import Callable, Sequence
from http import HTTPStatus

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from exporter.secret import without_credentials
from exporter.state.daemon import DaemonState

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,253})(:[0-9]{1,5})?")
_URL = re.compile(
    rf"(?P<scheme>https?)://(?P<host>{_HOST.pattern})(?P<path>(/[A-Za-z0-9._~-]+)*)/?"
)


class ExternalUrl(msgspec.Struct, frozen=True):
    """The URL of this exporter for Prometheus: behind a proxy it differs from the listen address.

    `path` is the prefix of the paths served here: "", or such as `/openvpn`.
    """

    scheme: str
    host: str
    path: str


def parse_external_url(text: str) -> ExternalUrl:
    """Parse `http://vpn.example.org:9176` or `https://example.org/openvpn`.

    Raises:
        ValueError: anything else; the text says how to write it.
    """
    match = _URL.fullmatch(text)
    if match is None:
        shown = without_credentials(text)
        raise ValueError(
            f"{shown!r} is not a valid URL; write one such as https://vpn.example.org:9176"
        )
    return ExternalUrl(match["scheme"], match["host"], match["path"])


def handler(
    daemons: Callable[[], Sequence[DaemonState]], external_url: ExternalUrl | None
) -> Handler:
    """Return the handler; without an external URL, the targets have the URL of the request."""

    async def discover(request: web.Request) -> web.Response:
        base_url = external_url or _request_url(request)
        groups = [_target_group(base_url, daemon.name) for daemon in daemons()]
        # In an eighth of the time of `json_response`: thousands of daemons have half a megabyte.
        return web.Response(
            body=msgspec.json.encode(groups), content_type="application/json", charset="utf-8"
        )

    return discover


def _request_url(request: web.Request) -> ExternalUrl:
    host = request.headers.get("Host", "")
    if _HOST.fullmatch(host) is None:
        raise web.HTTPBadRequest(
            text=f"{HTTPStatus.BAD_REQUEST.phrase}: the Host header is invalid; correct it, or "
            "start the exporter with --web.external-url.\n",
            content_type="text/plain",
        )
    return ExternalUrl(request.scheme, host, "")


def _target_group(base_url: ExternalUrl, name: str) -> dict[str, object]:
    return {
        "targets": [base_url.host],
        "labels": {
            "__scheme__": base_url.scheme,
            "__metrics_path__": f"{base_url.path}/probe",
            "__param_target": name,
            "daemon": name,
        },
    }
