from exporter.monitor.rate_limit import MAX_LOG_BYTES, MAX_LOG_LINES, LogRateLimit, RateLimit


def lines(limit: LogRateLimit, count: int, now: float) -> list[bool]:
    return [limit.exceeded_at(now, 1) for _ in range(count)]


def test_a_second_may_have_as_many_lines_as_the_limit() -> None:
    limit = LogRateLimit()
    for second in range(3):
        assert not any(lines(limit, MAX_LOG_LINES, float(second)))
    assert not limit.exceeded
    assert not limit.pop_exceeded()


def test_one_line_more_is_reported_once() -> None:
    limit = LogRateLimit()
    assert lines(limit, MAX_LOG_LINES + 3, 5.0)[-3:] == [True, False, False]
    assert limit.exceeded
    assert not any(lines(limit, MAX_LOG_LINES + 1, 7.0))


def test_the_log_is_switched_off_once() -> None:
    limit = LogRateLimit()
    lines(limit, MAX_LOG_LINES + 1, 5.0)
    assert [limit.pop_exceeded(), limit.pop_exceeded()] == [True, False]


def test_few_lines_of_many_bytes_are_a_flood_too() -> None:
    limit = LogRateLimit()
    assert not limit.exceeded_at(5.0, MAX_LOG_BYTES)
    assert not limit.exceeded_at(6.0, MAX_LOG_BYTES)
    assert limit.exceeded_at(6.5, 1)


def test_lines_that_come_together_are_counted_together() -> None:
    limit = RateLimit(10, 100)
    assert not limit.exceeded_at(5.0, 10, 100)
    assert limit.exceeded_at(5.5, 1, 0)
    assert not limit.exceeded_at(6.0, 1, 100)
    assert limit.exceeded_at(6.1, 0, 1)
