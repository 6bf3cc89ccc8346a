from exporter.monitor.log_rate_limit import MAX_LINES_PER_SECOND, LogRateLimit


def lines(limit: LogRateLimit, count: int, now: float) -> list[bool]:
    return [limit.exceeded_at(now) for _ in range(count)]


def test_a_second_may_have_as_many_lines_as_the_limit() -> None:
    limit = LogRateLimit()
    for second in range(3):
        assert not any(lines(limit, MAX_LINES_PER_SECOND, float(second)))
    assert not limit.exceeded
    assert not limit.pop_trip()


def test_one_line_more_is_reported_once() -> None:
    limit = LogRateLimit()
    assert lines(limit, MAX_LINES_PER_SECOND + 3, 5.0)[-3:] == [True, False, False]
    assert limit.exceeded
    assert not any(lines(limit, MAX_LINES_PER_SECOND + 1, 7.0))


def test_the_log_is_switched_off_once() -> None:
    limit = LogRateLimit()
    lines(limit, MAX_LINES_PER_SECOND + 1, 5.0)
    assert [limit.pop_trip(), limit.pop_trip()] == [True, False]
