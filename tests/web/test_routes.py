import gzip
import re
from collections.abc import Awaitable, Callable, Sequence
from html import unescape

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from msgspec import structs
from yarl import URL

from exporter.metrics.catalogue import FAMILIES
from exporter.metrics.exposition import Exposition
from exporter.metrics.self_metrics import SelfMetrics
from exporter.state.daemon import DaemonState
from exporter.web.health import Unready
from exporter.web.metrics import Refresh, no_refresh
from exporter.web.pages.static import SCRIPT, STYLE
from exporter.web.routes import application, check_telemetry_path
from tests.metrics.daemons import (
    OFFICE_CLIENT,
    new_daemon,
    poll,
    server,
    server_status,
    start_session,
    take_down,
)
from tests.metrics.parsing import OPENMETRICS, all_series, parse

Client = TestClient[web.Request, web.Application]
Serve = Callable[..., Awaitable[Client]]


@pytest.fixture
def serve(aiohttp_client: Callable[..., Awaitable[Client]]) -> Serve:
    async def serve(
        daemons: Sequence[DaemonState] = (),
        *,
        telemetry_path: str = "/metrics",
        refresh: Refresh = no_refresh,
        unready: Unready = lambda: None,
    ) -> Client:
        exposition = Exposition(FAMILIES, SelfMetrics().registry)
        return await aiohttp_client(
            application(
                lambda: daemons,
                exposition,
                telemetry_path=telemetry_path,
                refresh=refresh,
                unready=unready,
            ),
            auto_decompress=False,
            skip_auto_headers=["Accept-Encoding"],
        )

    return serve


class TestMetrics:
    async def test_are_plain_text_by_default(self, serve: Serve) -> None:
        client = await serve([server()])
        response = await client.get("/metrics")
        assert response.status == 200
        assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        names = {s.name for s in all_series(parse(await response.read(), "text/plain"))}
        assert {"openvpn_up", "openvpn_exporter_build_info", "process_open_fds"} <= names

    async def test_are_openmetrics_if_the_request_accepts_it(self, serve: Serve) -> None:
        client = await serve([server()])
        response = await client.get("/metrics", headers={"Accept": OPENMETRICS})
        kind = response.headers["Content-Type"]
        assert kind.startswith("application/openmetrics-text; version=1.0.0")
        assert parse(await response.read(), kind)

    async def test_accept_may_be_spread_over_several_headers(self, serve: Serve) -> None:
        client = await serve([server()])
        headers = [("Accept", "text/html"), ("Accept", OPENMETRICS)]
        response = await client.get("/metrics", headers=headers)
        assert response.headers["Content-Type"].startswith("application/openmetrics-text")

    @pytest.mark.parametrize(
        "accept",
        [
            "application/openmetrics-text; version=foo",
            'application/openmetrics-text; version="1"',
            "application/openmetrics-text; version=99",
            ";;;",
            "\u00ff\u00fe",
            ",",
        ],
    )
    async def test_are_plain_text_if_the_accept_header_is_malformed(
        self, serve: Serve, accept: str
    ) -> None:
        client = await serve([server()])
        response = await client.get("/metrics", headers={"Accept": accept})
        assert response.status == 200
        assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"

    async def test_can_be_restricted_by_name(self, serve: Serve) -> None:
        client = await serve([server()])
        names = [("name[]", "openvpn_up"), ("name[]", "openvpn_state"), ("name[]", "none")]
        body = await (await client.get("/metrics", params=names)).read()
        assert {s.name for s in all_series(parse(body, ""))} == {"openvpn_up", "openvpn_state"}

    async def test_show_the_state_at_the_time_of_the_scrape(self, serve: Serve) -> None:
        daemon = new_daemon()
        client = await serve([daemon])
        assert b'openvpn_up{daemon="office"} 0' in await (await client.get("/metrics")).read()
        start_session(daemon)
        poll(daemon, server_status([OFFICE_CLIENT]))
        assert b'openvpn_up{daemon="office"} 1' in await (await client.get("/metrics")).read()

    async def test_are_those_of_the_poll_that_the_scrape_waited_for(self, serve: Serve) -> None:
        daemon = server()
        waited = []

        async def refresh(daemons: Sequence[DaemonState], max_wait: float) -> None:
            waited.append((daemons, max_wait))
            poll(daemon, server_status([OFFICE_CLIENT]))

        client = await serve([daemon], refresh=refresh)
        polls = daemon.polls
        headers = {"X-Prometheus-Scrape-Timeout-Seconds": "3"}
        body = await (await client.get("/metrics", headers=headers)).text()
        assert f'openvpn_exporter_polls_total{{daemon="office"}} {polls + 1}\n' in body
        assert waited == [([daemon], 2.5)]

    async def test_can_be_served_at_another_path(self, serve: Serve) -> None:
        client = await serve([server()], telemetry_path="/some/where")
        assert (await client.get("/some/where")).status == 200
        assert (await client.get("/metrics")).status == 404

    async def test_can_replace_the_landing_page(self, serve: Serve) -> None:
        client = await serve([server()], telemetry_path="/")
        assert b"openvpn_up" in await (await client.get("/")).read()


class TestGzip:
    async def test_compresses_the_same_page(self, serve: Serve) -> None:
        client = await serve([server()])
        only = {"name[]": "openvpn_server_client_info"}
        plain = await client.get("/metrics", params=only, headers={"Accept-Encoding": "identity"})
        compressed = await client.get("/metrics", params=only, headers={"Accept-Encoding": "gzip"})
        assert compressed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(await compressed.read()) == await plain.read()

    @pytest.mark.parametrize("encoding", ["identity", "gzip;q=0", "deflate", ""])
    async def test_is_used_only_if_the_request_accepts_it(
        self, serve: Serve, encoding: str
    ) -> None:
        client = await serve([server()])
        response = await client.get("/metrics", headers={"Accept-Encoding": encoding})
        assert "Content-Encoding" not in response.headers
        assert b"openvpn_up" in await response.read()

    async def test_compresses_a_page_of_megabytes(self, serve: Serve) -> None:
        many = [
            structs.replace(OFFICE_CLIENT, client_id=number, common_name=f"{number:0128}")
            for number in range(2000)
        ]
        client = await serve([server("office", many)])
        response = await client.get("/metrics", headers={"Accept-Encoding": "gzip"})
        body = gzip.decompress(await response.read())
        assert len(body) > 2**20
        assert parse(body, "")


PATHS = ["/metrics", "/", "/-/healthy", "/-/ready"]


class TestOtherRequests:
    @pytest.mark.parametrize("path", [*PATHS, "/daemons/office", "/api/v1/daemons", "/docs/"])
    async def test_head_has_the_headers_and_no_body(self, serve: Serve, path: str) -> None:
        client = await serve([server()])
        head, get = await client.head(path), await client.get(path)
        assert head.status == 200
        assert head.headers["Content-Type"] == get.headers["Content-Type"]
        assert await head.read() == b""

    @pytest.mark.parametrize("path", PATHS)
    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
    async def test_only_get_and_head_are_allowed(
        self, serve: Serve, path: str, method: str
    ) -> None:
        client = await serve([server()])
        assert (await client.request(method, path)).status == 405

    @pytest.mark.parametrize(
        "path", ["/metric", "/metrics/", "/metrics/..%2f", "/-/", "/-/reload", "/favicon.ico"]
    )
    async def test_unknown_paths_are_404(self, serve: Serve, path: str) -> None:
        client = await serve([server()])
        assert (await client.get(path)).status == 404

    @pytest.mark.parametrize("path", ["/-/healthy", "/-/ready"])
    async def test_health_does_not_depend_on_daemons(self, serve: Serve, path: str) -> None:
        client = await serve([new_daemon()])
        response = await client.get(path)
        assert (response.status, response.content_type) == (200, "text/plain")

    async def test_not_ready_is_503_with_the_reason(self, serve: Serve) -> None:
        client = await serve([new_daemon()], unready=lambda: "a monitor has stopped")
        response = await client.get("/-/ready")
        assert (response.status, await response.text()) == (
            503,
            "Not ready: a monitor has stopped.\n",
        )


PAGES = ["/", "/daemons/office", "/docs/", "/docs/troubleshooting"]


class TestPages:
    @pytest.mark.parametrize("path", PAGES)
    async def test_are_html_that_loads_and_runs_only_files_of_the_exporter(
        self, serve: Serve, path: str
    ) -> None:
        client = await serve([server()])
        response = await client.get(path)
        assert response.status == 200
        assert response.headers["Content-Type"] == "text/html; charset=utf-8"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        policy = dict(
            rule.split(" ", 1) for rule in response.headers["Content-Security-Policy"].split("; ")
        )
        assert policy == {
            "default-src": "'none'",
            "style-src": "'self'",
            "script-src": "'self'",
            "connect-src": "'self'",
            "form-action": "'self'",
            "img-src": "data:",
            "base-uri": "'none'",
            "frame-ancestors": "'none'",
        }

    async def test_link_to_the_metrics(self, serve: Serve) -> None:
        client = await serve([server()], telemetry_path="/elsewhere")
        assert 'href="./elsewhere"' in await (await client.get("/")).text()
        assert 'href="../elsewhere"' in await (await client.get("/daemons/office")).text()

    @pytest.mark.parametrize("path", PAGES)
    async def test_have_no_dead_link(self, serve: Serve, path: str) -> None:
        down = server("site a/b")
        take_down(down)
        client = await serve([server(), down])
        text = await (await client.get(path)).text()
        found = {unescape(link) for link in re.findall(r'(?:href|src)="([^"]*)"', text)}
        own = {URL(link, encoded=True) for link in found if not re.match("[a-z]+:", link)}
        links = {URL(path).join(link) for link in own}
        assert {"/", "/metrics", "/config", "/sd", "/-/ready", "/docs/"} <= {
            link.path for link in links
        }
        assert [str(link) for link in links if (await client.get(link)).status != 200] == []

    @pytest.mark.parametrize("path", PAGES)
    async def test_are_compressed_if_the_request_accepts_it(self, serve: Serve, path: str) -> None:
        client = await serve([server()])
        response = await client.get(path, headers={"Accept-Encoding": "gzip"})
        assert b"OpenVPN" in gzip.decompress(await response.read())

    @pytest.mark.parametrize("path", ["/daemons/other", "/daemons/", "/docs/other", "/static/x"])
    async def test_unknown_pages_are_404(self, serve: Serve, path: str) -> None:
        client = await serve([server()])
        assert (await client.get(path)).status == 404

    async def test_the_documentation_has_a_slash(self, serve: Serve) -> None:
        client = await serve([])
        response = await client.get("/docs", allow_redirects=False)
        assert (response.status, response.headers["Location"]) == (308, "docs/")

    async def test_their_files_are_kept_until_they_change(self, serve: Serve) -> None:
        client = await serve([])
        for file in (STYLE, SCRIPT):
            response = await client.get(f"/{file.url}")
            assert await response.read() == file.content
            assert response.content_type == file.content_type
            assert response.headers["Cache-Control"] == "private, max-age=31536000, immutable"
            tag = {"If-None-Match": response.headers["ETag"]}
            assert (await client.get(f"/{file.url}", headers=tag)).status == 304


class TestTelemetryPath:
    @pytest.mark.parametrize("path", ["/", "/metrics", "/a/b-c/d_e.f~g", "/v1.0"])
    def test_has_plain_segments(self, path: str) -> None:
        assert check_telemetry_path(path) == path

    @pytest.mark.parametrize(
        "path",
        [
            "",
            "metrics",
            "//",
            "/metrics/",
            "/{x}",
            "/a b",
            "/a?b",
            "/a#b",
            "/%41",
            "/..",
            "/a/../b",
            "/metrics\n",
            "//example.org/x",
            "/-/healthy",
            "/-/x",
        ],
    )
    def test_has_no_character_with_another_meaning_and_is_not_reserved(self, path: str) -> None:
        with pytest.raises(ValueError, match="such as /metrics"):
            check_telemetry_path(path)
