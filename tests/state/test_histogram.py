"""A distribution in fixed buckets."""

from exporter.state.histogram import Histogram


def test_nothing_observed_is_zero_in_every_bucket() -> None:
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
