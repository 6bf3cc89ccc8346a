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
from tests.metrics.counting_family import Watched
from tests.metrics.records import (
    OFFICE_CLIENT,
    introduce,
    new_record,
    poll,
    server,
    server_status,
    take_down,
)

MANY = 2500
"""Clients of more than one slice."""


def exposition() -> Exposition:
    return Exposition(FAMILIES, CollectorRegistry())


def asked(record: DaemonState, *, received: int, now: float) -> None:
    rows = [
        structs.replace(OFFICE_CLIENT, common_name=f"c{n}", client_id=n, received_bytes=received)
        for n in range(MANY)
    ]
    poll(record, server_status(rows), now=now)


@pytest.mark.parametrize("steps", [1, 2, 4, 6])
async def test_a_poll_between_two_steps_is_on_the_next_page(steps: int) -> None:
    record = new_record()
    introduce(record)
    asked(record, received=5000, now=1_000_000_000)
    watched = exposition()
    preparing = asyncio.create_task(watched.prepare(record))
    for _ in range(steps):
        await asyncio.sleep(0)
    assert not preparing.done()
    asked(record, received=6000, now=1_000_000_015)
    await preparing
    assert watched.page([record]).body == exposition().page([record]).body


def test_another_configuration_is_on_the_next_page() -> None:
    record = new_record()
    introduce(record)
    asked(record, received=5000, now=1_000_000_000)
    without = families(ClientsConfig(series=False, info=False))
    watched = exposition()
    watched.page([record])
    watched.configure(without)
    assert (
        watched.page([record]).body == Exposition(without, CollectorRegistry()).page([record]).body
    )


async def test_all_records_that_have_changed_are_rendered_once() -> None:
    watched, records = Watched(per_client=False), [server(str(n)) for n in range(25)]
    page = Exposition([watched.family], CollectorRegistry())
    await page.prepare(*records)
    assert watched.calls == 25
    records[3].on_notification("INFO", Greeting(5))
    await page.prepare(*records)
    assert watched.calls == 26
    page.page(records)
    assert watched.calls == 26


async def test_a_daemon_that_goes_down_between_two_steps_has_no_clients_on_the_next_page() -> None:
    many = [
        structs.replace(OFFICE_CLIENT, client_id=number, common_name=f"{number:0128}")
        for number in range(200)
    ]
    record = server(clients=many)
    page = exposition()
    preparing = asyncio.create_task(page.prepare(record))
    await asyncio.sleep(0)
    take_down(record)
    assert b"openvpn_server_client_info" not in page.page([record]).body
    await preparing
    assert page.page([record]).body == exposition().page([record]).body
