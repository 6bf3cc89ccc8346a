"""What is kept of the text of many daemons is the text of all of them, whatever happened."""

import gzip
import itertools
from collections.abc import Callable, Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from prometheus_client import CollectorRegistry

from exporter.management.batches import run_batches
from exporter.management.errors import ReplyTimeout
from exporter.metrics import exposition as exposition_module
from exporter.metrics.catalogue import FAMILIES
from exporter.metrics.daemon_text import BLOCK_SIZE
from exporter.metrics.exposition import Exposition
from exporter.metrics.gzip_page import gzip_page
from exporter.metrics.page import Page
from exporter.state.daemon import DaemonState
from tests.metrics.daemons import (
    NOON,
    OFFICE_CLIENT,
    PORT_REPORT,
    new_daemon,
    poll,
    server,
    server_status,
    shared,
    take_down,
    tunnel,
)
from tests.metrics.parsing import FORMATS

Change = Callable[[list[DaemonState], int], None]


@pytest.fixture(autouse=True, scope="module")
def keeping() -> Iterator[None]:
    """Keep the text of two daemons as that of a hundred."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exposition_module, "MANY_DAEMONS", 2)
        yield


def exposition() -> Exposition:
    return Exposition(FAMILIES, CollectorRegistry())


def received(page: Page) -> bytes:
    return gzip.decompress(b"".join(run_batches(gzip_page(page))))


def large_server(name: str) -> DaemonState:
    """Return a server whose families of clients are blocks of their own."""
    many = [
        structs.replace(OFFICE_CLIENT, client_id=number, common_name=f"{number:0128}")
        for number in range(BLOCK_SIZE // 128)
    ]
    return server(name, clients=many)


MAKERS: Sequence[Callable[[str], DaemonState]] = (server, shared, tunnel, new_daemon, large_server)


def add(daemons: list[DaemonState], at: int) -> None:
    daemons.insert(at, MAKERS[at % len(MAKERS)](f"new-{len(daemons)}"))


def remove(daemons: list[DaemonState], at: int) -> None:
    del daemons[at]


def replace(daemons: list[DaemonState], at: int) -> None:
    daemons[at] = MAKERS[(at + len(daemons)) % len(MAKERS)](daemons[at].name)


def move(daemons: list[DaemonState], at: int) -> None:
    daemons.append(daemons.pop(at))


def traffic(daemons: list[DaemonState], at: int) -> None:
    daemon = daemons[at]
    row = structs.replace(OFFICE_CLIENT, received_bytes=5000 + daemon.polls)
    poll(daemon, server_status([row]), now=NOON + 15 * daemon.polls)


CHANGES: Sequence[Change] = (
    add,
    remove,
    replace,
    move,
    traffic,
    lambda daemons, at: daemons[at].on_poll_error(ReplyTimeout("no answer")),
    lambda daemons, at: take_down(daemons[at]),
    lambda daemons, at: daemons[at].port_probes.record(PORT_REPORT),
)

changes = st.lists(st.tuples(st.sampled_from(CHANGES), st.integers(0, 9)), max_size=3)


@given(st.lists(st.tuples(changes, st.sampled_from(FORMATS)), min_size=1, max_size=5))
@settings(max_examples=40, deadline=None)
def test_a_page_is_that_of_an_exporter_that_keeps_nothing(
    scrapes: list[tuple[list[tuple[Change, int]], str]],
) -> None:
    kept, daemons = exposition(), [server("a"), tunnel("b"), shared("c")]
    for happened, accept in scrapes:
        for change, at in happened:
            if daemons:
                change(daemons, at % len(daemons))
        page, anew = (each.page(daemons, accept=accept) for each in (kept, exposition()))
        assert received(page) == page.body == anew.body
        assert run_batches(page.size()) == len(page.body)


def test_only_text_that_changed_is_compressed_again() -> None:
    page, daemons = exposition(), [server("a"), server("b")]
    names = ["openvpn_up", "openvpn_exporter_polls_total"]
    received(page.page(daemons, names=names))
    poll(daemons[1], server_status([OFFICE_CLIENT]), now=NOON + 15)
    up, polls, _ = page.page(daemons, names=names).blocks
    assert (up.deflated.data is None, polls.deflated.data is None) == (False, True)


def test_the_page_of_a_single_daemon_leaves_what_is_kept() -> None:
    page, daemons = exposition(), [server("a"), server("b")]
    received(page.page(daemons))
    received(page.page(daemons[:1], include_self=False))
    assert None not in [block.deflated.data for block in page.page(daemons).blocks[:-1]]


def test_a_new_daemon_of_the_same_name_has_no_text_of_the_old_one() -> None:
    page, other = exposition(), tunnel("b")
    received(page.page([server("a"), other]))
    daemons = [new_daemon("a"), other]
    assert received(page.page(daemons)) == exposition().page(daemons).body


async def test_a_scrape_from_before_a_reload_keeps_nothing_for_the_new_daemon() -> None:
    page, other, old, new = exposition(), tunnel("b"), server("a"), new_daemon("a")
    await page.prerender(new)
    received(page.page([old, other]))
    after = page.page([new, other])
    assert received(after) == after.body == exposition().page([new, other]).body
    assert run_batches(after.size()) == len(after.body)


def test_changes_after_a_page_is_made_are_not_on_it() -> None:
    page, daemons = exposition(), [server("a"), server("b")]
    expected = exposition().page(daemons).body
    for happens in range(3):
        before = page.page(daemons)
        steps = gzip_page(before)
        for _ in itertools.islice(steps, 30 * happens):
            pass
        traffic(daemons, 1)
        after = page.page(daemons)
        assert received(after) == after.body == exposition().page(daemons).body
        assert gzip.decompress(b"".join(run_batches(steps))) == before.body == expected
        assert received(page.page(daemons)) == after.body
        expected = after.body


def test_text_that_is_deflated_after_it_changed_is_not_kept() -> None:
    page, daemons = exposition(), [server("a"), server("b")]
    before = page.page(daemons)
    traffic(daemons, 0)
    page.page(daemons[:1])
    received(before)
    assert received(page.page(daemons)) == exposition().page(daemons).body
