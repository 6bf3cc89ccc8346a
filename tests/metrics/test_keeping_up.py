"""A page that is rendered in steps is never older than its record, nor than the configuration."""

import asyncio

import pytest
from msgspec import structs
from prometheus_client import CollectorRegistry

from exporter.config.schema import ClientsConfig
from exporter.management.notifications import Greeting
from exporter.metrics.catalogue import FAMILIES, families
from exporter.metrics.exposition import Exposition
from exporter.state.daemon import DaemonState
from tests.metrics.counting_family import CountingFamily
from tests.metrics.daemons import (
    OFFICE_CLIENT,
    introduce,
    new_daemon,
    poll,
    server,
    server_status,
    take_down,
)

MANY = 2500
"""Clients of more than one slice."""


def exposition() -> Exposition:
    return Exposition(FAMILIES, CollectorRegistry())


def asked(daemon: DaemonState, *, received: int, now: float) -> None:
    rows = [
        structs.replace(OFFICE_CLIENT, common_name=f"c{n}", client_id=n, received_bytes=received)
        for n in range(MANY)
    ]
    poll(daemon, server_status(rows), now=now)


@pytest.mark.parametrize("steps", [1, 2, 4, 6])
async def test_a_poll_between_two_steps_is_on_the_next_page(steps: int) -> None:
    daemon = new_daemon()
    introduce(daemon)
    asked(daemon, received=5000, now=1_000_000_000)
    watched = exposition()
    preparing = asyncio.create_task(watched.prerender(daemon))
    for _ in range(steps):
        await asyncio.sleep(0)
    assert not preparing.done()
    asked(daemon, received=6000, now=1_000_000_015)
    await preparing
    assert watched.page([daemon]).body == exposition().page([daemon]).body


def test_another_configuration_is_on_the_next_page() -> None:
    daemon = new_daemon()
    introduce(daemon)
    asked(daemon, received=5000, now=1_000_000_000)
    without = families(ClientsConfig(series=False, info=False))
    watched = exposition()
    watched.page([daemon])
    watched.configure(without)
    assert (
        watched.page([daemon]).body == Exposition(without, CollectorRegistry()).page([daemon]).body
    )


async def test_all_records_that_have_changed_are_rendered_once() -> None:
    watched, daemons = CountingFamily(per_client=False), [server(str(n)) for n in range(25)]
    page = Exposition([watched.family], CollectorRegistry())
    await page.prerender(*daemons)
    assert watched.calls == 25
    daemons[3].on_notification("INFO", Greeting(5))
    await page.prerender(*daemons)
    assert watched.calls == 26
    page.page(daemons)
    assert watched.calls == 26


async def test_a_daemon_that_goes_down_between_two_steps_has_no_clients_on_the_next_page() -> None:
    many = [
        structs.replace(OFFICE_CLIENT, client_id=number, common_name=f"{number:0128}")
        for number in range(200)
    ]
    daemon = server(clients=many)
    page = exposition()
    preparing = asyncio.create_task(page.prerender(daemon))
    await asyncio.sleep(0)
    take_down(daemon)
    assert b"openvpn_server_client_info" not in page.page([daemon]).body
    await preparing
    assert page.page([daemon]).body == exposition().page([daemon]).body
