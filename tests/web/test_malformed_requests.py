"""Malformed and unusual requests to each endpoint: no server error, and no log line."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from exporter.config.schema import ClientsConfig
from exporter.config.target import ReloadDiff
from exporter.metrics.catalogue import FAMILIES
from exporter.metrics.exposition import Exposition
from exporter.metrics.self_metrics import SelfMetrics
from exporter.transport.history import CommandHistory
from exporter.web.auth import PolicyFile, protect
from exporter.web.debug import render_debug
from exporter.web.listener import bind, parse_listen_address, serve
from exporter.web.listener.connection import DEFAULT_HEADERS
from exporter.web.routes import application
from tests.fake_daemon import TEST_TIMEOUT
from tests.metrics.daemons import server
from tests.web.certificates import HASH

PATHS = [
    *("/metrics", "/", "/config", "/sd", "/-/healthy", "/-/ready", "/-/reload", "/nowhere"),
    *("/probe", "/probe?target=office", "/probe?target=office&debug=true"),
]

REQUESTS = {
    "an unknown method": "BREW {path} HTTP/1.1\r\nHost: x\r\n\r\n",
    "CONNECT": "CONNECT example.org:80 HTTP/1.1\r\nHost: x\r\n\r\n",
    "OPTIONS of the server": "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    "TRACE": "TRACE {path} HTTP/1.1\r\nHost: x\r\n\r\n",
    "bytes that are not UTF-8": "GET {path}?name[]=%ff%00 HTTP/1.1\r\nHost: x\r\n\r\n",
    "malformed escapes": "GET {path}%zz?%=%&%u0041 HTTP/1.1\r\nHost: x\r\n\r\n",
    "path traversal": "GET {path}/../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
    "a malformed absolute URL": "GET http://[::1{path} HTTP/1.1\r\nHost: x\r\n\r\n",
    "no Host header": "GET {path} HTTP/1.1\r\n\r\n",
    "a malformed Host header": "GET {path} HTTP/1.1\r\nHost: [::1\r\n\r\n",
    "an upgrade": "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    "an unknown expectation": "GET {path} HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\n\r\n",
    "bad lists": "GET {path} HTTP/1.1\r\nHost: x\r\nAccept: ;q=,;\r\nAccept-Encoding: ;q=x\r\n\r\n",
    "a body": "GET {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody",
    "an incomplete body": "GET {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nbody",
    "bad chunks": "GET {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a malformed cookie": "GET {path} HTTP/1.1\r\nHost: x\r\nCookie: ==;\x7f\r\n\r\n",
    "an infinite scrape timeout": "GET {path} HTTP/1.1\r\nHost: x\r\n"
    "X-Prometheus-Scrape-Timeout-Seconds: 1e999\r\n\r\n",
    "a negative scrape timeout": "GET {path} HTTP/1.1\r\nHost: x\r\n"
    "X-Prometheus-Scrape-Timeout-Seconds: -\xb2\r\n\r\n",
    "markup in the Host header": 'GET {path} HTTP/1.1\r\nHost: <b>"\xff\r\n\r\n',
    "two Host headers": "GET {path} HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    "HTTP/1.0": "GET {path} HTTP/1.0\r\n\r\n",
    "HTTP/0.9": "GET {path}\r\n\r\n",
    "HTTP/9.9": "GET {path} HTTP/9.9\r\nHost: x\r\n\r\n",
}


async def reload() -> ReloadDiff:
    """Reload without changes."""
    return ReloadDiff()


@contextlib.asynccontextmanager
async def served(policy: PolicyFile | None = None) -> AsyncIterator[int]:
    daemons = [server()]
    app = application(
        lambda: daemons,
        Exposition(FAMILIES, SelfMetrics().registry),
        telemetry_path="/metrics",
        reload=reload,
        debug=lambda daemon: render_debug(daemon, CommandHistory(), ClientsConfig(), now=0.0),
    )
    policy = policy or PolicyFile()
    protect(app, policy)
    (address,) = addresses = await bind([parse_listen_address("127.0.0.1:0")])
    port = address.sockets[0].getsockname()[1]
    async with serve(addresses, app, policy):
        yield port


async def head(port: int, request: str) -> list[str]:
    """Return the status line and the headers of the response."""
    async with asyncio.timeout(TEST_TIMEOUT):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request.encode("latin-1"))
        text = await reader.readuntil(b"\r\n\r\n")
    writer.transport.abort()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return text.decode("latin-1").split("\r\n")


async def status(port: int, request: str) -> int:
    return int((await head(port, request))[0].split()[1])


@pytest.mark.parametrize("request_text", REQUESTS.values(), ids=REQUESTS.keys())
async def test_an_unusual_request_is_never_a_server_error(
    request_text: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with served() as port:
        for path in PATHS:
            assert await status(port, request_text.format(path=path)) < 500
    assert caplog.messages == []


@pytest.mark.parametrize("request_text", REQUESTS.values(), ids=REQUESTS.keys())
async def test_every_response_forbids_guessing_caching_and_referrers(request_text: str) -> None:
    async with served() as port:
        for path in PATHS:
            lines = await head(port, request_text.format(path=path))
            for name, value in DEFAULT_HEADERS.items():
                assert [line for line in lines if line.startswith(f"{name}:")] == [
                    f"{name}: {value}"
                ], (path, lines)


async def test_a_response_without_authentication_has_the_same_headers(tmp_path: Path) -> None:
    file = tmp_path / "web.yaml"
    file.write_text(f"basic_auth_users: {{alice: {HASH}}}\n")
    async with served(await asyncio.to_thread(PolicyFile, file)) as port:
        for path in PATHS:
            status_line, *headers = await head(port, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")
            assert status_line.split()[1] == "401"
            assert {f"{name}: {value}" for name, value in DEFAULT_HEADERS.items()} <= {*headers}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
async def test_endpoints_allow_only_get_and_head(method: str) -> None:
    async with served() as port:
        for path in ("/metrics", "/", "/probe", "/sd", "/config", "/-/healthy", "/-/ready"):
            assert await status(port, f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n") == 405


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", 400),
        ("?target", 400),
        ("?target=", 400),
        ("?target=lisbon", 400),
        ("?target=office&target=office", 400),
        ("?target=127.0.0.1:7505", 400),
        ("?target=%2Fetc%2Fpasswd", 400),
        ("?target=%ff%00", 400),
        ("?target=" + "x" * 5000, 400),
        ("?Target=office", 400),
        ("?target=office&debug=maybe&module=icmp", 200),
        ("?target=office&debug=true&debug=%00", 200),
        ("?target=office&name[]=%ff&name[]=", 200),
    ],
)
async def test_a_probe_needs_one_configured_daemon(query: str, expected: int) -> None:
    async with served() as port:
        assert await status(port, f"GET /probe{query} HTTP/1.1\r\nHost: x\r\n\r\n") == expected


@pytest.mark.parametrize(
    ("request_text", "expected"),
    [
        ("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        ("DELETE {path} HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        ("POST {path}?config=/etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", 200),
        ("PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf", 200),
        ("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999\r\n\r\n", 200),
        ("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n", 400),
        ("POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    ],
)
async def test_a_reload_ignores_query_and_body(request_text: str, expected: int) -> None:
    async with served() as port:
        assert await status(port, request_text.format(path="/-/reload")) == expected
