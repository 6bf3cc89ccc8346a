"""`/static/…`: the style and the script of the pages.

Their URLs contain a hash of their content, so that a browser may keep them for a year.
"""

import hashlib
from pathlib import Path

import msgspec
from aiohttp import ETag, hdrs, web

PATH = "/static"


class StaticFile(msgspec.Struct, frozen=True):
    """A file; `url` is relative to the root of the exporter."""

    name: str
    content_type: str
    content: bytes
    digest: str

    @property
    def url(self) -> str:
        """The URL under which this content never changes."""
        return f"{PATH[1:]}/{self.name}?{self.digest}"


def _load(name: str, content_type: str) -> StaticFile:
    content = Path(__file__).with_name(name).read_bytes()
    return StaticFile(name, content_type, content, hashlib.sha256(content).hexdigest()[:16])


STYLE = _load("style.css", "text/css")
SCRIPT = _load("live.js", "text/javascript")

_FILES = {file.name: file for file in (STYLE, SCRIPT)}


async def handle(request: web.Request) -> web.Response:
    """Return the file that the path names."""
    file = _FILES.get(request.match_info["file"])
    if file is None:
        raise web.HTTPNotFound
    headers = {hdrs.CACHE_CONTROL: "private, max-age=31536000, immutable"}
    if any(tag.value == file.digest for tag in request.if_none_match or ()):
        response = web.Response(status=304, headers=headers)
    else:
        response = web.Response(
            body=file.content, content_type=file.content_type, charset="utf-8", headers=headers
        )
    response.etag = ETag(file.digest)
    return response
