"""Idle clients: those that move hardly more than keepalives for long enough, and no others."""

import pytest

from exporter.config.schema import ClientsConfig
from exporter.management.batches import run_batches
from exporter.management.peer import PeerInfo
from exporter.management.status import ClientRow
from exporter.state.client_session import ClientSession
from exporter.state.idle_clients import IdleClients
from exporter.state.session_keys import session_key

HOUR = 3600
CONFIG = ClientsConfig(idle_after=HOUR, idle_rate=20)
POLL = 15
KEEPALIVE = 10
"""Bytes a second: what `keepalive 10 60` moves, and renegotiations."""


def session(client_id: int = 0) -> ClientSession:
    row = ClientRow("a", "192.0.2.7:1", "10.8.0.2", "", 0, 0, 1000, "", client_id)
    return ClientSession(session_key(row), "a", row, PeerInfo(), 1000)


class Office:
    """A server that is polled, with the clocks of exporter and daemon."""

    def __init__(self, *sessions: ClientSession) -> None:
        self.sessions = sessions
        self.clients = IdleClients()
        self.now = 1_000_000.0
        self.offset = 0.0
        self.config = CONFIG

    def poll(self) -> int | None:
        steps = self.clients.update(
            self.sessions, self.now, daemon_now=int(self.now + self.offset), config=self.config
        )
        run_batches(steps)
        return self.clients.count

    def run(self, seconds: float, rate: float = KEEPALIVE, *, every: float = POLL) -> int | None:
        """Poll for this time, while each session moves `rate` bytes per second."""
        for _ in range(round(seconds / every)):
            self.now += every
            for one in self.sessions:
                one.received_bytes += round(rate * every / 2)
                one.sent_bytes += round(rate * every / 2)
            self.poll()
        return self.clients.count


def test_client_with_keepalives_is_idle_after_the_time() -> None:
    office = Office(session())
    assert office.run(0.99 * HOUR) is None
    assert office.run(0.2 * HOUR) == 1


def test_a_shorter_time_holds_from_the_reload_on() -> None:
    office = Office(session())
    office.config = ClientsConfig(idle_after=24 * HOUR, idle_rate=20)
    assert office.run(1.1 * HOUR) is None
    office.config = CONFIG
    assert office.run(POLL) == 1


def test_client_stays_idle_however_long() -> None:
    office = Office(session())
    office.run(1.2 * HOUR)
    assert all(office.run(600) == 1 for _ in range(60))


@pytest.mark.parametrize("rate", [25, 1000, 1_000_000])
def test_client_with_a_little_more_is_not_idle(rate: float) -> None:
    assert Office(session()).run(5 * HOUR, rate) == 0


def test_client_that_moved_bytes_is_idle_only_after_the_time() -> None:
    office = Office(session())
    office.run(2 * HOUR, 1000)
    assert office.run(0.9 * HOUR) == 0
    assert office.run(0.3 * HOUR) == 1


def test_idle_client_that_moves_bytes_is_not_idle_at_the_next_comparison() -> None:
    office = Office(session())
    office.run(1.2 * HOUR)
    assert office.run(0.12 * HOUR, 1000) == 0


def test_renegotiation_of_an_hour_is_no_traffic() -> None:
    office = Office(session())
    office.run(1.2 * HOUR, 8)
    for _ in range(5):
        office.run(POLL, 15_000 / POLL)
        assert office.run(HOUR - POLL, 8) == 1


def test_new_session_is_not_idle() -> None:
    office = Office(session())
    office.run(2 * HOUR)
    office.sessions = (*office.sessions, session(1))
    assert office.run(0.9 * HOUR) == 1
    assert office.run(0.3 * HOUR) == 2


def test_client_that_left_is_not_idle() -> None:
    office = Office(session(), session(1))
    office.run(2 * HOUR)
    office.sessions = office.sessions[:1]
    assert office.run(0.12 * HOUR) == 1


def test_counter_that_fell_is_traffic() -> None:
    office = Office(session())
    office.run(2 * HOUR)
    office.sessions[0].received_bytes = office.sessions[0].sent_bytes = 0
    assert office.run(0.12 * HOUR) == 0


def test_status_that_is_not_written_lets_no_time_pass() -> None:
    office = Office(session())
    office.run(0.5 * HOUR, 1000)
    for _ in range(3 * HOUR // POLL):
        office.now += POLL
        office.offset -= POLL
        office.poll()
    assert office.run(0.6 * HOUR, 1000) == 0


@pytest.mark.parametrize("jump", [-3 * HOUR, 3 * HOUR])
@pytest.mark.parametrize("clock", ["now", "offset"])
def test_clock_that_jumps_lets_no_time_pass(clock: str, jump: float) -> None:
    office = Office(session())
    office.run(2 * HOUR, 100)
    setattr(office, clock, getattr(office, clock) + jump)
    if clock == "now":  # the exporter's clock alone
        office.offset -= jump
    assert office.run(600, 100) == 0


def test_time_passes_with_several_polls_a_second() -> None:
    office = Office(session())
    assert office.run(1.2 * HOUR, every=0.5) == 1


def test_rows_are_compared_in_batches_and_rarely() -> None:
    office = Office(*(session(number) for number in range(2000)))
    steps = office.clients.update(office.sessions, office.now, daemon_now=0, config=CONFIG)
    assert len(list(steps)) >= 4
    office.now += POLL
    steps = office.clients.update(office.sessions, office.now, daemon_now=POLL, config=CONFIG)
    assert len(list(steps)) == 0
