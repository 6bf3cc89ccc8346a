from hypothesis import given
from hypothesis import strategies as st

from exporter.simulator.population.counter import TICKS_PER_SECOND, LinearCounter, activity_ticks

DAY = 86_400


def test_a_counter_has_its_value_where_it_started_and_grows_from_there() -> None:
    meter = LinearCounter.started(1_000, value=3_000, rate=7)
    assert meter.at(1_000) == 3_000
    assert meter.at(1_010) == 3_070


def test_a_stopped_counter_does_not_grow() -> None:
    meter = LinearCounter.started(10, value=5, rate=2).stopped(20)
    assert meter.at(20) == 25
    assert meter.at(1_000) == 25


@given(st.integers(), st.integers(), st.integers(), st.integers(), st.integers())
def test_the_sum_of_counters_is_the_counter_of_the_sum(
    offset: int, rate: int, other_offset: int, other_rate: int, tick: int
) -> None:
    one, other = LinearCounter(offset, rate), LinearCounter(other_offset, other_rate)
    assert (one + other).at(tick) == one.at(tick) + other.at(tick)
    assert (one + other - other).at(tick) == one.at(tick)


@given(
    st.floats(1_700_000_000, 1_900_000_000),
    st.floats(0, 10 * DAY),
)
def test_activity_never_runs_backwards(now: float, seconds: float) -> None:
    assert activity_ticks(now + seconds) >= activity_ticks(now)


def test_a_day_has_the_activity_of_a_day_but_its_noon_has_more_than_its_night() -> None:
    midnight = 1_795_392_000.0
    assert (
        abs(activity_ticks(midnight + DAY) - activity_ticks(midnight) - DAY * TICKS_PER_SECOND)
        < DAY // 50
    )
    night = activity_ticks(midnight + 6_600) - activity_ticks(midnight)
    noon = activity_ticks(midnight + DAY / 2 + 6_600) - activity_ticks(midnight + DAY / 2)
    assert noon > 3 * night
