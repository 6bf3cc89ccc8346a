"""The HEALTHCHECK of the image, run unchanged."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from exporter.web import health
from tests.deploy.dockerfile import ROOT, stages
from tests.deploy.test_dockerfile import PORT


@pytest.fixture
async def port() -> AsyncIterator[int]:
    application = web.Application()
    application.router.add_get("/-/healthy", health.healthy)
    async with TestServer(application) as server:
        assert server.port is not None
        yield server.port


async def check(port: int) -> int:
    """Run the command of HEALTHCHECK against another port; return its exit code."""
    text = stages(ROOT / "Dockerfile")[-1].one("HEALTHCHECK")
    command = json.loads(text.partition("CMD ")[2])
    assert command[0] == "python"
    assert f"//127.0.0.1:{PORT}/" in command[-1]
    arguments = [word.replace(f":{PORT}/", f":{port}/") for word in command[1:]]
    silent = asyncio.subprocess.DEVNULL
    running = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdout=silent, stderr=silent
    )
    return await running.wait()


async def test_the_check_succeeds_if_the_exporter_answers(port: int) -> None:
    assert await check(port) == 0


async def test_the_check_fails_if_the_port_is_closed(unused_tcp_port: int) -> None:
    assert await check(unused_tcp_port) != 0
