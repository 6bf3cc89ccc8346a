"""The page at `/`: which daemons are watched, and how they are. Static, no script."""

import html
from collections.abc import Callable, Sequence

from aiohttp import web
from aiohttp.typedefs import Handler

from exporter import __version__
from exporter.daemon.record import Record
from exporter.management.status import ServerStatus

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>OpenVPN exporter</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1rem/1.5 system-ui, sans-serif; }}
body {{ margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ border-bottom: 1px solid #8886; overflow-wrap: anywhere; padding: .4rem .6rem; }}
th {{ text-align: left; }}
td.number, th.number {{ text-align: right; }}
</style>
</head>
<body>
<h1>OpenVPN exporter</h1>
<p>Prometheus metrics of OpenVPN daemons, version {version}.
<a href="{telemetry_path}">Metrics</a></p>
<table>
<thead><tr><th>Daemon</th><th>State</th><th class="number">Clients</th><th>Version</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
</body>
</html>
"""


# The page needs neither script nor frame nor anything from elsewhere.
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
}


def handler(records: Callable[[], Sequence[Record]], telemetry_path: str) -> Handler:
    """Return the handler of the page."""

    async def landing(_: web.Request) -> web.Response:
        page = landing_page(records(), telemetry_path)
        return web.Response(text=page, content_type="text/html", headers=_HEADERS)

    return landing


def landing_page(records: Sequence[Record], telemetry_path: str) -> str:
    """Return the page as HTML; every text in it is escaped."""
    return _PAGE.format(
        version=html.escape(__version__),
        telemetry_path=html.escape(telemetry_path),
        rows="\n".join(_row(record) for record in records),
    )


def _row(record: Record) -> str:
    clients = len(record.status.clients) if isinstance(record.status, ServerStatus) else ""
    version = record.introduction.version.version if record.introduction else ""
    return (
        f"<tr><td>{html.escape(record.name)}</td><td>{html.escape(_state(record))}</td>"
        f'<td class="number">{clients}</td><td>{html.escape(version)}</td></tr>'
    )


def _state(record: Record) -> str:
    if record.management_up:
        return record.state.name.value if record.state else "up"
    if record.down_reason is None:
        return "not reached yet"
    return f"down ({record.down_reason.value}): {record.down_message}"
