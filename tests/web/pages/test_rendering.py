"""One page at a time, and none for a client that has gone."""

import asyncio
from types import SimpleNamespace

from aiohttp.test_utils import make_mocked_request

from exporter.web.pages.rendering import Renderer
from tests.fake_daemon import TEST_TIMEOUT


class Pages:
    """Renders a page when `finish` is set."""

    def __init__(self) -> None:
        self.running = 0
        self.rendered = 0
        self.finish = asyncio.Event()

    async def __call__(self) -> str:
        self.running += 1
        assert self.running == 1
        await self.finish.wait()
        self.running -= 1
        self.rendered += 1
        return "page"


def transport(*, closing: bool = False) -> SimpleNamespace:
    return SimpleNamespace(is_closing=lambda: closing, get_extra_info=lambda *_: None)


async def test_clients_that_have_gone_cost_no_page() -> None:
    renderer, pages = Renderer(), Pages()
    requests = [
        make_mocked_request("GET", "/", transport=transport(closing=number > 1))
        for number in range(100)
    ]
    responses = [asyncio.create_task(renderer.response(each, pages)) for each in requests]
    pages.finish.set()
    async with asyncio.timeout(TEST_TIMEOUT):
        done = await asyncio.gather(*responses)
    assert [response.text for response in done[:2]] == ["page"] * 2
    assert pages.rendered == 2
