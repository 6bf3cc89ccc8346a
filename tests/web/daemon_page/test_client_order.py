import random
from collections.abc import Sequence

import pytest
from msgspec import structs

from exporter.web.daemon_page import client_order
from exporter.web.daemon_page.client_order import (
    FILTER_LIMIT,
    PAGE_SIZE,
    SORT_KEYS,
    ClientPage,
    ClientQuery,
    parse_query,
    select_page,
)
from exporter.web.view.clients import ClientStatus, ClientView


def client(name: str, **changes: object) -> ClientView:
    view = ClientView(status=ClientStatus.CONNECTED, name=name, expected=False)
    return structs.replace(view, **changes)


def missing(name: str) -> ClientView:
    return client(name, status=ClientStatus.MISSING, expected=True)


async def select(clients: Sequence[ClientView], **query: object) -> ClientPage:
    half = len(clients) // 2
    return await select_page(
        [list(clients[:half]), [], list(clients[half:])], structs.replace(ClientQuery(), **query)
    )


async def names(clients: Sequence[ClientView], **query: object) -> list[str]:
    return [row.name for row in (await select(clients, **query)).rows]


class TestOrder:
    async def test_is_by_name_without_regard_to_case(self) -> None:
        assert await names([client("b"), client("C"), client("a")]) == ["a", "b", "C"]
        assert await names([client("b"), client("C"), client("a")], descending=True) == [
            *("C", "b", "a")
        ]

    @pytest.mark.parametrize("descending", [False, True])
    @pytest.mark.parametrize("sort", list(SORT_KEYS))
    async def test_missing_clients_come_first(self, sort: str, *, descending: bool) -> None:
        clients = [client("a", received_bytes=1), missing("z"), client("c")]
        assert (await names(clients, sort=sort, descending=descending))[0] == "z"

    @pytest.mark.parametrize("descending", [False, True])
    @pytest.mark.parametrize("sort", ["received", "cipher", "connected_since", "real_address"])
    async def test_what_is_unknown_comes_last(self, sort: str, *, descending: bool) -> None:
        known = {
            "received_bytes": 1,
            "cipher": "AES-256-GCM",
            "connected_since": 5,
            "real_address": "192.0.2.7",
        }
        clients = [client("unknown"), client("known", **known)]
        assert await names(clients, sort=sort, descending=descending) == ["known", "unknown"]

    async def test_of_addresses_is_numeric(self) -> None:
        addresses = ["10.8.0.10", "fd00::2", "10.8.0.9", "10.8.0.0/24"]
        clients = [client(address, virtual_address=address) for address in addresses]
        assert await names(clients, sort="virtual_address") == [
            *("10.8.0.0/24", "10.8.0.9", "10.8.0.10", "fd00::2")
        ]

    async def test_of_the_rate_is_that_of_both_directions(self) -> None:
        rates = {"a": (1.0, 5.0), "b": (3.0, 1.0), "c": (0.0, 0.0)}
        clients = [
            client(name, received_bytes_per_second=received, sent_bytes_per_second=sent)
            for name, (received, sent) in rates.items()
        ]
        assert await names(clients, sort="rate", descending=True) == ["a", "b", "c"]

    @pytest.mark.parametrize("sort", list(SORT_KEYS))
    async def test_each_column_takes_any_client(self, sort: str) -> None:
        clients = [client("a"), client("b", cipher="x", platform="y", real_address="<b>")]
        assert len(await names(clients, sort=sort)) == 2

    @pytest.mark.parametrize("descending", [False, True])
    async def test_of_many_batches_is_that_of_all(
        self, monkeypatch: pytest.MonkeyPatch, *, descending: bool
    ) -> None:
        monkeypatch.setattr(client_order, "_SORT_BATCH", 7)
        counts = list(range(PAGE_SIZE + 50))
        random.Random(1).shuffle(counts)
        clients = [client(str(count), received_bytes=count) for count in counts]
        expected = sorted(counts, reverse=descending)
        for page, part in ((1, expected[:PAGE_SIZE]), (2, expected[PAGE_SIZE:])):
            found = await names(clients, sort="received", descending=descending, page=page)
            assert found == [str(count) for count in part]


class TestFilter:
    ALICE = client(
        "Alice",
        username="alice@office",
        real_address="192.0.2.7",
        virtual_address="10.8.0.6",
        virtual_ipv6_address="fd00::6",
        cipher="AES-256-GCM",
        platform="linux",
        client_version="2.6.14",
        gui="openvpn-connect",
    )
    BOB = client("bob")

    @pytest.mark.parametrize(
        "text",
        ["alice", "ALICE", "@office", "192.0", "8.0.6", "fd00:", "gcm", "linux", "2.6", "connect"],
    )
    async def test_looks_at_every_text_of_a_row(self, text: str) -> None:
        left = structs.replace(self.BOB, status=ClientStatus.LEFT)
        page = await select([self.ALICE, left], filter=text)
        assert [row.name for row in page.rows] == ["Alice"]
        assert page.matching == 1

    async def test_finds_the_clients_of_a_status(self) -> None:
        assert await names([missing("carol"), self.BOB], filter="missing") == ["carol"]

    async def test_does_not_change_the_counts(self) -> None:
        page = await select([missing("carol"), self.BOB, self.ALICE], filter="nothing")
        assert (page.rows, page.matching) == ([], 0)
        assert page.counts == {ClientStatus.MISSING: 1, ClientStatus.CONNECTED: 2}

    async def test_does_not_find_text_across_two_fields(self) -> None:
        assert await names([client("a", username="b")], filter="ab") == []


class TestPage:
    CLIENTS = tuple(client(f"{number:04}") for number in range(2 * PAGE_SIZE + 1))

    @pytest.mark.parametrize(("page", "first", "rows"), [(1, 0, PAGE_SIZE), (3, 2 * PAGE_SIZE, 1)])
    async def test_has_a_part_of_the_rows(self, page: int, first: int, rows: int) -> None:
        selected = await select(self.CLIENTS, page=page)
        assert (selected.number, selected.pages, len(selected.rows)) == (page, 3, rows)
        assert selected.rows[0].name == f"{first:04}"

    async def test_after_the_last_one_is_the_last_one(self) -> None:
        assert (await select(self.CLIENTS, page=999)).number == 3

    async def test_is_one_without_clients(self) -> None:
        page = await select([])
        assert (page.rows, page.number, page.pages, page.matching) == ([], 1, 1, 0)


class TestQuery:
    def test_has_defaults(self) -> None:
        assert parse_query({}) == ClientQuery(sort="name", descending=False, filter="", page=1)

    @pytest.mark.parametrize("sort", ["received", "-received"])
    def test_is_written_as_it_is_read(self, sort: str) -> None:
        query = parse_query({"sort": sort, "filter": "a&b", "page": "2"})
        assert query.sort_parameter == sort
        assert query.parameters(page=3) == {"sort": sort, "filter": "a&b", "page": "3"}

    @pytest.mark.parametrize("sort", ["", "-", "--name", "other", "-other", "received_bytes", "⬆"])
    def test_of_an_unknown_column_is_by_name(self, sort: str) -> None:
        assert parse_query({"sort": sort}) == ClientQuery()

    @pytest.mark.parametrize("page", ["", "0", "-1", "x", "1" * 5000, "1e3", "²", "٣", " 2"])
    def test_of_an_invalid_page_is_the_first(self, page: str) -> None:
        assert parse_query({"page": page}).page == 1

    def test_has_a_bounded_text(self) -> None:
        assert parse_query({"filter": f"  {'x' * 5000}"}).filter == "x" * FILTER_LIMIT
