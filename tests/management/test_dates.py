"""Both spellings of a date, in the daemon's zone."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.management.values import parse_date

PARIS = timezone(timedelta(hours=1))
MOMENT = int(datetime(2026, 11, 3, 3, 30, 16, tzinfo=UTC).timestamp())


@pytest.mark.parametrize("text", ["2026-11-03 03:30:16", "Tue Nov  3 03:30:16 2026"])
def test_either_spelling_is_read_in_the_zone_given(text: str) -> None:
    assert parse_date(text, UTC) == MOMENT
    assert parse_date(text, PARIS) == MOMENT - 3600


def test_without_a_zone_it_is_this_machines() -> None:
    local = datetime(2026, 11, 3, 3, 30, 16).astimezone()
    assert parse_date("2026-11-03 03:30:16") == int(local.timestamp())


def test_a_leap_second_is_the_one_before() -> None:
    assert parse_date("2016-12-31 23:59:60", UTC) == parse_date("2016-12-31 23:59:59", UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-11-03",
        "2026-13-03 03:30:16",
        "2026-02-30 03:30:16",
        "2026-11-03 24:00:00",
        "0000-01-01 00:00:00",
        "2026-11-03 03:30:16 ",
        "2026-11-03T03:30:16",
        "٢٠٢٦-11-03 03:30:16",
        "Tue Nov 31 03:30:16 2026",
        "Tue Nov   03:30:16 2026",
        "Tue Foo  3 03:30:16 2026",
        "Tue Nov 3 03:30:16 2026",
    ],
)
def test_anything_else_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_date(text, UTC)


@given(st.integers(0, 2**32))
def test_every_date_reads_the_same_in_both_spellings(seconds: int) -> None:
    moment = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
    assert parse_date(moment.isoformat(" "), UTC) == seconds
    assert parse_date(moment.ctime(), UTC) == seconds
