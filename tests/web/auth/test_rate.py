from exporter.web.auth.rate import TokenBucket
from exporter.web.web_config import Rate

RATE = Rate(interval=2.0, burst=3)


def taken(bucket: TokenBucket, rate: Rate | None, now: float) -> int:
    """Take until there is nothing left, ten at most."""
    return next((count for count in range(10) if not bucket.take(rate, now)), 10)


def test_a_burst_is_let_through_and_then_one_an_interval() -> None:
    bucket = TokenBucket()
    assert taken(bucket, RATE, 100.0) == 3
    assert taken(bucket, RATE, 101.9) == 0
    assert taken(bucket, RATE, 102.0) == 1
    assert taken(bucket, RATE, 106.5) == 2
    assert taken(bucket, RATE, 108.0) == 1


def test_a_long_pause_saves_up_no_more_than_a_burst() -> None:
    bucket = TokenBucket()
    assert taken(bucket, RATE, 0.0) == 3
    assert taken(bucket, RATE, 1e9) == 3


def test_no_rate_is_no_limit_and_another_one_begins_anew() -> None:
    bucket = TokenBucket()
    assert taken(bucket, RATE, 0.0) == 3
    assert taken(bucket, None, 0.0) == 10
    assert taken(bucket, Rate(interval=2.0, burst=5), 0.0) == 5
