import gzip
import re
from collections.abc import Awaitable, Callable, Sequence

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from msgspec import structs

from exporter.metrics.catalogue import FAMILIES
from exporter.metrics.exposition import Exposition
from exporter.metrics.self_metrics import SelfMetrics
from exporter.state.daemon import DaemonState
from exporter.web.health import Unready
from exporter.web.metrics import Refresh, no_refresh
from exporter.web.routes import application, check_telemetry_path
from tests.metrics.daemons import (
    OFFICE_CLIENT,
    new_daemon,
    poll,
    server,
    server_status,
    start_session,
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


class TestOtherRequests:
    @pytest.mark.parametrize("path", ["/metrics", "/", "/-/healthy", "/-/ready"])
    async def test_head_has_the_headers_and_no_body(self, serve: Serve, path: str) -> None:
        client = await serve([server()])
        head, get = await client.head(path), await client.get(path)
        assert head.status == 200
        assert head.headers["Content-Type"] == get.headers["Content-Type"]
        assert await head.read() == b""

    @pytest.mark.parametrize("path", ["/metrics", "/", "/-/healthy", "/-/ready"])
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


class TestLandingPage:
    async def test_is_html_that_may_load_and_run_nothing(self, serve: Serve) -> None:
        client = await serve([server()])
        response = await client.get("/")
        assert response.headers["Content-Type"] == "text/html; charset=utf-8"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        policy = response.headers["Content-Security-Policy"].split("; ")
        assert {"default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"} <= set(policy)
        assert not [rule for rule in policy if rule.startswith("script-src")]

    async def test_links_to_the_metrics(self, serve: Serve) -> None:
        client = await serve([server()], telemetry_path="/elsewhere")
        assert 'href="./elsewhere"' in await (await client.get("/")).text()

    async def test_has_no_dead_link(self, serve: Serve) -> None:
        client = await serve([server()])
        links = re.findall(r'<a href="\.(.*?)"', await (await client.get("/")).text())
        assert {"/metrics", "/config", "/sd", "/-/healthy", "/probe?target=office"} <= set(links)
        assert [link for link in links if (await client.get(link)).status != 200] == []

    async def test_is_compressed_if_the_request_accepts_it(self, serve: Serve) -> None:
        client = await serve([server()])
        response = await client.get("/", headers={"Accept-Encoding": "gzip"})
        assert b"office" in gzip.decompress(await response.read())

    async def test_escapes_the_name_of_a_daemon(self, serve: Serve) -> None:
        client = await serve([new_daemon("<script>alert(1)</script>")])
        text = await (await client.get("/")).text()
        assert "<script" not in text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


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
