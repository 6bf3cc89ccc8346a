"""Sessions that may share a certificate or a password: counted, and seldom."""

import pytest

from exporter.management.batches import run_batches
from exporter.management.status import ClientRow
from exporter.state.session_counts import INTERVAL, SessionCounts
from exporter.state.sessions import SessionTracker


class Office:
    """The sessions of a server."""

    def __init__(self) -> None:
        self.sessions = SessionTracker(lambda row: row.common_name or row.username or "UNDEF")
        self.counts = SessionCounts()
        self.now = 1_000_000.0

    def poll(self, *rows: ClientRow) -> tuple[int | None, int | None]:
        """Poll a minute later; return the names at several addresses, and other user names."""
        self.now += INTERVAL
        run_batches(self.sessions.update(rows, int(self.now)))
        run_batches(self.counts.update(self.sessions.current, self.now))
        return self.counts.names_at_several_addresses, self.counts.other_usernames


def row(client_id: int, name: str, address: str = "192.0.2.7:1", username: str = "") -> ClientRow:
    return ClientRow(name, address, "10.8.0.2", "", 0, 0, 1000, username, client_id)


@pytest.mark.parametrize(
    ("first", "second", "count"),
    [
        ("192.0.2.7:1", "198.51.100.7:1", 1),
        ("192.0.2.7:1", "192.0.2.7:2", 0),
        ("2001:db8::1", "2001:db8::2", 1),
        ("2001:db8::1", "2001:db8::1", 0),
        ("udp4:192.0.2.7:1", "192.0.2.7:2", 0),
        ("tcp6-server:[2001:db8::1]:1", "2001:db8::1", 0),
    ],
)
def test_name_at_several_addresses_is_counted_by_host(first: str, second: str, count: int) -> None:
    assert Office().poll(row(0, "a", first), row(1, "a", second)) == (count, 0)


def test_name_counts_once_however_many_addresses_it_has() -> None:
    three = [row(number, "a", f"192.0.2.{number}:1") for number in range(3)]
    assert Office().poll(*three, row(3, "b"), row(4, "b")) == (1, 0)


def test_clients_without_a_name_share_none() -> None:
    assert Office().poll(row(0, ""), row(1, "", "198.51.100.7:1")) == (0, 0)


@pytest.mark.parametrize(
    ("name", "username", "count"),
    [("a", "b", 1), ("a", "a", 0), ("a", "", 0), ("", "b", 0), ("a", "A", 1)],
)
def test_username_that_is_not_the_common_name_is_counted(
    name: str, username: str, count: int
) -> None:
    assert Office().poll(row(0, name, username=username)) == (0, count)


def test_counts_follow_the_sessions() -> None:
    office = Office()
    both = (row(0, "a"), row(1, "a", "198.51.100.7:1", username="b"))
    assert office.poll() == (0, 0)
    assert office.poll(*both) == (1, 1)
    assert office.poll(both[0]) == (0, 0)


def test_counts_follow_a_client_to_another_address() -> None:
    office = Office()
    assert office.poll(row(0, "a", "192.0.2.7:1"), row(1, "a", "192.0.2.7:2")) == (0, 0)
    assert office.poll(row(0, "a", "192.0.2.7:1"), row(1, "a", "198.51.100.7:2")) == (1, 0)


@pytest.mark.parametrize(("later", "count"), [(INTERVAL - 1, 0), (INTERVAL, 1), (-3600, 1)])
def test_sessions_are_counted_once_a_minute_also_by_a_clock_that_went_back(
    later: float, count: int
) -> None:
    office = Office()
    office.poll()
    run_batches(office.sessions.update((row(0, "a", username="b"),), int(office.now)))
    run_batches(office.counts.update(office.sessions.current, office.now + later))
    assert office.counts.other_usernames == count


def test_sessions_are_counted_in_batches() -> None:
    office = Office()
    rows = [row(number, f"{number % 500}", f"192.0.2.{number % 3}:1") for number in range(2000)]
    run_batches(office.sessions.update(rows, int(office.now)))
    assert len(list(office.counts.update(office.sessions.current, office.now))) >= 8
