import asyncio
import threading
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.test_utils import TestClient
from aiohttp.typedefs import Handler

from exporter.web.config_endpoint import handler
from tests.fake_daemon import TEST_TIMEOUT

Client = TestClient[web.Request, web.Application]
Serve = Callable[[web.Application], Awaitable[Client]]
TOGETHER = 3


class Writer:
    """Writes the configuration once it is released, and knows where."""

    def __init__(self) -> None:
        self.threads: list[int] = []
        self.released = threading.Event()

    def __call__(self) -> str:
        self.threads.append(threading.get_ident())
        assert self.released.wait(TEST_TIMEOUT)
        return "daemons: []\n"


async def test_a_long_configuration_is_written_off_the_loop_and_once_for_all_who_ask(
    aiohttp_client: Serve,
) -> None:
    write, arrived = Writer(), asyncio.Semaphore(0)

    @web.middleware
    async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
        arrived.release()
        return await handler(request)

    application = web.Application(middlewares=[count])
    application.router.add_get("/config", handler(write))
    client = await aiohttp_client(application)
    asked = [asyncio.create_task(client.get("/config")) for _ in range(TOGETHER)]
    async with asyncio.timeout(TEST_TIMEOUT):
        for _ in range(TOGETHER):
            await arrived.acquire()
    write.released.set()
    answers = [await response.text() for response in await asyncio.gather(*asked)]
    assert answers == ["daemons: []\n"] * TOGETHER
    assert len(write.threads) == 1
    assert threading.get_ident() not in write.threads
