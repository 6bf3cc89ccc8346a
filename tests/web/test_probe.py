from collections.abc import Awaitable, Callable, Sequence

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from exporter.metrics.catalogue import FAMILIES
from exporter.metrics.exposition import Exposition
from exporter.metrics.self_metrics import SelfMetrics
from exporter.state.daemon import DaemonState
from exporter.web.metrics import TIMEOUT_HEADER
from exporter.web.routes import application
from tests.metrics.daemons import new_daemon, server
from tests.metrics.parsing import OPENMETRICS, all_series, parse

Client = TestClient[web.Request, web.Application]
HOSTILE_NAME = 'a"b&c=d <script>'


@pytest.fixture
def polls() -> list[tuple[list[str], float]]:
    return []


@pytest.fixture
async def client(
    aiohttp_client: Callable[..., Awaitable[Client]], polls: list[tuple[list[str], float]]
) -> Client:
    daemons = [server("office"), new_daemon("branch"), new_daemon(HOSTILE_NAME)]

    async def poll(daemons: Sequence[DaemonState], max_wait: float) -> None:
        polls.append(([daemon.name for daemon in daemons], max_wait))

    exposition = Exposition(FAMILIES, SelfMetrics().registry)
    return await aiohttp_client(
        application(
            lambda: daemons,
            exposition,
            telemetry_path="/metrics",
            poll=poll,
            debug=lambda daemon: f"history of {daemon.name}",
        )
    )


async def test_a_probe_shows_one_daemon_after_a_poll_of_it(
    client: Client, polls: list[tuple[list[str], float]]
) -> None:
    answer = await client.get("/probe", params={"target": "office"}, headers={TIMEOUT_HEADER: "7"})
    page = parse(await answer.read(), answer.headers["Content-Type"])
    assert {dict(series.labels)["daemon"] for series in all_series(page)} == {"office"}
    assert polls == [(["office"], 6.5)]


async def test_a_probe_has_openmetrics_and_names_as_the_metrics_do(client: Client) -> None:
    query = [("target", "office"), ("name[]", "openvpn_up")]
    answer = await client.get("/probe", params=query, headers={"Accept": OPENMETRICS})
    body = await answer.read()
    assert body.endswith(b"# EOF\n")
    assert {series.name for series in all_series(parse(body, OPENMETRICS))} == {"openvpn_up"}


async def test_a_probe_of_a_daemon_that_is_down_is_200(client: Client) -> None:
    answer = await client.get("/probe", params={"target": "branch"})
    assert answer.status == 200
    assert b'openvpn_up{daemon="branch"} 0' in await answer.read()


async def test_a_target_may_be_any_configured_name(client: Client) -> None:
    assert (await client.get("/probe", params={"target": HOSTILE_NAME})).status == 200


@pytest.mark.parametrize(
    "query",
    [
        [],
        [("target", "")],
        [("target", "unknown")],
        [("target", "127.0.0.1:7505")],
        [("target", "unix:/run/office.sock")],
        [("target", "office"), ("target", "office")],
        [("target", "office\n")],
    ],
)
async def test_any_other_target_is_refused_with_what_to_do(
    client: Client, query: list[tuple[str, str]], polls: list[tuple[list[str], float]]
) -> None:
    answer = await client.get("/probe", params=query)
    assert (answer.status, answer.content_type) == (400, "text/plain")
    assert "/sd lists the daemons" in await answer.text()
    assert polls == []


async def test_debug_shows_commands_and_replies(client: Client) -> None:
    answer = await client.get("/probe", params={"target": "office", "debug": "true"})
    assert (answer.content_type, await answer.text()) == ("text/plain", "history of office")
