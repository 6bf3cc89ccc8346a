from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from exporter.config import ConfigError, Problem
from exporter.config.reload_diff import ReloadDiff
from exporter.metrics.catalogue import FAMILIES
from exporter.metrics.exposition import Exposition
from exporter.metrics.self_metrics import SelfMetrics
from exporter.web.routes import Reload, application

Client = TestClient[web.Request, web.Application]
Serve = Callable[[Reload], Awaitable[Client]]


@pytest.fixture
def serve(aiohttp_client: Callable[..., Awaitable[Client]]) -> Serve:
    async def serve(reload: Reload) -> Client:
        exposition = Exposition(FAMILIES, SelfMetrics().registry)
        return await aiohttp_client(
            application(lambda: (), exposition, telemetry_path="/metrics", reload=reload)
        )

    return serve


async def good() -> ReloadDiff:
    return ReloadDiff(added=("office",))


async def bad() -> ReloadDiff:
    raise ConfigError(
        (
            Problem(source="c.yaml", text="is wrong", line=3),
            Problem(source="c.yaml", text="is worse", line=4),
        )
    )


async def never() -> ReloadDiff:
    raise AssertionError("reloaded without being asked to")


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_a_reload_says_what_it_changed(serve: Serve, method: str) -> None:
    answer = await (await serve(good)).request(method, "/-/reload")
    assert answer.status == 200
    assert "1 added" in await answer.text()


async def test_a_bad_configuration_is_answered_with_every_problem(serve: Serve) -> None:
    answer = await (await serve(bad)).post("/-/reload")
    assert (answer.status, answer.content_type) == (500, "text/plain")
    assert (await answer.text()).splitlines()[1:] == ["c.yaml:3: is wrong", "c.yaml:4: is worse"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
async def test_looking_reloads_nothing(serve: Serve, method: str) -> None:
    answer = await (await serve(never)).request(method, "/-/reload")
    assert answer.status == 405
    assert answer.headers["Allow"] == "POST,PUT"
