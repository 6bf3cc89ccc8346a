"""The totals of identities: sums over sessions, kept for a while, within a limit."""

import itertools
from collections.abc import Sequence

import msgspec
import pytest

from exporter.config.schema import ClientsConfig, Identity
from exporter.management.batches import MAX_ROWS, run_batches
from exporter.management.status import ClientRow, ServerStatus
from exporter.state.client_totals import ClientTotals
from exporter.state.clients import ClientTable
from tests.steps import longest_step, most_freed

CONFIG = ClientsConfig(forget_after=100)


def row(
    name: str,
    received: int = 0,
    *,
    client_id: int = 0,
    username: str = "",
    since: int = 1000,
) -> ClientRow:
    return ClientRow(
        name, f"192.0.2.7:{client_id}", "10.8.0.2", "", received, 2 * received, since, username,
        client_id,
    )  # fmt: skip


def status(*rows: ClientRow) -> ServerStatus:
    return ServerStatus(updated=2000, clients=rows, pending=(), route_count=len(rows))


def make_table(config: ClientsConfig, expected: Sequence[str] = ()) -> ClientTable:
    """Return a table in which the bytes of the first status count."""
    return ClientTable(config, expected, absolute=True)


def polled(table: ClientTable, *rows: ClientRow, now: float = 0.0) -> ClientTable:
    run_batches(table.update(status(*rows), now))
    return table


def received(table: ClientTable) -> dict[str, int]:
    return {name: totals.received_bytes for name, totals in table.totals.items()}


def test_sessions_of_one_name_are_summed() -> None:
    table = polled(make_table(CONFIG), row("a", 10, since=500), row("a", 5, client_id=1), now=7.0)
    assert table.totals == {"a": ClientTotals(15, 30, 2, 500, None, 7.0, last_count=1)}
    assert (table.received_bytes, table.sent_bytes) == (15, 30)


def test_an_identity_is_connected_since_its_oldest_session_began() -> None:
    table = make_table(CONFIG)
    for rows in ((500, 900), (900, 500)):
        polled(table, *(row("a", client_id=since, since=since) for since in rows))
        assert table.totals["a"].connected_since == 500


def test_the_oldest_of_thousands_of_sessions_end_in_short_steps() -> None:
    def longest(count: int) -> int:
        old, new = (
            [row(f"a{n}", client_id=count * place + n, since=since) for n in range(count)]
            for place, since in enumerate((500, 900))
        )
        table = polled(make_table(CONFIG), *old, now=1.0)
        sessions, update = table.sessions.current, table.update(status(*new), 2.0)
        while table.sessions.current is sessions:
            next(update)
        return longest_step(update)

    assert longest(8000) <= longest(4000) + 100


@pytest.mark.parametrize("limit", [1, 20_000])
def test_thousands_of_ended_sessions_are_freed_in_steps(limit: int) -> None:
    table, count = make_table(ClientsConfig(limit=limit)), 20 * MAX_ROWS
    old, new = (
        status(*[row(f"c{n}", client_id=n, since=n) for n in numbers])
        for numbers in (range(count), range(count, 2 * count))
    )
    for _ in range(2):
        run_batches(table.update(old, 1.0))
    assert most_freed(table.update(new, 2.0)) < 2.5 * count  # two numbers of each


def test_bytes_of_a_session_stay_counted_after_its_end() -> None:
    table = polled(make_table(CONFIG), row("a", 10), now=1.0)
    polled(table, now=2.0)
    assert table.totals == {"a": ClientTotals(10, 20, 0, None, 1.0, 1.0, last_count=1)}
    polled(table, row("a", 3, client_id=1), now=3.0)
    assert received(table) == {"a": 13}


def test_last_seen_is_the_last_poll_with_or_without_traffic() -> None:
    table = polled(make_table(CONFIG), row("a", 10), now=1.0)
    polled(table, row("a", 10), now=2.0)
    polled(table, now=3.0)
    polled(table, now=4.0)
    assert table.totals["a"].last_seen == 2.0
    assert table.totals["a"].last_traffic == 1.0


def test_sent_bytes_are_traffic() -> None:
    table = polled(make_table(CONFIG), row("a", 10), now=1.0)
    polled(table, msgspec.structs.replace(row("a", 10), sent_bytes=21), now=2.0)
    assert table.totals["a"].last_traffic == 2.0


def test_an_identity_expires_after_its_last_session() -> None:
    table = polled(make_table(CONFIG), row("a"), now=0.0)
    polled(table, now=100.0)
    assert "a" in table.totals
    polled(table, now=100.1)
    assert "a" not in table.totals


def test_an_identity_with_a_session_does_not_expire() -> None:
    table = polled(make_table(CONFIG), row("a", 10), now=0.0)
    polled(table, row("a", 11), now=1e6)
    assert received(table) == {"a": 11}


def test_expected_clients_have_totals_from_the_start_and_never_expire() -> None:
    table = make_table(CONFIG, ["oslo", "lisbon"])
    assert dict(table.totals) == {"lisbon": ClientTotals(), "oslo": ClientTotals()}
    polled(table, row("oslo", 1), now=0.0)
    polled(table, now=1e6)
    assert table.totals["oslo"].received_bytes == 1
    assert table.totals["lisbon"].last_seen is None
    assert table.expected == {"oslo", "lisbon"}


def test_a_client_that_expired_while_its_daemon_was_down_is_counted_again() -> None:
    table = polled(polled(make_table(CONFIG), row("a", 10), now=1.0), row("a", 10), now=2.0)
    run_batches(table.forget(1000.0, all_gone=True))
    assert table.totals == {}
    polled(table, row("a", 13), now=1001.0)
    assert (table.totals["a"].sessions, received(table)) == (1, {"a": 3})


def test_a_restart_ends_every_session() -> None:
    table = polled(make_table(CONFIG), row("a", 10))
    run_batches(table.restart())
    assert table.totals["a"].sessions == 0
    assert table.totals["a"].connected_since is None
    assert received(table) == {"a": 10}
    polled(table, row("a", 12))
    assert received(table) == {"a": 22}


def test_duplicate_rows_count_the_bytes_of_one() -> None:
    """Else the other one would count twice when the first has gone."""
    alike = [ClientRow("a", "2001:db8::7", "10.8.0.2", "", moved, 0, 1000) for moved in (10, 1000)]
    table = polled(make_table(CONFIG), *alike)
    assert received(table) == {"a": 1000}
    assert table.totals["a"].sessions == 2
    assert received(polled(table, alike[0])) == {"a": 1010}


class TestWithoutAStatus:
    def test_disconnected_clients_expire(self) -> None:
        table = polled(polled(make_table(ClientsConfig(forget_after=60.0)), row("alice")))
        polled(table, row("bob"), now=30.0)
        assert not run_batches(table.forget(60.0))
        assert run_batches(table.forget(61.0))
        assert received(table).keys() == {"bob"}

    def test_connected_clients_are_kept(self) -> None:
        table = polled(make_table(ClientsConfig(forget_after=60.0)), row("alice"))
        assert not run_batches(table.forget(1e6))
        assert received(table).keys() == {"alice"}

    def test_connected_clients_expire_if_the_daemon_does_not_run(self) -> None:
        table = polled(make_table(ClientsConfig(forget_after=60.0), ["bob"]), row("alice"))
        assert run_batches(table.forget(61.0, all_gone=True))
        assert received(table).keys() == {"bob"}


class TestReconfigure:
    def test_changes_the_expected_clients(self) -> None:
        table = make_table(ClientsConfig(), ["alice"])
        table.reconfigure(ClientsConfig(), ["bob"])
        assert table.expected == {"bob"}
        assert received(polled(table, now=1e9)).keys() == {"bob"}

    def test_keeps_totals(self) -> None:
        table = polled(make_table(ClientsConfig()), row("alice"))
        before = received(table)
        table.reconfigure(ClientsConfig(forget_after=1.0), [])
        assert received(table) == before
        assert received(polled(table, now=3.0)) == {}

    def test_to_a_lower_limit_drops_the_longest_idle(self) -> None:
        table = polled(make_table(ClientsConfig()), row("alice"), row("bob", client_id=1))
        polled(table, row("alice"), row("bob", client_id=1, received=5000), now=9.0)
        table.reconfigure(ClientsConfig(limit=1), [])
        assert received(table).keys() == {"bob"}

    def test_keeps_a_client_that_becomes_expected_while_others_take_its_place(self) -> None:
        for steps in range(20):
            config = ClientsConfig(limit=2)
            table = polled(make_table(config), row("a", 1), row("b", 1, client_id=1))
            new = [row("c", 1, client_id=2), row("d", 1, client_id=3)]
            update = table.update(status(*new), 15.0)
            for _ in itertools.islice(update, steps):
                pass
            table.reconfigure(config, ["a"])
            run_batches(update)
            assert "a" in table.totals

    def test_to_a_limit_that_is_just_reached_drops_nothing(self) -> None:
        table = polled(make_table(ClientsConfig()), row("alice"), row("bob", client_id=1))
        table.reconfigure(ClientsConfig(limit=2), [])
        assert received(table).keys() == {"alice", "bob"}


class TestIdentity:
    rows = (
        row("cn", username="user"),
        row("", client_id=1, username="only"),
        row("", client_id=2),
    )

    def names(self, identity: Identity) -> set[str]:
        return set(polled(make_table(ClientsConfig(identity=identity)), *self.rows).totals)

    def test_is_the_common_name_or_else_the_user_name(self) -> None:
        assert self.names(Identity.AUTO) == {"cn", "only", "UNDEF"}

    def test_may_be_the_common_name_only(self) -> None:
        assert self.names(Identity.COMMON_NAME) == {"cn", "UNDEF"}

    def test_may_be_the_user_name_only(self) -> None:
        assert self.names(Identity.USERNAME) == {"user", "only", "UNDEF"}


class TestLimit:
    """Two accounts at most."""

    config = ClientsConfig(limit=2)

    def test_leaves_out_new_clients_while_all_others_have_traffic(self) -> None:
        table = polled(make_table(self.config), row("a", 1), row("b", 1, client_id=1), now=1.0)
        rows = row("a", 2), row("b", 2, client_id=1), row("c", 9, client_id=2)
        polled(table, *rows, now=2.0)
        assert received(table) == {"a": 2, "b": 2}
        assert table.not_exported == 1

    def test_evicts_the_longest_idle_for_new_traffic(self) -> None:
        table = polled(make_table(self.config), row("a", 1), now=1.0)
        polled(table, row("a", 1), row("b", 1, client_id=1), now=2.0)
        polled(table, row("a", 1), row("b", 1, client_id=1), row("c", 5, client_id=2), now=3.0)
        assert received(table) == {"b": 1, "c": 5}
        assert table.not_exported == 1
        assert {session.name for session in table.listed_sessions()} == {"b", "c"}

    def test_evicts_a_client_that_left_without_another_to_count(self) -> None:
        table = polled(make_table(self.config), row("a", 1), row("b", 1, client_id=1), now=1.0)
        polled(table, row("b", 1, client_id=1), now=2.0)
        polled(table, row("b", 1, client_id=1), row("c", 5, client_id=2), now=3.0)
        assert set(table.totals) == {"b", "c"}
        assert table.not_exported == 0

    def test_evicts_for_sent_bytes_as_well(self) -> None:
        table = polled(make_table(self.config), row("a", 1), row("b", 1, client_id=1), now=1.0)
        new_client = msgspec.structs.replace(row("c", client_id=2), sent_bytes=5)
        polled(table, row("a", 1), row("b", 2, client_id=1), new_client, now=2.0)
        assert set(table.totals) == {"b", "c"}

    def test_evicts_nothing_for_idle_new_clients(self) -> None:
        rows = row("a", 1), row("b", 1, client_id=1), row("c", 1, client_id=2)
        table = polled(make_table(self.config), *rows, now=1.0)
        kept = received(table)
        for now in (2.0, 3.0):
            polled(table, *rows, now=now)
            assert received(table) == kept
            assert table.not_exported == 1

    def test_never_drops_expected_clients(self) -> None:
        table = make_table(self.config, ["x", "y"])
        polled(table, row("a", 5), now=1.0)
        assert set(table.totals) == {"x", "y"}
        assert table.not_exported == 1

    def test_counts_only_the_growth_of_a_client_that_was_left_out(self) -> None:
        table = polled(make_table(self.config), row("a", 1), row("b", 1, client_id=1), now=1.0)
        moved = row("a", 2), row("b", 2, client_id=1), row("c", 9, client_id=2)
        polled(table, *moved, now=2.0)
        polled(table, row("a", 3), row("c", 11, client_id=2), now=3.0)
        assert received(table) == {"a": 3, "c": 2}
        assert table.totals["c"].sent_bytes == 4

    def test_counts_nothing_twice_of_a_client_that_was_evicted(self) -> None:
        """`increase()` over a series adds the whole value after a fall."""
        table = polled(make_table(self.config), row("a", 100), now=1.0)
        increase = received(table)["a"]
        polled(table, row("a", 100), row("b", 1, client_id=1), now=2.0)
        polled(table, row("a", 100), row("b", 2, client_id=1), row("c", 5, client_id=2), now=3.0)
        assert "a" not in table.totals
        polled(table, row("a", 107), row("b", 3, client_id=1), row("c", 5, client_id=2), now=4.0)
        assert increase + received(table)["a"] == 107

    def test_evicts_idle_clients_after_the_clock_was_set_back(self) -> None:
        table = polled(make_table(self.config), row("a", 1), row("b", 1, client_id=1), now=1e6)
        idle = row("a", 1), row("b", 1, client_id=1)
        polled(table, *idle, row("c", 5, client_id=2), now=2.0)
        assert "c" in table.totals

    def test_does_not_limit_the_sum_over_all_clients(self) -> None:
        rows = row("a", 1), row("b", 2, client_id=1), row("c", 4, client_id=2)
        assert polled(make_table(self.config), *rows).received_bytes == 7


ROWS = tuple(row(name, 10, client_id=number) for number, name in enumerate("abcd"))


def grown(by: int) -> list[ClientRow]:
    return [msgspec.structs.replace(each, received_bytes=each.received_bytes + by) for each in ROWS]


@pytest.mark.parametrize("step", range(4))
def test_clients_that_a_reload_drops_within_a_poll_are_counted_again(step: int) -> None:
    table = polled(polled(make_table(CONFIG), *ROWS, now=1.0), *grown(1), now=2.0)
    smaller = ClientsConfig(limit=2, forget_after=100)
    for number, _ in enumerate(table.update(status(*grown(2)), 3.0)):
        if number == step:
            table.reconfigure(smaller, ())
    for now in (4.0, 5.0):
        polled(table, *grown(int(now)), now=now)
        assert len(table.totals) == table.not_exported == 2
    table.reconfigure(CONFIG, ())
    polled(table, *grown(6), now=6.0)
    assert {name: each.sessions for name, each in table.totals.items()} == dict.fromkeys("abcd", 1)


def test_a_limit_that_a_reload_lowers_within_a_poll_holds() -> None:
    rows = [row(f"c{number}", client_id=number) for number in range(3 * MAX_ROWS)]
    steps = sum(1 for _ in make_table(CONFIG).update(status(*rows), 1.0))
    for step in range(steps):
        table = make_table(CONFIG)
        for number, _ in enumerate(table.update(status(*rows), 1.0)):
            if number == step:
                table.reconfigure(ClientsConfig(limit=2), ())
        assert len(table.totals) == 2


@pytest.mark.parametrize("steps", range(20))
def test_a_poll_that_ends_early_is_made_good_by_the_next(steps: int) -> None:
    table = make_table(ClientsConfig(limit=1, forget_after=100))
    for now in (1, 2):
        polled(table, *grown(now)[:1], now=now)
    update = table.update(status(*grown(3)[:2]), 3.0)
    for _ in itertools.islice(update, steps):
        pass
    update.close()
    for now in (4, 5):
        polled(table, *grown(now)[:2], now=now)
    assert {name: each.sessions for name, each in table.totals.items()} == {"a": 1}
    assert table.not_exported == 1


def test_a_client_that_a_reload_adds_is_listed_anew_with_its_session() -> None:
    limited = ClientsConfig(limit=1, forget_after=100)
    table = polled(polled(make_table(limited), *ROWS[:2], now=1.0), *ROWS[:2], now=2.0)
    table.reconfigure(CONFIG, ["b"])
    assert table.totals["b"].sessions == 0
    before = table.revision
    polled(table, *ROWS[:2], now=3.0)
    assert table.totals["b"].sessions == 1
    assert table.revision > before
