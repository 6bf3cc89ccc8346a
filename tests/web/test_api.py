import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import json as msgspec_json
from msgspec import structs
from prometheus_client import CollectorRegistry
from yarl import URL

from exporter.aio import yield_to_loop
from exporter.metrics.exposition import Exposition
from exporter.state.daemon import DaemonState
from exporter.web.routes import application
from exporter.web.view.clients import client_batches
from exporter.web.view.daemon import DaemonView, daemon_view, state_history
from tests.metrics.daemons import NOON, OFFICE_CLIENT, new_daemon, server, take_down, tunnel

Client = TestClient[web.Request, web.Application]
Serve = Callable[[Sequence[DaemonState]], Awaitable[Client]]

HOSTILE = ["a/b", "a%2Fb", "%", "{x}", "..a", "a b", "ü漢", "?x#y", "</script>", '"', "\\", "//"]


@pytest.fixture(autouse=True)
def set_clock_a_minute_past_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exporter.web.api.now", lambda: NOON + 60.0)


@pytest.fixture
def serve(aiohttp_client: Callable[..., Awaitable[Client]]) -> Serve:
    async def serve(daemons: Sequence[DaemonState]) -> Client:
        exposition = Exposition((), CollectorRegistry())
        app = application(lambda: daemons, exposition, telemetry_path="/metrics")
        return await aiohttp_client(app, auto_decompress=False)

    return serve


async def fetch(client: Client, path: str) -> Any:  # noqa: ANN401 - JSON
    response = await client.get(path, headers={"Accept-Encoding": "identity"})
    assert (response.status, response.content_type) == (200, "application/json")
    return json.loads(await response.read())


def as_json(value: object) -> Any:  # noqa: ANN401 - JSON
    return json.loads(msgspec_json.encode(value))


async def test_the_list_has_the_values_of_all_daemons_in_their_order(serve: Serve) -> None:
    down = server("b")
    take_down(down)
    daemons = [server("c"), down, tunnel("a"), new_daemon("new")]
    assert await fetch(await serve(daemons), "/api/v1/daemons") == {
        "time": NOON + 60,
        "daemons": [as_json(daemon_view(daemon)) for daemon in daemons],
    }


async def test_without_daemons_the_list_is_empty(serve: Serve) -> None:
    assert (await fetch(await serve([]), "/api/v1/daemons"))["daemons"] == []


@pytest.mark.parametrize("daemon", [server(), tunnel()], ids=["server", "tunnel"])
async def test_a_daemon_has_its_states_and_clients(serve: Serve, daemon: DaemonState) -> None:
    clients = [client for batch in client_batches(daemon) for client in batch]
    assert await fetch(await serve([daemon]), f"/api/v1/daemons/{daemon.name}") == {
        "time": NOON + 60,
        "daemon": as_json(daemon_view(daemon)),
        "states": as_json(state_history(daemon)),
        "clients": as_json(clients),
    }


async def test_the_format_of_version_1_does_not_change(serve: Serve) -> None:
    """Fields may be added here; to remove or rename one is another version."""
    reply = await fetch(await serve([server()]), "/api/v1/daemons/office")
    assert set(reply) >= {"time", "daemon", "states", "clients"}
    assert set(reply["daemon"]) >= {
        *("name", "address", "health", "up", "source", "state", "state_since", "down_reason"),
        *("problem", "mode", "version", "platform", "management_version", "start_time"),
        *("polled_at", "received_bytes", "sent_bytes", "received_bytes_per_second"),
        *("sent_bytes_per_second", "connected_clients", "pending_clients", "max_clients"),
        *("share_addresses", "share_tools", "share_problems", "revoked_clients"),
        "expired_clients",
    }
    assert set(reply["states"][0]) >= {"time", "state", "reason"}
    assert set(reply["clients"][0]) >= {
        *("status", "name", "expected", "username", "real_address", "virtual_address"),
        *("virtual_ipv6_address", "connected_since", "received_bytes", "sent_bytes"),
        *("received_bytes_per_second", "sent_bytes_per_second", "last_seen", "cipher"),
        *("platform", "client_version", "gui", "certificate"),
    }


async def test_an_unknown_daemon_is_404(serve: Serve) -> None:
    response = await (await serve([server()])).get("/api/v1/daemons/other")
    assert (response.status, response.content_type) == (404, "application/json")
    assert json.loads(await response.read()) == {
        "error": "unknown daemon; /api/v1/daemons lists the daemons"
    }


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(min_size=1, max_size=64).filter(lambda name: name.isprintable()))
async def test_any_name_can_be_in_the_path(serve: Serve, name: str) -> None:
    if name not in {".", ".."}:
        await assert_served(serve, name)


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_names_can_be_in_the_path(serve: Serve, name: str) -> None:
    await assert_served(serve, name)


async def assert_served(serve: Serve, name: str) -> None:
    client = await serve([new_daemon("other"), new_daemon(name)])
    for path in ("/api/v1/daemons/", "/daemons/"):
        response = await client.get(URL(f"{path}{quote(name, safe='')}", encoded=True))
        assert response.status == 200
    page = await fetch(client, "/api/v1/daemons")
    assert page["daemons"][1]["name"] == name


async def test_thousands_of_clients_are_sent_compressed(serve: Serve) -> None:
    rows = [
        structs.replace(OFFICE_CLIENT, common_name=f"client-{number}", client_id=number)
        for number in range(3000)
    ]
    client = await serve([server("office", rows, expected=())])
    response = await client.get("/api/v1/daemons/office", headers={"Accept-Encoding": "gzip"})
    assert response.headers["Content-Encoding"] == "gzip"
    names = [c["name"] for c in json.loads(gzip.decompress(await response.read()))["clients"]]
    assert names == [row.common_name for row in rows]


async def test_many_requests_have_one_place_among_the_daemons(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches, steps = 0, list[int]()

    def count_batches(daemon: DaemonState) -> DaemonView:
        nonlocal batches
        batches += 1
        return daemon_view(daemon)

    async def poll_a_daemon() -> None:
        while batches < 10 * 30:
            await yield_to_loop()
            steps.append(batches)

    monkeypatch.setattr("exporter.web.api._BATCH_SIZE", 1)
    monkeypatch.setattr("exporter.web.api.daemon_view", count_batches)
    client = await serve([tunnel(str(number)) for number in range(30)])
    async with asyncio.TaskGroup() as tasks:
        for _ in range(10):
            tasks.create_task(fetch(client, "/api/v1/daemons"))
        tasks.create_task(poll_a_daemon())
    assert len(steps) >= batches / 2
