from random import Random

import pytest

from exporter.simulator.population.counter import activity_ticks
from exporter.simulator.population.failures import FailureKind
from exporter.simulator.population.identity import ClientIdentity, make_identities
from exporter.simulator.population.instance import Event, Instance
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


class Story:
    """A world and all that happened in it."""

    def __init__(
        self, profile: ChurnProfile, *, count: int = 20, seed: int = 1, limit: int | None = None
    ) -> None:
        self.told: list[tuple[Event, int, str, float]] = []
        self.scheduler = Scheduler()
        rng = Random(seed)
        crowd = make_identities(count, rng=rng)
        self.population = ClientPopulation(
            crowd, profile, rng=rng, scheduler=self.scheduler, observer=self._observe, limit=limit
        )
        self.population.populate(start=MORNING - 10 * HOUR, now=MORNING)

    def _observe(self, event: Event, instance: Instance, now: float) -> None:
        self.told.append((event, instance.client_id, instance.common_name, now))

    def run(self, until: float) -> None:
        while self.scheduler.next_due <= until:
            self.scheduler.run_next()


def test_the_same_seed_tells_the_same_story_however_often_one_looks() -> None:
    once, often = Story(BUSY), Story(BUSY)
    once.run(MORNING + HOUR)
    for minute in range(61):
        often.run(MORNING + 60 * minute)
    assert once.told == often.told
    assert len(once.told) > 100
    assert (
        Story(BUSY, seed=2).population.client_table.received
        != Story(BUSY).population.client_table.received
    )


def test_everything_happens_that_can() -> None:
    story = Story(BUSY)
    story.run(MORNING + 2 * HOUR)
    assert {event for event, *_ in story.told} == set(Event) - {Event.MAX_CLIENTS_REACHED}


def test_without_churn_all_are_connected_and_stay() -> None:
    story = Story(ChurnProfile(churn=False), count=50)
    story.run(MORNING + 24 * HOUR)
    assert story.told == []
    assert story.population.client_table.established == 50
    assert [i.client_id for i in story.population.client_table.instances.values()] == list(
        range(50)
    )


@pytest.mark.parametrize("minutes", [0, 7, 60, 240])
def test_the_totals_are_what_rows_and_departed_have_moved(minutes: int) -> None:
    story, now = Story(BUSY), MORNING
    departed = 0
    seen: dict[int, Instance] = {}
    for _ in range(minutes):
        now += 60
        story.run(now)
        seen |= story.population.client_table.instances
    tick = activity_ticks(now)
    client_table = story.population.client_table
    present = sum(instance.received.at(tick) for instance in client_table.instances.values())
    departed = sum(instance.received.at(tick) for instance in seen.values() if instance.removed)
    missed = client_table.opened - len(seen)  # came and went within a minute: handshakes only
    unseen = client_table.received.at(tick) - present - departed
    assert 0 <= unseen <= missed * 100_000_000
    assert minutes or unseen == 0


def test_counters_of_a_client_never_fall_and_stop_when_it_falls_silent() -> None:
    story, now = Story(BUSY), MORNING
    last: dict[int, int] = {}
    silent: dict[int, int] = {}
    for _ in range(600):
        now += 5
        story.run(now)
        for client_id, instance in story.population.client_table.instances.items():
            value = instance.received.at(activity_ticks(now))
            assert value >= last.get(client_id, 0)
            last[client_id] = value
            if instance.idle_since is not None:
                assert silent.setdefault(client_id, value) == value
    assert silent


def test_addresses_and_peer_ids_are_unique_and_reused_lowest_first() -> None:
    story = Story(BUSY)
    rows: list[Instance] = []
    for half_minute in range(120):
        story.run(MORNING + 30 * half_minute)
        rows = list(story.population.client_table.instances.values())
        addresses = [row.virtual_address for row in rows if row.connected]
        assert len(set(addresses)) == len(addresses)
        assert len({row.peer_id for row in rows}) == len(rows)
    assert max(row.peer_id for row in rows) < story.population.client_table.opened / 2


def test_a_row_has_no_name_and_no_address_before_the_client_is_connected() -> None:
    story = Story(ChurnProfile(port_scans=3600))
    story.run(MORNING + 30)
    pending = [row for row in story.population.client_table.instances.values() if not row.connected]
    assert pending
    for row in pending:
        assert (row.common_name, row.username, row.cipher) == ("UNDEF", "UNDEF", "BF-CBC")
        assert row.virtual_address == row.virtual_ipv6_address == ""


def test_people_reconnect_later_whichever_way_they_left() -> None:
    story = Story(ChurnProfile(session_seconds=60, absence_seconds=60), count=1)
    story.run(MORNING + 10 * HOUR)
    events = [event for event, *_ in story.told]
    assert events.count(Event.EXIT_NOTIFIED) > 10
    assert events.count(Event.PING_TIMED_OUT) > 10


def test_whoever_is_dismissed_comes_back_and_its_old_plans_are_void() -> None:
    story, now = Story(ChurnProfile(session_seconds=60, absence_seconds=60)), MORNING
    for minute in range(60):
        now = MORNING + 60 * minute
        story.run(now)
        for instance in list(story.population.client_table.instances.values()):
            story.population.kill(instance, now)
    story.run(now + 30)
    assert 5 < story.population.client_table.established <= 20


def test_a_rejected_client_keeps_its_name_but_gets_no_address() -> None:
    story = Story(ChurnProfile(churn=False, wrong_passwords=600))
    story.run(MORNING + 60)
    (client_id, name, when), *_ = [
        entry[1:] for entry in story.told if entry[0] is Event.PASSWORD_REJECTED
    ]
    assert name != "UNDEF"
    gone = (Event.DELAYED_EXIT, client_id, name, when + 5)
    assert gone in story.told


def test_a_restart_begins_with_client_id_0_and_keeps_the_totals() -> None:
    story = Story(ChurnProfile(churn=False))
    client_table = story.population.client_table
    before = client_table.received.at(activity_ticks(MORNING))
    client_table.clear(MORNING)
    story.scheduler.clear()
    assert client_table.instances == {}
    assert client_table.received.at(activity_ticks(MORNING + 60)) == before
    story.population.reconnect_all(MORNING)
    story.run(MORNING + 30)
    assert sorted(client_table.instances) == list(range(20))


def test_a_full_server_turns_everybody_away_until_there_is_room() -> None:
    story = Story(ChurnProfile(churn=False, port_scans=600, wrong_passwords=600), count=5, limit=3)
    for second in range(300):
        story.run(MORNING + second)
        assert len(story.population.client_table.instances) <= 3
    away = [when for event, client_id, _, when in story.told if event is Event.MAX_CLIENTS_REACHED]
    assert story.population.client_table.established == story.population.client_table.opened == 3
    assert len(away) > 100
    story.population.kill(story.population.client_table.instances[0], MORNING + 300)
    story.run(MORNING + 310)
    assert story.population.client_table.opened > 3


def test_whoever_is_turned_away_knocks_again_and_comes_in_when_somebody_left() -> None:
    story = Story(ChurnProfile(churn=False), count=5, limit=3)
    story.run(MORNING + 60)
    assert [event for event, *_ in story.told].count(Event.MAX_CLIENTS_REACHED) in range(28, 61)
    leaving = story.population.client_table.instances[0].common_name
    story.population.disconnect(leaving, MORNING + 60)
    story.run(MORNING + 70)
    there = [
        row.common_name for row in story.population.client_table.instances.values() if row.connected
    ]
    assert len(there) == 3
    assert leaving not in there


@pytest.mark.parametrize(
    ("kind", "event"),
    [
        (FailureKind.PORT_SCAN, Event.OPENED),
        (FailureKind.WRONG_PASSWORD, Event.PASSWORD_REJECTED),
        (FailureKind.UNKNOWN_CA, Event.CERTIFICATE_REJECTED),
        (FailureKind.SCRIPT_REJECTION, Event.SCRIPT_REJECTED),
        (FailureKind.FLOAT, Event.FLOATED),
    ],
)
def test_what_is_told_to_go_wrong_goes_wrong_now_and_once(kind: FailureKind, event: Event) -> None:
    story = Story(ChurnProfile(churn=False))
    story.population.trigger(kind, MORNING)
    story.run(MORNING + HOUR)
    assert [when for told, _, _, when in story.told if told is event] == [MORNING]


def test_whoever_departs_says_goodbye_stays_away_and_may_be_told_to_come() -> None:
    story = Story(ChurnProfile(churn=False), count=1)
    (there,) = story.population.client_table.instances.values()
    story.population.disconnect(there.common_name, MORNING)
    story.population.disconnect(there.common_name, MORNING + 1)
    story.run(MORNING + HOUR)
    assert [event for event, *_ in story.told] == [Event.EXIT_NOTIFIED, Event.DELAYED_EXIT]
    assert story.population.client_table.instances == {}
    story.population.connect(there.identity, MORNING + HOUR)
    story.population.connect(ClientIdentity(common_name="guest"), MORNING + HOUR)
    story.run(MORNING + HOUR + 5)
    names = [
        row.common_name for row in story.population.client_table.instances.values() if row.connected
    ]
    assert sorted(names) == sorted([there.common_name, "guest"])


def test_some_names_have_two_sessions_and_some_are_awkward() -> None:
    names = [person.common_name for person in make_identities(40, rng=Random(1))]
    assert len(set(names)) < len(names)
    assert {"Doe, John", "Zoë Müller 日本", ">FATAL:not really", "END"} <= set(names)
    assert "END" not in [
        person.common_name for person in make_identities(9, rng=Random(1), hostile_names=False)
    ]
