"""Clients whose row proves no login: on a bridge, or without any address."""

import pytest
from msgspec import structs

from exporter.management.batches import run_batches
from exporter.state import logins
from tests.state.bridge import ALICE, SINCE, bridge, established, poll


def test_a_row_without_any_proof_is_pending() -> None:
    assert poll(bridge(), pending=(ALICE,)) == (0, 1)


def test_a_client_that_the_daemon_has_let_in_is_connected() -> None:
    daemon = bridge()
    assert poll(daemon) == (0, 0)
    established(daemon)
    assert poll(daemon, pending=(ALICE,)) == (1, 0)
    assert daemon.clients.sessions.connects == 1
    assert daemon.clients.totals["alice"].received_bytes == 100
    assert poll(daemon, pending=(structs.replace(ALICE, received_bytes=150),)) == (1, 0)
    assert daemon.clients.totals["alice"].received_bytes == 150
    assert poll(daemon) == (0, 0)
    assert daemon.clients.sessions.disconnects == 1


def test_a_login_after_a_status_was_received_is_none_of_that_status() -> None:
    """The message arrives while the status is parsed, whose row has no name yet."""
    daemon = bridge()
    assert poll(daemon) == (0, 0)
    nameless = structs.replace(ALICE, common_name="")
    assert poll(daemon, pending=(nameless,), meanwhile=lambda: established(daemon)) == (0, 1)
    assert poll(daemon, pending=(ALICE,)) == (1, 0)
    assert [session.name for session in daemon.clients.sessions.current] == ["alice"]
    assert daemon.clients.sessions.connects == 1


def test_logins_that_no_status_shows_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logins, "_LIMIT", 2)
    established = logins.EstablishedLogins()
    for key in range(5):
        established.add(key)
        established.on_status_received()
    assert [key for key in range(5) if key in established] == [3, 4]


def test_a_rejected_client_stays_pending() -> None:
    daemon = bridge()
    assert poll(daemon) == (0, 0)
    established(daemon, time_duration="0")
    assert poll(daemon, pending=(ALICE,)) == (0, 1)
    assert daemon.clients.sessions.connects == 0


def test_the_login_of_another_client_proves_nothing() -> None:
    daemon = bridge()
    established(daemon, client_id=4)
    established(daemon, time_unix=str(SINCE - 1))
    assert poll(daemon, pending=(ALICE,)) == (0, 1)


def test_a_client_on_a_bridge_stays_connected_when_its_route_expires() -> None:
    daemon = bridge()
    assert poll(daemon, clients=(ALICE,)) == (1, 0)
    assert poll(daemon, pending=(ALICE,)) == (1, 0)
    assert poll(daemon, clients=(ALICE,)) == (1, 0)
    assert daemon.clients.sessions.disconnects == 0


def test_a_client_on_a_bridge_is_pending_again_after_a_restart() -> None:
    daemon = bridge()
    assert poll(daemon, clients=(ALICE,)) == (1, 0)
    run_batches(daemon.clients.restart())
    assert poll(daemon, pending=(ALICE,)) == (0, 1)
