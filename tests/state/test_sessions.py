"""Which row continues which session; connects and disconnects."""

from collections.abc import Sequence

import pytest

from exporter.management.batches import MAX_ROWS, run_batches
from exporter.management.log_lines import ConnectLine
from exporter.management.peer import PeerInfo
from exporter.management.status import ClientRow
from exporter.state import sessions as sessions_module
from exporter.state.client_session import ClientSession
from exporter.state.session_keys import session_key
from exporter.state.sessions import SessionTracker
from exporter.state.traffic import ByteRate

NOW = 2000
LINUX = PeerInfo("linux", "2.6.14")


def row(
    name: str = "alice",
    *,
    address: str = "192.0.2.7:4",
    client_id: int | None = 0,
    since: int = 1000,
    received: int = 0,
) -> ClientRow:
    return ClientRow(
        name, address, "10.8.0.2", "", received, received // 2, since, client_id=client_id
    )


def update(
    sessions: SessionTracker,
    rows: Sequence[ClientRow],
    now: int,
    *,
    unreadable: int = 0,
    from_file: bool = False,
) -> Sequence[ClientSession]:
    """Update the sessions from a status; return those that it shows."""
    run_batches(sessions.update(rows, now, unreadable=unreadable, from_file=from_file))
    return sessions.current


def opened(*rows: ClientRow) -> SessionTracker:
    """Return sessions that began with these rows."""
    sessions = SessionTracker(lambda client: client.common_name)
    update(sessions, rows, NOW)
    return sessions


def growth(sessions: SessionTracker, *rows: ClientRow, now: int = NOW) -> int:
    """Return by how many received bytes all sessions grew in a poll."""
    return sum(session.received_growth for session in update(sessions, rows, now))


def visits(sessions: SessionTracker) -> tuple[int, int]:
    return sessions.connects, sessions.disconnects


def announce(sessions: SessionTracker, *names: str, address: str = "192.0.2.7:4") -> None:
    """Let the log say that clients were let in, with an IPv4 and an IPv6 address each."""
    for name in names:
        for ipv6 in (False, True):
            sessions.add_logged_connect(ConnectLine(name, address, ipv6=ipv6))


def test_sessions_of_the_first_status_are_no_connects() -> None:
    assert visits(opened(row())) == (0, 0)


def test_all_of_a_new_session_is_growth() -> None:
    sessions = opened()
    assert growth(sessions, row(received=10)) == 10
    assert growth(sessions, row(received=15)) == 5
    assert visits(sessions) == (1, 0)


def test_received_bytes_that_fell_restarted_at_zero() -> None:
    assert growth(opened(row(received=10)), row(received=4)) == 4


def test_sent_bytes_that_fell_restarted_at_zero() -> None:
    sessions = opened(row(received=10))
    assert [session.sent_growth for session in update(sessions, [row(received=8)], NOW)] == [4]


def test_a_floating_client_is_one_session() -> None:
    sessions = opened(row(received=10))
    assert growth(sessions, row(received=12, address="198.51.100.1:9")) == 2
    assert visits(sessions) == (0, 0)


def test_a_reconnect_from_the_same_port_is_a_new_session() -> None:
    sessions = opened(row(received=10))
    assert growth(sessions, row(received=12, client_id=1, since=1500)) == 12
    assert visits(sessions) == (1, 1)


def test_another_client_id_is_another_session() -> None:
    """Not in this time zone, nor in any other."""
    sessions = opened(row(received=10))
    assert growth(sessions, row(received=12, client_id=1)) == 12
    assert growth(sessions, row(received=13, client_id=2, since=1900)) == 13
    assert visits(sessions) == (2, 2)


def test_a_reconnect_that_keeps_client_id_and_start_continues() -> None:
    sessions = opened(row(received=10))
    assert growth(sessions, row(received=30)) == 20
    assert visits(sessions) == (0, 0)


def test_two_sessions_of_one_name_are_two() -> None:
    sessions = opened()
    assert growth(sessions, row(received=1), row(received=2, client_id=1, address="x:5")) == 3
    assert visits(sessions) == (2, 0)


def test_a_session_lasts_from_its_start_to_the_last_status_that_showed_it() -> None:
    sessions = opened(row(since=1000))
    update(sessions, [row(since=1000)], 1050)
    update(sessions, [], 9000)
    assert sessions.durations.sum == 50
    assert sessions.durations.cumulative[0] == 1


def test_a_clock_set_back_gives_no_negative_duration() -> None:
    sessions = opened()
    update(sessions, [row(since=1000)], 900)
    update(sessions, [], 900)
    assert sessions.durations.sum == 0


@pytest.mark.parametrize("age", [1_795_600_000, 367 * 86400, -1])
def test_a_duration_beyond_reason_is_not_observed(age: int) -> None:
    """The session began before the clock was right, or the clock was set back."""
    printed = 1_795_600_005
    sessions = opened()
    update(sessions, [row(since=printed - age)], printed)
    update(sessions, [], printed)
    assert visits(sessions) == (1, 1)
    assert (sessions.durations.sum, sessions.durations.cumulative[-1]) == (0, 0)


def test_a_duration_is_taken_from_the_times_of_one_status() -> None:
    """A poll in format 1 has all of its times in the daemon's zone."""
    sessions = opened(row(since=1000))
    update(sessions, [row(client_id=None, since=1000 + 7200)], NOW + 7200)
    update(sessions, [], NOW)
    run_batches(sessions.restart())
    assert sessions.durations.sum == NOW - 1000


def test_restarted_client_ids_are_new_sessions() -> None:
    sessions = opened(row(received=10))
    run_batches(sessions.restart())
    assert sessions.current == ()
    assert growth(sessions, row(received=25)) == 25
    assert visits(sessions) == (1, 1)


def test_a_session_that_may_be_in_an_unreadable_line_is_kept_once() -> None:
    sessions = opened(row(received=10))
    update(sessions, [], NOW, unreadable=1)
    assert growth(sessions, row(received=12)) == 2
    assert visits(sessions) == (0, 0)
    for disconnects in (0, 1):
        update(sessions, [], NOW, unreadable=1)
        assert visits(sessions) == (0, disconnects)


def test_a_session_that_was_kept_ends_where_a_row_was_there_twice() -> None:
    alice, bob = row("alice"), row("bob", client_id=5)
    sessions = opened(alice, bob)
    update(sessions, [alice, alice], NOW, unreadable=1)
    for _ in range(2):
        update(sessions, [alice, alice], NOW)
    assert visits(sessions) == (0, 1)


def test_sessions_after_a_restart_before_the_first_status_are_new() -> None:
    sessions = SessionTracker(lambda client: client.common_name)
    run_batches(sessions.restart())
    assert growth(sessions, row(received=25)) == 25
    assert sessions.connects == 1


def test_a_login_is_forgotten_when_a_status_has_shown_it() -> None:
    sessions, key = opened(), session_key(row())
    sessions.logins.established.add(key)
    sessions.logins.on_status_received()
    assert key in sessions.logins.established
    update(sessions, [row()], NOW)
    assert key not in sessions.logins.established


class TestWithoutIds:
    """Daemons before 2.4."""

    def test_a_session_is_known_by_name_address_and_start(self) -> None:
        sessions = opened(row(client_id=None, received=10))
        assert growth(sessions, row(client_id=None, received=15)) == 5
        assert growth(sessions, row(client_id=None, since=1007, received=20)) == 20
        assert visits(sessions) == (1, 1)

    def test_duplicate_rows_are_shown_but_counted_once(self) -> None:
        rows = [row(client_id=None, received=received) for received in (10, 1000)]
        sessions = opened()
        assert growth(sessions, *rows) == 1000
        assert len(sessions.current) == 2
        assert visits(sessions) == (1, 0)

    def test_duplicate_rows_never_count_twice_in_any_order(self) -> None:
        small, large = row(client_id=None, received=10), row(client_id=None, received=1000)
        sessions = opened()
        total = sum(growth(sessions, *rows) for rows in [(small, large), (large, small)] * 3)
        assert total == 1000
        assert growth(sessions, small) == 10

    def test_of_duplicate_rows_the_largest_sent_bytes_count(self) -> None:
        small, large = row(client_id=None, received=10), row(client_id=None, received=1000)
        for rows in (small, large), (large, small):
            assert sum(session.sent_growth for session in update(opened(), rows, NOW)) == 500

    def test_each_of_duplicate_rows_matches_a_logged_connect(self) -> None:
        sessions = opened()
        announce(sessions, "alice", "alice")
        for _ in range(3):
            update(sessions, [row(client_id=None)] * 2, NOW)
        assert visits(sessions) == (2, 0)


class TestPollsInFormat1:
    """They come where `status 3` doesn't end, and have no ids."""

    def test_neither_double_nor_lose_bytes(self) -> None:
        sessions = opened(row(received=10))
        assert growth(sessions, row(client_id=None, received=12)) == 2
        assert growth(sessions, row(client_id=None, received=13)) == 1
        assert growth(sessions, row(received=15)) == 2
        assert visits(sessions) == (0, 0)

    @pytest.mark.parametrize("zone", [3600, -3600, 20700])
    def test_may_have_times_in_another_zone(self, zone: int) -> None:
        sessions = opened(row(received=10))
        assert growth(sessions, row(client_id=None, since=1000 + zone, received=12)) == 2
        assert growth(sessions, row(received=15)) == 3
        assert visits(sessions) == (0, 0)

    def test_match_a_client_that_floated(self) -> None:
        sessions = opened(row(received=10))
        assert growth(sessions, row(client_id=None, received=12, address="x:5")) == 2
        assert growth(sessions, row(received=13, address="x:6")) == 1
        assert visits(sessions) == (0, 0)

    def test_match_two_sessions_of_one_name_and_start_by_address(self) -> None:
        sessions = opened(
            row(received=10, address="a:1"), row(received=500, client_id=1, address="a:2")
        )
        bare = [
            row(client_id=None, received=510, address="a:2"),
            row(client_id=None, received=11, address="a:1"),
        ]
        assert growth(sessions, *bare) == 11
        assert visits(sessions) == (0, 0)

    def test_lose_no_row_where_two_sessions_have_one_name_and_one_address(self) -> None:
        """Up to 2.6 a native IPv6 address has no port. The times are of another zone."""
        address = "2001:db8::7"
        sessions = opened(
            row(received=10, address=address),
            row(received=500, address=address, client_id=1, since=1900),
        )
        bare = [
            row(client_id=None, since=since, received=510, address=address)
            for since in (4600, 5500)
        ]
        assert growth(sessions, *bare) == 0
        assert len(sessions.current) == 2
        assert visits(sessions) == (0, 0)

    def test_count_all_of_a_new_session_beside_one_of_its_name(self) -> None:
        sessions = opened(row(received=10, address="a:1"))
        bare = [
            row(client_id=None, received=12, address="a:1"),
            row(client_id=None, received=7, address="a:2"),
        ]
        assert growth(sessions, *bare) == 2 + 7
        assert visits(sessions) == (1, 0)

    def test_show_a_reconnect_from_the_same_port(self) -> None:
        sessions = opened(row(received=10))
        assert growth(sessions, row(client_id=None, since=1500, received=12)) == 12
        assert growth(sessions, row(client_id=1, since=1500, received=13)) == 1
        assert visits(sessions) == (1, 1)

    def test_do_not_end_a_session_with_a_client_id(self) -> None:
        sessions = opened(row(received=10), row("bob", client_id=1, received=5))
        assert growth(sessions, row("bob", client_id=None, received=6)) == 1
        assert len(sessions.current) == 1
        assert visits(sessions) == (0, 0)
        assert growth(sessions, row(received=11), row("bob", client_id=1, received=6)) == 1

    def test_open_sessions_that_get_a_client_id_later(self) -> None:
        sessions = opened(row("bob", client_id=9))
        sessions.add_peer_info(0, 1000, LINUX)
        assert growth(sessions, row(client_id=None, received=10)) == 10
        assert growth(sessions, row(received=11), row("bob", client_id=9)) == 1
        assert visits(sessions) == (1, 0)
        assert LINUX in {session.peer_info for session in sessions.current}

    def test_count_nothing_for_ambiguous_sessions(self) -> None:
        """Two of one name and start, both at other addresses than before."""
        sessions = opened(
            row(received=10, address="a:1"), row(received=500, client_id=1, address="a:2")
        )
        moved = [row(client_id=None, received=n, address=f"b:{n}") for n in (11, 501)]
        assert growth(sessions, *moved) == 0
        assert visits(sessions) == (0, 0)

    def test_keep_the_user_name(self) -> None:
        sessions = SessionTracker(lambda client: client.username)
        known = ClientRow("", "a:1", "10.8.0.2", "", 1, 1, 1000, username="ann", client_id=0)
        bare = ClientRow("", "a:1", "10.8.0.2", "", 1, 1, 1000)
        for rows in ([known], [bare]):
            update(sessions, rows, NOW)
        assert [session.name for session in sessions.current] == ["ann"]
        fresh = SessionTracker(lambda client: client.username)
        for rows in ([bare], [known]):
            update(fresh, rows, NOW)
        assert [session.name for session in fresh.current] == ["ann"]


class TestLoggedConnects:
    """Clients whose connect is in the log."""

    def test_two_lines_and_a_row_of_one_session_are_one_connect(self) -> None:
        sessions = opened()
        announce(sessions, "alice")
        assert visits(sessions) == (1, 0)
        for _ in range(3):
            update(sessions, [row()], NOW)
        assert visits(sessions) == (1, 0)

    def test_a_session_that_no_status_shows_is_a_connect_and_a_disconnect(self) -> None:
        sessions = opened()
        announce(sessions, "alice")
        update(sessions, [], NOW)
        assert visits(sessions) == (1, 0)
        update(sessions, [], NOW)
        assert visits(sessions) == (1, 1)

    def test_a_line_after_a_status_is_matched_with_the_next(self) -> None:
        sessions = opened()
        announce(sessions, "alice")
        update(sessions, [], NOW)
        update(sessions, [row()], NOW)
        update(sessions, [row()], NOW)
        assert visits(sessions) == (1, 0)

    def test_a_status_may_come_between_the_lines_of_one_session(self) -> None:
        sessions = opened()
        for ipv6 in (False, True):
            sessions.add_logged_connect(ConnectLine("alice", "192.0.2.7:4", ipv6=ipv6))
            update(sessions, [row()], NOW)
        for _ in range(2):
            update(sessions, [row()], NOW)
        assert visits(sessions) == (1, 0)

    def test_even_the_first_status(self) -> None:
        sessions = SessionTracker(lambda client: client.common_name)
        for ipv6 in (False, True):
            sessions.add_logged_connect(ConnectLine("alice", "192.0.2.7:4", ipv6=ipv6))
            update(sessions, [row()], NOW)
        for _ in range(2):
            update(sessions, [row()], NOW)
        assert visits(sessions) == (0, 0)

    def test_two_sessions_from_one_port_within_one_interval_are_two(self) -> None:
        sessions = opened()
        announce(sessions, "alice", "alice")
        for _ in range(2):
            update(sessions, [row()], NOW)
        assert visits(sessions) == (2, 1)

    def test_a_reconnect_after_the_next_status_is_another_session(self) -> None:
        sessions = opened()
        announce(sessions, "alice")
        update(sessions, [row()], NOW)
        announce(sessions, "alice")
        for rows in ([], [row(client_id=1)], [row(client_id=1)]):
            update(sessions, rows, NOW)
        assert visits(sessions) == (2, 1)

    def test_a_client_that_floated_before_its_first_status_is_one_session(self) -> None:
        sessions = opened()
        announce(sessions, "alice")
        for _ in range(3):
            update(sessions, [row(address="198.51.100.1:9")], NOW)
        assert visits(sessions) == (1, 0)

    def test_a_row_without_a_line_is_a_connect(self) -> None:
        sessions = opened()
        announce(sessions, "alice")
        update(sessions, [row(), row("bob", client_id=1)], NOW)
        assert visits(sessions) == (2, 0)

    def test_a_client_without_a_name_has_none_in_its_row(self) -> None:
        sessions = opened()
        announce(sessions, "")
        update(sessions, [row("")], NOW)
        assert visits(sessions) == (1, 0)

    def test_connects_over_the_limit_are_counted_by_their_rows(self) -> None:
        sessions = opened()
        announce(sessions, *(f"client-{number}" for number in range(10_001)))
        assert visits(sessions) == (10_000, 0)
        update(sessions, [row("client-10000")], NOW)
        assert visits(sessions) == (10_001, 0)

    def test_each_status_resets_the_capacity(self) -> None:
        sessions = opened()
        announce(sessions, *(f"client-{number}" for number in range(10_000)))
        update(sessions, [], NOW)
        announce(sessions, "alice")
        assert visits(sessions) == (10_001, 0)

    def test_a_short_session_before_a_restart_ends_with_it(self) -> None:
        sessions = opened(row("bob", client_id=7))
        announce(sessions, "alice")
        run_batches(sessions.restart())
        for _ in range(2):
            update(sessions, [], NOW)
        assert visits(sessions) == (1, 2)


def add_history(sessions: SessionTracker, *names: str, address: str = "192.0.2.7:4") -> None:
    """Read a log history with the connect lines of these clients."""
    lines = [ConnectLine(name, address, ipv6=ipv6) for name in names for ipv6 in (False, True)]
    run_batches(sessions.add_logged_connects(lines))


class TestLogHistory:
    """A history is read after a status has shown some of its clients."""

    def test_counts_again_what_ended_before_many_others(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sessions_module, "_CLOSED_LIMIT", 2)
        sessions, names = opened(), ("alice", "bob", "carol")
        update(sessions, [row(name, client_id=number) for number, name in enumerate(names)], NOW)
        update(sessions, [], NOW)
        add_history(sessions, *names)
        assert sessions.connects == 4

    def test_does_not_count_a_client_that_a_status_has_shown(self) -> None:
        """As with `slot: release`, where it connected between the history and the status."""
        sessions = opened()
        update(sessions, [row()], NOW)
        add_history(sessions, "alice")
        for _ in range(3):
            update(sessions, [row()], NOW)
        assert visits(sessions) == (1, 0)

    def test_does_not_count_a_client_of_the_first_status(self) -> None:
        sessions = opened(row())
        add_history(sessions, "alice")
        for rows in ([row()], [row()], []):
            update(sessions, rows, NOW)
        assert visits(sessions) == (0, 1)

    def test_does_not_count_a_client_that_a_file_has_shown_and_that_has_gone(self) -> None:
        sessions = opened()
        update(sessions, [row()], NOW, from_file=True)
        update(sessions, [], NOW, from_file=True)
        add_history(sessions, "alice")
        for _ in range(3):
            update(sessions, [], NOW)
        assert visits(sessions) == (1, 1)

    def test_knows_a_client_that_floated_before_the_file_was_written(self) -> None:
        sessions = opened()
        update(sessions, [row(address="198.51.100.1:9")], NOW, from_file=True)
        add_history(sessions, "alice")
        for _ in range(3):
            update(sessions, [row(address="198.51.100.1:9")], NOW)
        assert visits(sessions) == (1, 0)

    def test_counts_a_client_that_no_status_has_shown(self) -> None:
        sessions = opened()
        update(sessions, [row()], NOW, from_file=True)
        add_history(sessions, "alice", "bob", "bob")
        update(sessions, [row(), row("bob", client_id=1)], NOW)
        for _ in range(2):
            update(sessions, [row(), row("bob", client_id=1)], NOW)
        assert visits(sessions) == (3, 1)

    def test_counts_a_second_session_from_the_same_address(self) -> None:
        sessions = opened()
        update(sessions, [row()], NOW, from_file=True)
        add_history(sessions, "alice", "alice")
        for rows in ([row(client_id=1)], [row(client_id=1)]):
            update(sessions, rows, NOW)
        assert visits(sessions) == (2, 1)

    def test_is_compared_with_the_sessions_since_the_last_one(self) -> None:
        sessions = opened()
        update(sessions, [row()], NOW, from_file=True)
        add_history(sessions)
        add_history(sessions, "alice")
        assert visits(sessions) == (2, 0)

    def test_before_the_first_status_counts_nothing(self) -> None:
        sessions = SessionTracker(lambda client: client.common_name)
        add_history(sessions, "alice")
        for _ in range(3):
            update(sessions, [row()], NOW)
        assert visits(sessions) == (0, 0)

    def test_yields_after_each_batch_of_lines(self) -> None:
        lines = [ConnectLine(f"{number}", "192.0.2.7:4", ipv6=False) for number in range(2500)]
        assert sum(1 for _ in opened().add_logged_connects(lines)) >= len(lines) / MAX_ROWS


def peers_of(sessions: SessionTracker, rows: Sequence[ClientRow]) -> list[PeerInfo]:
    return [session.peer_info for session in update(sessions, rows, NOW)]


def test_peer_info_belongs_to_client_id_and_start() -> None:
    sessions = opened()
    sessions.add_peer_info(0, 1000, LINUX)
    assert peers_of(sessions, [row(), row(client_id=0, since=1001, address="x:5")]) == [
        LINUX,
        PeerInfo(),
    ]
    assert peers_of(sessions, [row()]) == [LINUX]


def test_peer_info_before_a_recorded_restart_is_kept() -> None:
    sessions = opened(row())
    sessions.add_peer_info(0, 1500, LINUX)
    run_batches(sessions.restart())
    assert peers_of(sessions, [row(since=1500)]) == [LINUX]


def test_many_rejected_clients_do_not_drop_the_peer_info_of_others() -> None:
    sessions = opened()
    for client_id in range(20_000):
        sessions.add_peer_info(client_id, 1000, PeerInfo())
    sessions.add_peer_info(20_000, 1000, LINUX)
    assert peers_of(sessions, [row(client_id=20_000)]) == [LINUX]


def test_a_client_in_a_status_uses_no_capacity() -> None:
    sessions = opened()
    for client_id in (1, 0):
        sessions.add_peer_info(client_id, 1000, LINUX)
    update(sessions, [row()], NOW)
    for client_id in range(10_000, 19_999):
        sessions.add_peer_info(client_id, 1000, PeerInfo())
    assert peers_of(sessions, [row(client_id=1)]) == [LINUX]


def test_peer_info_of_the_oldest_unseen_clients_is_dropped_first() -> None:
    sessions = opened()
    for client_id in range(10_001):
        sessions.add_peer_info(client_id, 1000, LINUX)
    assert peers_of(sessions, [row(client_id=client_id) for client_id in (0, 1, 10_000)]) == [
        PeerInfo(),
        LINUX,
        LINUX,
    ]


class TestRate:
    def test_of_a_session_of_the_first_status_is_unknown(self) -> None:
        (session,) = opened(row(received=500)).current
        assert session.rate is None

    def test_is_that_between_the_last_two_rows(self) -> None:
        sessions = opened(row(received=500))
        (session,) = update(sessions, [row(received=800)], NOW + 30)
        assert session.rate == ByteRate(10.0, 5.0)

    def test_of_a_new_session_is_that_since_its_start(self) -> None:
        sessions = opened()
        (session,) = update(sessions, [row(since=NOW + 10, received=500)], NOW + 20)
        assert session.rate == ByteRate(50.0, 25.0)

    def test_is_unknown_if_the_daemons_clock_went_back(self) -> None:
        sessions = opened(row())
        (session,) = update(sessions, [row(received=800)], NOW - 5)
        assert session.rate is None

    def test_is_unknown_if_the_row_may_be_another_sessions(self) -> None:
        rows = [row("UNDEF", address=f"192.0.2.{n}:4", client_id=None) for n in (1, 2)]
        sessions = opened(*rows)
        moved = [row("UNDEF", address=f"192.0.2.{n}:4", client_id=None) for n in (3, 4)]
        assert [session.rate for session in update(sessions, moved, NOW + 10)] == [None, None]
