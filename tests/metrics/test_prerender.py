"""A page rendered in chunks is never older than the daemon's state or the configuration."""

import asyncio
import itertools

import pytest
from msgspec import structs
from prometheus_client import CollectorRegistry

from exporter.config.schema import ClientsConfig
from exporter.management.batches import WAITING
from exporter.management.notifications import Greeting
from exporter.metrics.catalogue import FAMILIES, families
from exporter.metrics.encode import CHUNK_SIZE
from exporter.metrics.exposition import Exposition
from exporter.state.daemon import DaemonState
from tests.metrics.counting_family import CountingFamily
from tests.metrics.daemons import (
    NOON,
    OFFICE_CLIENT,
    new_daemon,
    poll,
    server,
    server_status,
    start_session,
    take_down,
)

MANY = 2500
"""Clients of more than one chunk."""


def exposition() -> Exposition:
    return Exposition(FAMILIES, CollectorRegistry())


def poll_many(daemon: DaemonState, *, received: int, now: float) -> None:
    rows = [
        structs.replace(OFFICE_CLIENT, common_name=f"c{n}", client_id=n, received_bytes=received)
        for n in range(MANY)
    ]
    poll(daemon, server_status(rows), now=now)


@pytest.mark.parametrize("passes", [1, 2, 4, 6])
async def test_a_poll_between_two_chunks_is_on_the_next_page(
    monkeypatch: pytest.MonkeyPatch, passes: int
) -> None:
    monkeypatch.setattr("exporter.aio._TURN", 0)  # each chunk is a turn, however long it takes
    daemon = new_daemon()
    start_session(daemon)
    poll_many(daemon, received=5000, now=1_000_000_000)
    first = exposition()
    prerendering = asyncio.create_task(first.prerender(daemon))
    for _ in range(passes):
        await asyncio.sleep(0)
    assert not prerendering.done()
    poll_many(daemon, received=6000, now=1_000_000_015)
    await prerendering
    assert first.page([daemon]).body == exposition().page([daemon]).body


async def test_a_new_configuration_is_on_the_next_page() -> None:
    daemon = new_daemon()
    start_session(daemon)
    poll_many(daemon, received=5000, now=1_000_000_000)
    without = families(ClientsConfig(series=False, info=False))
    first = exposition()
    first.page([daemon])
    await first.configure(without)
    assert first.page([daemon]).body == Exposition(without, CollectorRegistry()).page([daemon]).body


async def test_each_changed_daemon_is_rendered_once() -> None:
    counting, daemons = CountingFamily(per_client=False), [server(str(n)) for n in range(25)]
    page = Exposition([counting.family], CollectorRegistry())
    await page.prerender(*daemons)
    assert counting.calls == 25
    daemons[3].on_notification("INFO", Greeting(5))
    await page.prerender(*daemons)
    assert counting.calls == 26
    page.page(daemons)
    assert counting.calls == 26


def test_two_scrapes_at_the_same_time_render_a_daemon_once() -> None:
    counting, daemon = CountingFamily(per_client=True), server()
    page = Exposition([counting.family], CollectorRegistry())
    first, second = page._refresh([daemon]), page._refresh([daemon])
    next(first)
    assert next(second) is WAITING
    for _ in itertools.zip_longest(first, second):
        pass
    assert counting.calls == 1


async def test_a_scrape_that_is_cancelled_leaves_the_daemon_to_the_next_one() -> None:
    counting, daemon = CountingFamily(per_client=True), server()
    page = Exposition([counting.family], CollectorRegistry())
    cancelled = page._refresh([daemon])
    next(cancelled)
    cancelled.close()
    await page.prerender(daemon)
    assert counting.calls == 1


async def test_a_daemon_that_goes_down_between_two_chunks_has_no_clients_on_the_next_page() -> None:
    many = [
        structs.replace(OFFICE_CLIENT, client_id=number, common_name=f"{number:0128}")
        for number in range(200)
    ]
    daemon = server(clients=many)
    page = exposition()
    prerendering = asyncio.create_task(page.prerender(daemon))
    await asyncio.sleep(0)
    take_down(daemon)
    assert b"openvpn_server_client_info" not in page.page([daemon]).body
    await prerendering
    assert page.page([daemon]).body == exposition().page([daemon]).body


def test_text_of_an_older_state_never_replaces_that_of_a_newer_one() -> None:
    for steps, ahead in itertools.combinations(range(16), 2):
        daemon = server(clients=[OFFICE_CLIENT])
        page = exposition()
        older, newer = page._refresh([daemon]), page._refresh([daemon])
        for _ in itertools.islice(older, steps):
            pass
        more = structs.replace(OFFICE_CLIENT, received_bytes=OFFICE_CLIENT.received_bytes + 1)
        poll(daemon, server_status([more]), now=NOON + 15)
        for _ in itertools.islice(newer, ahead):
            pass
        for _ in itertools.zip_longest(older, newer):
            pass
        assert page.page([daemon]).body == exposition().page([daemon]).body


async def test_a_scrape_that_waits_during_a_reload_renders_the_new_families() -> None:
    daemon = server()
    page = Exposition(families(ClientsConfig(series=False, info=False)), CollectorRegistry())
    first, second = page._refresh([daemon]), page._refresh([daemon])
    next(first)
    assert next(second) is WAITING
    await page.configure(FAMILIES)
    for _ in itertools.zip_longest(first, second):
        pass
    assert page.page([daemon]).body == exposition().page([daemon]).body


def test_a_page_renders_in_steps_what_changes_while_it_waits() -> None:
    daemon, page = server(), exposition()
    steps = page.page_in_turns([daemon])
    next(steps)
    poll_many(daemon, received=5, now=NOON + 15)
    assert sum(1 for _ in steps) > MANY // CHUNK_SIZE
    assert page.page([daemon]).body == exposition().page([daemon]).body
