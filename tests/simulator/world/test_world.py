from random import Random

import pytest

from exporter.simulator.world.agenda import Agenda
from exporter.simulator.world.event import Event
from exporter.simulator.world.habits import Habits
from exporter.simulator.world.identity import Identity, people
from exporter.simulator.world.incidents import Incident
from exporter.simulator.world.instance import Instance
from exporter.simulator.world.meter import ticks
from exporter.simulator.world.world import World
from tests.simulator.stopped_clock import MORNING

HOUR = 3600.0
BUSY = Habits(
    session_seconds=300,
    absence_seconds=200,
    scans=60,
    bad_passwords=60,
    foreign_certificates=60,
    script_refusals=60,
    floats=60,
)


class Story:
    """A world and all that happened in it."""

    def __init__(
        self, habits: Habits, *, count: int = 20, seed: int = 1, limit: int | None = None
    ) -> None:
        self.told: list[tuple[Event, int, str, float]] = []
        self.agenda = Agenda()
        rng = Random(seed)
        crowd = people(count, rng=rng)
        self.world = World(
            crowd, habits, rng=rng, agenda=self.agenda, observer=self._observe, limit=limit
        )
        self.world.populate(start=MORNING - 10 * HOUR, now=MORNING)

    def _observe(self, event: Event, instance: Instance, now: float) -> None:
        self.told.append((event, instance.client_id, instance.common_name, now))

    def run(self, until: float) -> None:
        while self.agenda.due <= until:
            self.agenda.run_next()


def test_the_same_seed_tells_the_same_story_however_often_one_looks() -> None:
    once, often = Story(BUSY), Story(BUSY)
    once.run(MORNING + HOUR)
    for minute in range(61):
        often.run(MORNING + 60 * minute)
    assert once.told == often.told
    assert len(once.told) > 100
    assert Story(BUSY, seed=2).world.roster.received != Story(BUSY).world.roster.received


def test_everything_happens_that_can() -> None:
    story = Story(BUSY)
    story.run(MORNING + 2 * HOUR)
    assert {event for event, *_ in story.told} == set(Event) - {
        Event.ADMISSION_ASKED,
        Event.TURNED_AWAY,
    }


def test_without_churn_all_are_connected_and_stay() -> None:
    story = Story(Habits(churn=False), count=50)
    story.run(MORNING + 24 * HOUR)
    assert story.told == []
    assert story.world.roster.established == 50
    assert [i.client_id for i in story.world.roster.instances.values()] == list(range(50))


@pytest.mark.parametrize("minutes", [0, 7, 60, 240])
def test_the_totals_are_what_rows_and_departed_have_moved(minutes: int) -> None:
    story, now = Story(BUSY), MORNING
    departed = 0
    seen: dict[int, Instance] = {}
    for _ in range(minutes):
        now += 60
        story.run(now)
        seen |= story.world.roster.instances
    tick = ticks(now)
    roster = story.world.roster
    present = sum(instance.received.at(tick) for instance in roster.instances.values())
    departed = sum(instance.received.at(tick) for instance in seen.values() if instance.gone)
    missed = roster.opened - len(seen)  # came and went within a minute: handshakes only
    unseen = roster.received.at(tick) - present - departed
    assert 0 <= unseen <= missed * 100_000_000
    assert minutes or unseen == 0


def test_counters_of_a_client_never_fall_and_stop_when_it_falls_silent() -> None:
    story, now = Story(BUSY), MORNING
    last: dict[int, int] = {}
    silent: dict[int, int] = {}
    for _ in range(600):
        now += 5
        story.run(now)
        for client_id, instance in story.world.roster.instances.items():
            value = instance.received.at(ticks(now))
            assert value >= last.get(client_id, 0)
            last[client_id] = value
            if instance.silent_since is not None:
                assert silent.setdefault(client_id, value) == value
    assert silent


def test_addresses_and_peer_ids_are_unique_and_reused_lowest_first() -> None:
    story = Story(BUSY)
    rows: list[Instance] = []
    for half_minute in range(120):
        story.run(MORNING + 30 * half_minute)
        rows = list(story.world.roster.instances.values())
        addresses = [row.virtual_address for row in rows if row.connected]
        assert len(set(addresses)) == len(addresses)
        assert len({row.peer_id for row in rows}) == len(rows)
    assert max(row.peer_id for row in rows) < story.world.roster.opened / 2


def test_a_row_has_no_name_and_no_address_before_the_client_is_connected() -> None:
    story = Story(Habits(scans=3600))
    story.run(MORNING + 30)
    pending = [row for row in story.world.roster.instances.values() if not row.connected]
    assert pending
    for row in pending:
        assert (row.common_name, row.username, row.cipher) == ("UNDEF", "UNDEF", "BF-CBC")
        assert row.virtual_address == row.virtual_ipv6_address == ""


def test_people_come_back_whichever_way_they_left() -> None:
    story = Story(Habits(session_seconds=60, absence_seconds=60), count=1)
    story.run(MORNING + 10 * HOUR)
    events = [event for event, *_ in story.told]
    assert events.count(Event.EXIT_NOTIFIED) > 10
    assert events.count(Event.PING_TIMED_OUT) > 10


def test_whoever_is_dismissed_comes_back_and_its_old_plans_are_void() -> None:
    story, now = Story(Habits(session_seconds=60, absence_seconds=60)), MORNING
    for minute in range(60):
        now = MORNING + 60 * minute
        story.run(now)
        for instance in list(story.world.roster.instances.values()):
            story.world.dismiss(instance, now)
    story.run(now + 30)
    assert 5 < story.world.roster.established <= 20


def test_a_rejected_client_keeps_its_name_but_gets_no_address() -> None:
    story = Story(Habits(churn=False, bad_passwords=600))
    story.run(MORNING + 60)
    (client_id, name, when), *_ = [
        entry[1:] for entry in story.told if entry[0] is Event.PASSWORD_REJECTED
    ]
    assert name != "UNDEF"
    gone = (Event.DELAYED_EXIT, client_id, name, when + 5)
    assert gone in story.told


def test_a_restart_begins_with_client_id_0_and_keeps_the_totals() -> None:
    story = Story(Habits(churn=False))
    roster = story.world.roster
    before = roster.received.at(ticks(MORNING))
    roster.clear(MORNING)
    story.agenda.clear()
    assert roster.instances == {}
    assert roster.received.at(ticks(MORNING + 60)) == before
    story.world.return_all(MORNING)
    story.run(MORNING + 30)
    assert sorted(roster.instances) == list(range(20))


def test_a_full_server_turns_everybody_away_until_there_is_room() -> None:
    story = Story(Habits(churn=False, scans=600, bad_passwords=600), count=5, limit=3)
    for second in range(300):
        story.run(MORNING + second)
        assert len(story.world.roster.instances) <= 3
    away = [when for event, client_id, _, when in story.told if event is Event.TURNED_AWAY]
    assert story.world.roster.established == story.world.roster.opened == 3
    assert len(away) > 100
    story.world.dismiss(story.world.roster.instances[0], MORNING + 300)
    story.run(MORNING + 310)
    assert story.world.roster.opened > 3


def test_whoever_is_turned_away_knocks_again_and_comes_in_when_somebody_left() -> None:
    story = Story(Habits(churn=False), count=5, limit=3)
    story.run(MORNING + 60)
    assert [event for event, *_ in story.told].count(Event.TURNED_AWAY) in range(28, 61)
    leaving = story.world.roster.instances[0].common_name
    story.world.depart(leaving, MORNING + 60)
    story.run(MORNING + 70)
    there = [row.common_name for row in story.world.roster.instances.values() if row.connected]
    assert len(there) == 3
    assert leaving not in there


@pytest.mark.parametrize(
    ("incident", "event"),
    [
        (Incident.SCAN, Event.OPENED),
        (Incident.BAD_PASSWORD, Event.PASSWORD_REJECTED),
        (Incident.FOREIGN_CERTIFICATE, Event.CERTIFICATE_REFUSED),
        (Incident.SCRIPT_REFUSAL, Event.SCRIPT_REFUSED),
        (Incident.FLOAT, Event.FLOATED),
    ],
)
def test_what_is_told_to_go_wrong_goes_wrong_now_and_once(incident: Incident, event: Event) -> None:
    story = Story(Habits(churn=False))
    story.world.suffer(incident, MORNING)
    story.run(MORNING + HOUR)
    assert [when for told, _, _, when in story.told if told is event] == [MORNING]


def test_whoever_departs_says_goodbye_stays_away_and_may_be_told_to_come() -> None:
    story = Story(Habits(churn=False), count=1)
    (there,) = story.world.roster.instances.values()
    story.world.depart(there.common_name, MORNING)
    story.world.depart(there.common_name, MORNING + 1)
    story.run(MORNING + HOUR)
    assert [event for event, *_ in story.told] == [Event.EXIT_NOTIFIED, Event.DELAYED_EXIT]
    assert story.world.roster.instances == {}
    story.world.arrive(there.identity, MORNING + HOUR)
    story.world.arrive(Identity(common_name="guest"), MORNING + HOUR)
    story.run(MORNING + HOUR + 5)
    names = [row.common_name for row in story.world.roster.instances.values() if row.connected]
    assert sorted(names) == sorted([there.common_name, "guest"])


def test_some_names_have_two_sessions_and_some_are_awkward() -> None:
    names = [person.common_name for person in people(40, rng=Random(1))]
    assert len(set(names)) < len(names)
    assert {"Doe, John", "Zoë Müller 日本", ">FATAL:not really", "END"} <= set(names)
    assert "END" not in [person.common_name for person in people(9, rng=Random(1), quirks=False)]
