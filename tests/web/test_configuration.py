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
from exporter.web.configuration import Reload, config_handler
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
