"""`python -m bench.baseline PORT [FILE]`: a plain aiohttp server to compare with.

The server answers `/metrics` with the bytes of a file, by default with a short text.
"""

import sys
from pathlib import Path

from aiohttp import web

_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def main(port: str, file: str | None = None) -> None:
    """Serve until SIGTERM."""
    body = Path(file).read_bytes() if file else b"Hello.\n"

    async def page(_: web.Request) -> web.Response:
        return web.Response(body=body, headers={"Content-Type": _CONTENT_TYPE})

    application = web.Application()
    application.router.add_get("/metrics", page)
    web.run_app(application, host="127.0.0.1", port=int(port), access_log=None, print=None)


if __name__ == "__main__":
    main(*sys.argv[1:])
