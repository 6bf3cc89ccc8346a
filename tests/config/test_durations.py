import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.config import durations


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("15s", 15.0),
        ("500ms", 0.5),
        ("1h30m", 5400.0),
        ("1m", 60.0),
        ("1m5ms", 60.005),
        ("1y1w1d", 365 * 86400.0 + 7 * 86400.0 + 86400.0),
        ("0s", 0.0),
    ],
)
def test_duration_is_read_as_seconds(text: str, seconds: float) -> None:
    assert durations.parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["15", "1.5", "0"])
def test_number_without_a_unit_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="has no unit: write it with one, as in 15s"):
        durations.parse_duration(text)


@pytest.mark.parametrize(
    "text", ["", "s", "-1s", "1.5s", "1 s", "30m1h", "1s1s", "15S", "15s\n", "٣s", "1" * 10 + "s"]
)
def test_text_that_is_no_duration_of_prometheus_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        durations.parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(15.0, "15s"), (0.1, "100ms"), (5400.0, "1h30m"), (3600.0, "1h"), (0.0, "0s")],
)
def test_seconds_are_formatted_with_the_largest_units(seconds: float, text: str) -> None:
    assert durations.format_duration(seconds) == text


@given(st.integers(min_value=0, max_value=10**13))
def test_formatted_duration_is_read_back(milliseconds: int) -> None:
    assert (
        durations.parse_duration(durations.format_duration(milliseconds / 1000))
        == milliseconds / 1000
    )
