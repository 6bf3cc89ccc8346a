from hypothesis import given
from hypothesis import strategies as st

from exporter.state.counters import Histogram, ResettingCounter


def grown(*values: int) -> int:
    growth = ResettingCounter()
    for value in values:
        growth.update(value)
    return growth.total


def test_all_of_the_first_value_counts() -> None:
    assert grown(7) == 7


def test_growth_adds_up_to_the_last_value() -> None:
    assert grown(1, 5, 5, 9) == 9


def test_a_value_that_fell_restarted_at_zero() -> None:
    assert grown(10, 3) == 13
    assert grown(10, 0, 4) == 14


def test_each_update_returns_the_growth() -> None:
    growth = ResettingCounter()
    assert [growth.update(value) for value in (4, 6, 6, 1)] == [4, 2, 0, 1]


def test_all_of_the_value_counts_after_a_restart() -> None:
    growth = ResettingCounter()
    growth.update(10)
    growth.restart()
    assert growth.update(12) == 12
    assert growth.total == 22


def test_a_restart_before_the_first_value_changes_nothing() -> None:
    growth = ResettingCounter()
    growth.restart()
    growth.update(4)
    assert growth.total == 4


@given(st.lists(st.one_of(st.none(), st.integers(0, 2**64 - 1))))
def test_the_total_is_the_sum_of_the_last_values_before_each_reset(
    history: list[int | None],
) -> None:
    """None stands for a restart that is known of."""
    growth = ResettingCounter()
    truth = life = 0
    for value in history:
        before = growth.total
        if value is None:
            growth.restart()
            truth, life = truth + life, 0
        else:
            truth, life = (truth, value) if value >= life else (truth + life, value)
            assert growth.update(value) == growth.total - before >= 0
        assert growth.total == truth + life


def test_an_empty_histogram_is_zero_in_every_bucket() -> None:
    histogram = Histogram((1, 10))
    assert list(histogram.bounds) == [1, 10, float("inf")]
    assert histogram.cumulative == (0, 0, 0)
    assert histogram.sum == 0


def test_each_bucket_counts_the_values_up_to_its_bound() -> None:
    histogram = Histogram((1, 10))
    for value in (0, 1, 2, 10, 11):
        histogram.observe(value)
    assert histogram.cumulative == (2, 4, 5)
    assert histogram.sum == 24
