from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from prometheus_client import CollectorRegistry

from exporter.metrics.exposition import Exposition
from exporter.state.daemon import DaemonState
from exporter.web.routes import application
from tests.metrics.daemons import NOON
from tests.web.browser.webdriver import Browser, chromium

Serve = Callable[[Sequence[DaemonState]], Awaitable[str]]

MANUAL_TIMER = "window.setInterval = (callback) => { window.refresh = callback; };"
"""A test calls `refresh()` instead of waiting."""


@pytest.fixture(scope="module")  # later tests leave the network namespace in which it runs
def running_browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
async def browser(running_browser: Browser) -> AsyncIterator[Browser]:
    """A window of a desktop, in which scripts run; what it reports fails the test."""
    browser = running_browser
    await browser.open("about:blank")
    await browser.log()
    await browser.set_view(width=1400, height=900)
    manual = await browser.devtools("Page.addScriptToEvaluateOnNewDocument", source=MANUAL_TIMER)
    yield browser
    await browser.devtools("Page.removeScriptToEvaluateOnNewDocument", **manual)
    await browser.allow_scripts(allowed=True)
    assert await browser.log() == []


@pytest.fixture(autouse=True)
def set_clock_a_minute_past_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("landing", "daemon_page"):
        monkeypatch.setattr(f"exporter.web.{module}.page.now", lambda: NOON + 60.0)


@pytest.fixture
def serve(aiohttp_server: Callable[[web.Application], Awaitable[TestServer]]) -> Serve:
    """Serve daemons; return the URL of the root."""

    async def serve(daemons: Sequence[DaemonState]) -> str:
        exposition = Exposition((), CollectorRegistry())
        app = application(lambda: daemons, exposition, telemetry_path="/metrics")
        return str((await aiohttp_server(app)).make_url(""))

    return serve
