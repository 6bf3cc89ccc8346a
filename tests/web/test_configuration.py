import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from aiohttp.typedefs import Handler

from exporter.config import ConfigError, Problem
from exporter.config.target import ReloadDiff
from exporter.metrics.catalogue import FAMILIES
from exporter.metrics.exposition import Exposition
from exporter.metrics.self_metrics import SelfMetrics
from exporter.web.configuration import MAX_PENDING, Reload, config_handler
from exporter.web.routes import application
from tests.fake_daemon import TEST_TIMEOUT

Client = TestClient[web.Request, web.Application]
Serve = Callable[[Reload], Awaitable[Client]]
REQUESTS = 3


class BlockedRenderer:
    """Renders the configuration once it is released; records its threads."""

    def __init__(self) -> None:
        self.threads: list[int] = []
        self.released = threading.Event()

    def __call__(self) -> str:
        self.threads.append(threading.get_ident())
        assert self.released.wait(TEST_TIMEOUT)
        return "daemons: []\n"


async def test_concurrent_requests_share_one_rendering_in_a_thread(
    aiohttp_client: Callable[..., Awaitable[Client]],
) -> None:
    render, arrived = BlockedRenderer(), asyncio.Semaphore(0)

    @web.middleware
    async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
        arrived.release()
        return await handler(request)

    application = web.Application(middlewares=[count])
    application.router.add_get("/config", config_handler(render))
    client = await aiohttp_client(application)
    pending = [asyncio.create_task(client.get("/config")) for _ in range(REQUESTS)]
    async with asyncio.timeout(TEST_TIMEOUT):
        for _ in range(REQUESTS):
            await arrived.acquire()
    render.released.set()
    answers = [await response.text() for response in await asyncio.gather(*pending)]
    assert answers == ["daemons: []\n"] * REQUESTS
    assert len(render.threads) == 1
    assert threading.get_ident() not in render.threads


@pytest.fixture
def serve(aiohttp_client: Callable[..., Awaitable[Client]]) -> Serve:
    async def serve(reload: Reload) -> Client:
        exposition = Exposition(FAMILIES, SelfMetrics().registry)
        return await aiohttp_client(
            application(lambda: (), exposition, telemetry_path="/metrics", reload=reload)
        )

    return serve


async def succeed() -> ReloadDiff:
    return ReloadDiff(added=("office",))


async def fail() -> ReloadDiff:
    raise ConfigError(
        (
            Problem(source="c.yaml", text="is wrong", line=3),
            Problem(source="c.yaml", text="is worse", line=4),
        )
    )


async def must_not_reload() -> ReloadDiff:
    raise AssertionError("reloaded by GET")


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_a_reload_returns_the_changes(serve: Serve, method: str) -> None:
    answer = await (await serve(succeed)).request(method, "/-/reload")
    assert answer.status == 200
    assert "1 added" in await answer.text()


async def test_a_failed_reload_returns_every_problem(serve: Serve) -> None:
    answer = await (await serve(fail)).post("/-/reload")
    assert (answer.status, answer.content_type) == (500, "text/plain")
    assert (await answer.text()).splitlines()[1:] == ["c.yaml:3: is wrong", "c.yaml:4: is worse"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
async def test_only_post_and_put_reload(serve: Serve, method: str) -> None:
    answer = await (await serve(must_not_reload)).request(method, "/-/reload")
    assert answer.status == 405
    assert answer.headers["Allow"] == "POST,PUT"


SAME_SITE = [
    {},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Host": "vpn.example.org:9176", "Origin": "http://vpn.example.org:9176"},
    {"Host": "VPN.example.org", "Origin": "http://vpn.example.org"},
    {"Host": "vpn.example.org:443", "Origin": "https://vpn.example.org"},
    {"Host": "vpn.example.org", "Origin": "https://vpn.example.org", "Sec-Fetch-Site": "none"},
    {"Host": "[::1]:9176", "Origin": "http://[::1]:9176"},
]
CROSS_SITE = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://[::1"},
    {"Host": "[::1", "Origin": "http://vpn.example.org"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "anything"},
    {"Host": "vpn.example.org:9176", "Origin": "http://vpn.example.org"},
    {"Host": "vpn.example.org", "Origin": "http://vpn.example.org:9176"},
    {"Host": "vpn.example.org", "Origin": "http://vpn.example.org.evil.example"},
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
    {
        "Host": "vpn.example.org",
        "Origin": "http://vpn.example.org",
        "Sec-Fetch-Site": "cross-site",
    },
]


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("headers", SAME_SITE)
async def test_a_request_of_a_program_or_of_the_same_site_reloads(
    serve: Serve, headers: dict[str, str], method: str
) -> None:
    client = await serve(succeed)
    assert (await client.request(method, "/-/reload", headers=headers)).status == 200


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("headers", CROSS_SITE)
async def test_a_request_of_another_site_does_not_reload(
    serve: Serve, headers: dict[str, str], method: str
) -> None:
    client = await serve(must_not_reload)
    answer = await client.request(method, "/-/reload", headers=headers)
    assert (answer.status, await answer.text()) == (403, "Cross-site request refused.\n")


async def test_requests_that_wait_for_a_reload_are_limited(serve: Serve) -> None:
    released, arrived = asyncio.Event(), asyncio.Semaphore(0)

    async def hang() -> ReloadDiff:
        arrived.release()
        await released.wait()
        return ReloadDiff()

    client = await serve(hang)
    pending = [asyncio.create_task(client.post("/-/reload")) for _ in range(MAX_PENDING)]
    async with asyncio.timeout(TEST_TIMEOUT):
        for _ in range(MAX_PENDING):
            await arrived.acquire()
    answer = await client.post("/-/reload")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert (await client.get("/-/healthy")).status == 200
    released.set()
    assert {answer.status for answer in await asyncio.gather(*pending)} == {200}
    assert (await client.post("/-/reload")).status == 200
