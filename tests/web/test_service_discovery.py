from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from exporter.metrics.catalogue import FAMILIES
from exporter.metrics.exposition import Exposition
from exporter.metrics.self_metrics import SelfMetrics
from exporter.web.routes import application
from exporter.web.service_discovery import ExternalUrl, parse_external_url
from tests.metrics.daemons import new_daemon

Client = TestClient[web.Request, web.Application]
Serve = Callable[..., Awaitable[Client]]


@pytest.fixture
def serve(aiohttp_client: Callable[..., Awaitable[Client]]) -> Serve:
    async def serve(*names: str, external_url: ExternalUrl | None = None) -> Client:
        return await aiohttp_client(
            application(
                lambda: [new_daemon(name) for name in names],
                Exposition(FAMILIES, SelfMetrics().registry),
                telemetry_path="/metrics",
                external_url=external_url,
            )
        )

    return serve


async def test_each_daemon_is_a_target_at_the_host_of_the_request(serve: Serve) -> None:
    answer = await (await serve("office", "branch")).get("/sd", headers={"Host": "vpn:9176"})
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert await answer.json() == [
        {
            "targets": ["vpn:9176"],
            "labels": {
                "__scheme__": "http",
                "__metrics_path__": "/probe",
                "__param_target": name,
                "daemon": name,
            },
        }
        for name in ("office", "branch")
    ]


async def test_the_external_url_replaces_the_host_of_the_request(serve: Serve) -> None:
    external = parse_external_url("https://example.org/vpn/")
    client = await serve("office", external_url=external)
    (group,) = await (await client.get("/sd", headers={"Host": "inside:1"})).json()
    assert group["targets"] == ["example.org"]
    assert group["labels"]["__scheme__"] == "https"
    assert group["labels"]["__metrics_path__"] == "/vpn/probe"


async def test_without_daemons_the_list_is_empty(serve: Serve) -> None:
    assert await (await (await serve()).get("/sd")).json() == []


@pytest.mark.parametrize("host", ["", "a b", "a/b", 'x"y', "user@host", "vpn:port"])
async def test_an_invalid_host_header_is_refused(serve: Serve, host: str) -> None:
    answer = await (await serve("office")).get("/sd", headers={"Host": host})
    assert answer.status == 400
    assert "--web.external-url" in await answer.text()


@pytest.mark.parametrize(
    ("text", "external"),
    [
        ("http://vpn:9176", ExternalUrl("http", "vpn:9176", "")),
        ("https://[::1]:9176/", ExternalUrl("https", "[::1]:9176", "")),
        ("http://example.org/a/b", ExternalUrl("http", "example.org", "/a/b")),
    ],
)
def test_an_external_url_has_scheme_host_and_path(text: str, external: ExternalUrl) -> None:
    assert parse_external_url(text) == external


@pytest.mark.parametrize(
    "text", ["", "vpn:9176", "ftp://vpn", "http://", "http://a/?b", "http://a b"]
)
def test_any_other_external_url_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="such as https://"):
        parse_external_url(text)
