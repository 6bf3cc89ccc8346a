from collections.abc import Awaitable, Callable, Sequence

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from exporter.metrics.catalogue import FAMILIES
from exporter.metrics.exposition import Exposition
from exporter.metrics.self_metrics import SelfMetrics
from exporter.state.daemon import DaemonState
from exporter.web.routes import application
from exporter.web.scrape_timeout import HEADER
from tests.metrics.daemons import new_daemon, server
from tests.metrics.parsing import OPENMETRICS, all_series, parse

Client = TestClient[web.Request, web.Application]
NASTY = 'a"b&c=d <script>'


@pytest.fixture
def polls() -> list[tuple[list[str], float]]:
    return []


@pytest.fixture
async def client(
    aiohttp_client: Callable[..., Awaitable[Client]], polls: list[tuple[list[str], float]]
) -> Client:
    records = [server("office"), new_daemon("branch"), new_daemon(NASTY)]

    async def poll(records: Sequence[DaemonState], patience: float) -> None:
        polls.append(([record.name for record in records], patience))

    exposition = Exposition(FAMILIES, SelfMetrics().registry)
    return await aiohttp_client(
        application(
            lambda: records,
            exposition,
            telemetry_path="/metrics",
            poll=poll,
            debug=lambda record: f"said to {record.name}",
        )
    )


async def test_shows_one_daemon_alone_after_a_poll_of_it(
    client: Client, polls: list[tuple[list[str], float]]
) -> None:
    answer = await client.get("/probe", params={"target": "office"}, headers={HEADER: "7"})
    page = parse(await answer.read(), answer.headers["Content-Type"])
    assert {dict(series.labels)["daemon"] for series in all_series(page)} == {"office"}
    assert polls == [(["office"], 6.5)]


async def test_speaks_openmetrics_gzip_and_names_as_the_metrics_do(client: Client) -> None:
    asked = [("target", "office"), ("name[]", "openvpn_up")]
    answer = await client.get("/probe", params=asked, headers={"Accept": OPENMETRICS})
    body = await answer.read()
    assert body.endswith(b"# EOF\n")
    assert {series.name for series in all_series(parse(body, OPENMETRICS))} == {"openvpn_up"}


async def test_a_daemon_that_is_down_is_an_answer(client: Client) -> None:
    answer = await client.get("/probe", params={"target": "branch"})
    assert answer.status == 200
    assert b'openvpn_up{daemon="branch"} 0' in await answer.read()


async def test_any_configured_name_can_be_asked_for(client: Client) -> None:
    assert (await client.get("/probe", params={"target": NASTY})).status == 200


@pytest.mark.parametrize(
    "asked",
    [
        [],
        [("target", "")],
        [("target", "nobody")],
        [("target", "127.0.0.1:7505")],
        [("target", "unix:/run/office.sock")],
        [("target", "office"), ("target", "office")],
        [("target", "office\n")],
    ],
)
async def test_anything_but_one_configured_name_is_refused_with_what_to_do(
    client: Client, asked: list[tuple[str, str]], polls: list[tuple[list[str], float]]
) -> None:
    answer = await client.get("/probe", params=asked)
    assert (answer.status, answer.content_type) == (400, "text/plain")
    assert "/sd lists the daemons" in await answer.text()
    assert polls == []


async def test_debug_tells_what_was_said(client: Client) -> None:
    answer = await client.get("/probe", params={"target": "office", "debug": "true"})
    assert (answer.content_type, await answer.text()) == ("text/plain", "said to office")
