from random import Random

import pytest

from exporter.simulator.population.counter import activity_ticks
from exporter.simulator.population.failures import FailureKind
from exporter.simulator.population.identity import ClientIdentity, make_identities
from exporter.simulator.population.instance import Instance, InstanceEvent
from exporter.simulator.population.population import ClientPopulation
from exporter.simulator.population.profile import ChurnProfile
from exporter.simulator.population.scheduler import Scheduler
from tests.simulator.manual_clock import MORNING

HOUR = 3600.0
BUSY = ChurnProfile(
    session_seconds=300,
    absence_seconds=200,
    port_scans=60,
    wrong_passwords=60,
    unknown_cas=60,
    script_rejections=60,
    floats=60,
)


class RecordedPopulation:
    """A population and all of its events."""

    def __init__(
        self, profile: ChurnProfile, *, count: int = 20, seed: int = 1, limit: int | None = None
    ) -> None:
        self.events: list[tuple[InstanceEvent, int, str, float]] = []
        self.scheduler = Scheduler()
        rng = Random(seed)
        identities = make_identities(count, rng=rng)
        self.population = ClientPopulation(
            identities,
            profile,
            rng=rng,
            scheduler=self.scheduler,
            observer=self._observe,
            limit=limit,
        )
        self.population.populate(start=MORNING - 10 * HOUR, now=MORNING)

    def _observe(self, event: InstanceEvent, instance: Instance, now: float) -> None:
        self.events.append((event, instance.client_id, instance.common_name, now))

    def run(self, until: float) -> None:
        while self.scheduler.next_due <= until:
            self.scheduler.run_next()


def test_the_same_seed_gives_the_same_events_in_one_step_or_in_many() -> None:
    once, often = RecordedPopulation(BUSY), RecordedPopulation(BUSY)
    once.run(MORNING + HOUR)
    for minute in range(61):
        often.run(MORNING + 60 * minute)
    assert once.events == often.events
    assert len(once.events) > 100
    assert (
        RecordedPopulation(BUSY, seed=2).population.instance_table.received
        != RecordedPopulation(BUSY).population.instance_table.received
    )


def test_every_event_happens() -> None:
    recorded = RecordedPopulation(BUSY)
    recorded.run(MORNING + 2 * HOUR)
    assert {event for event, *_ in recorded.events} == set(InstanceEvent) - {
        InstanceEvent.MAX_CLIENTS_REACHED
    }


def test_without_churn_all_are_connected_and_stay() -> None:
    recorded = RecordedPopulation(ChurnProfile(churn=False), count=50)
    recorded.run(MORNING + 24 * HOUR)
    assert recorded.events == []
    assert recorded.population.instance_table.established == 50
    assert [i.client_id for i in recorded.population.instance_table.instances.values()] == list(
        range(50)
    )


@pytest.mark.parametrize("minutes", [0, 7, 60, 240])
def test_the_totals_are_the_bytes_of_all_rows_present_and_removed(minutes: int) -> None:
    recorded, now = RecordedPopulation(BUSY), MORNING
    departed = 0
    seen: dict[int, Instance] = {}
    for _ in range(minutes):
        now += 60
        recorded.run(now)
        seen |= recorded.population.instance_table.instances
    tick = activity_ticks(now)
    instance_table = recorded.population.instance_table
    present = sum(instance.received.at(tick) for instance in instance_table.instances.values())
    departed = sum(instance.received.at(tick) for instance in seen.values() if instance.removed)
    missed = instance_table.opened - len(seen)  # came and went within a minute: handshakes only
    unseen = instance_table.received.at(tick) - present - departed
    assert 0 <= unseen <= missed * 100_000_000
    assert minutes or unseen == 0


def test_counters_of_a_client_never_fall_and_stop_when_it_disconnects() -> None:
    recorded, now = RecordedPopulation(BUSY), MORNING
    last: dict[int, int] = {}
    silent: dict[int, int] = {}
    for _ in range(600):
        now += 5
        recorded.run(now)
        for client_id, instance in recorded.population.instance_table.instances.items():
            value = instance.received.at(activity_ticks(now))
            assert value >= last.get(client_id, 0)
            last[client_id] = value
            if instance.idle_since is not None:
                assert silent.setdefault(client_id, value) == value
    assert silent


def test_addresses_and_peer_ids_are_unique_and_reused_lowest_first() -> None:
    recorded = RecordedPopulation(BUSY)
    rows: list[Instance] = []
    for half_minute in range(120):
        recorded.run(MORNING + 30 * half_minute)
        rows = list(recorded.population.instance_table.instances.values())
        addresses = [row.virtual_address for row in rows if row.connected]
        assert len(set(addresses)) == len(addresses)
        assert len({row.peer_id for row in rows}) == len(rows)
    assert max(row.peer_id for row in rows) < recorded.population.instance_table.opened / 2


def test_a_row_has_no_name_and_no_address_before_the_client_is_connected() -> None:
    recorded = RecordedPopulation(ChurnProfile(port_scans=3600))
    recorded.run(MORNING + 30)
    pending = [
        row for row in recorded.population.instance_table.instances.values() if not row.connected
    ]
    assert pending
    for row in pending:
        assert (row.common_name, row.username, row.cipher) == ("UNDEF", "UNDEF", "BF-CBC")
        assert row.virtual_address == row.virtual_ipv6_address == ""


def test_clients_reconnect_after_an_exit_and_after_a_ping_timeout() -> None:
    recorded = RecordedPopulation(ChurnProfile(session_seconds=60, absence_seconds=60), count=1)
    recorded.run(MORNING + 10 * HOUR)
    events = [event for event, *_ in recorded.events]
    assert events.count(InstanceEvent.EXIT_NOTIFIED) > 10
    assert events.count(InstanceEvent.PING_TIMED_OUT) > 10


def test_a_killed_client_reconnects_and_its_scheduled_actions_are_void() -> None:
    recorded, now = (
        RecordedPopulation(ChurnProfile(session_seconds=60, absence_seconds=60)),
        MORNING,
    )
    for minute in range(60):
        now = MORNING + 60 * minute
        recorded.run(now)
        for instance in list(recorded.population.instance_table.instances.values()):
            recorded.population.kill(instance, now)
    recorded.run(now + 30)
    assert 5 < recorded.population.instance_table.established <= 20


def test_a_rejected_client_keeps_its_name_but_gets_no_address() -> None:
    recorded = RecordedPopulation(ChurnProfile(churn=False, wrong_passwords=600))
    recorded.run(MORNING + 60)
    (client_id, name, when), *_ = [
        entry[1:] for entry in recorded.events if entry[0] is InstanceEvent.PASSWORD_REJECTED
    ]
    assert name != "UNDEF"
    gone = (InstanceEvent.DELAYED_EXIT, client_id, name, when + 5)
    assert gone in recorded.events


def test_a_restart_begins_with_client_id_0_and_keeps_the_totals() -> None:
    recorded = RecordedPopulation(ChurnProfile(churn=False))
    instance_table = recorded.population.instance_table
    before = instance_table.received.at(activity_ticks(MORNING))
    instance_table.clear(MORNING)
    recorded.scheduler.clear()
    assert instance_table.instances == {}
    assert instance_table.received.at(activity_ticks(MORNING + 60)) == before
    recorded.population.reconnect_all(MORNING)
    recorded.run(MORNING + 30)
    assert sorted(instance_table.instances) == list(range(20))


def test_a_full_server_rejects_clients_until_there_is_room() -> None:
    recorded = RecordedPopulation(
        ChurnProfile(churn=False, port_scans=600, wrong_passwords=600), count=5, limit=3
    )
    for second in range(300):
        recorded.run(MORNING + second)
        assert len(recorded.population.instance_table.instances) <= 3
    away = [
        when
        for event, client_id, _, when in recorded.events
        if event is InstanceEvent.MAX_CLIENTS_REACHED
    ]
    assert (
        recorded.population.instance_table.established
        == recorded.population.instance_table.opened
        == 3
    )
    assert len(away) > 100
    recorded.population.kill(recorded.population.instance_table.instances[0], MORNING + 300)
    recorded.run(MORNING + 310)
    assert recorded.population.instance_table.opened > 3


def test_a_client_rejected_at_the_limit_retries_until_there_is_room() -> None:
    recorded = RecordedPopulation(ChurnProfile(churn=False), count=5, limit=3)
    recorded.run(MORNING + 60)
    assert [event for event, *_ in recorded.events].count(
        InstanceEvent.MAX_CLIENTS_REACHED
    ) in range(28, 61)
    leaving = recorded.population.instance_table.instances[0].common_name
    recorded.population.disconnect(leaving, MORNING + 60)
    recorded.run(MORNING + 70)
    there = [
        row.common_name
        for row in recorded.population.instance_table.instances.values()
        if row.connected
    ]
    assert len(there) == 3
    assert leaving not in there


@pytest.mark.parametrize(
    ("kind", "event"),
    [
        (FailureKind.PORT_SCAN, InstanceEvent.OPENED),
        (FailureKind.WRONG_PASSWORD, InstanceEvent.PASSWORD_REJECTED),
        (FailureKind.UNKNOWN_CA, InstanceEvent.CERTIFICATE_REJECTED),
        (FailureKind.SCRIPT_REJECTION, InstanceEvent.SCRIPT_REJECTED),
        (FailureKind.FLOAT, InstanceEvent.FLOATED),
    ],
)
def test_a_triggered_failure_happens_at_once_and_once(
    kind: FailureKind, event: InstanceEvent
) -> None:
    recorded = RecordedPopulation(ChurnProfile(churn=False))
    recorded.population.trigger(kind, MORNING)
    recorded.run(MORNING + HOUR)
    assert [when for messages, _, _, when in recorded.events if messages is event] == [MORNING]


def test_a_client_told_to_disconnect_stays_away_until_it_is_told_to_connect() -> None:
    recorded = RecordedPopulation(ChurnProfile(churn=False), count=1)
    (there,) = recorded.population.instance_table.instances.values()
    recorded.population.disconnect(there.common_name, MORNING)
    recorded.population.disconnect(there.common_name, MORNING + 1)
    recorded.run(MORNING + HOUR)
    assert [event for event, *_ in recorded.events] == [
        InstanceEvent.EXIT_NOTIFIED,
        InstanceEvent.DELAYED_EXIT,
    ]
    assert recorded.population.instance_table.instances == {}
    recorded.population.connect(there.identity, MORNING + HOUR)
    recorded.population.connect(ClientIdentity(common_name="guest"), MORNING + HOUR)
    recorded.run(MORNING + HOUR + 5)
    names = [
        row.common_name
        for row in recorded.population.instance_table.instances.values()
        if row.connected
    ]
    assert sorted(names) == sorted([there.common_name, "guest"])


def test_some_names_occur_twice_and_some_are_hostile() -> None:
    names = [person.common_name for person in make_identities(40, rng=Random(1))]
    assert len(set(names)) < len(names)
    assert {"Doe, John", "Zoë Müller 日本", ">FATAL:not really", "END"} <= set(names)
    assert "END" not in [
        person.common_name for person in make_identities(9, rng=Random(1), hostile_names=False)
    ]
