import pytest

from exporter.web.pages.units import format_age, format_bytes, format_rate


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (0.4, "0 B"),
        (999, "999 B"),
        (1000, "1.00 kB"),
        (9310, "9.31 kB"),
        (93_100, "93.1 kB"),
        (931_000, "931 kB"),
        (999_499, "999 kB"),
        (999_500, "1.00 MB"),
        (931_000_000, "931 MB"),
        (2 * 10**12, "2.00 TB"),
        (2**64, "18.4 EB"),
        (10**24, "1000000 EB"),
    ],
)
def test_bytes_have_three_digits_and_the_unit_that_fits(count: float, text: str) -> None:
    assert format_bytes(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (0.9, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7199, "119 min"),
        (7200, "2 h"),
        (86400 * 2 - 1, "47 h"),
        (86400 * 400, "400 d"),
    ],
)
def test_ages_have_one_unit_and_are_rounded_down(seconds: float, text: str) -> None:
    assert format_age(seconds) == text


def test_an_unknown_number_of_bytes_and_an_unknown_rate_are_empty() -> None:
    assert (format_bytes(None), format_rate(None)) == ("", "")


def test_a_rate_is_per_second() -> None:
    assert format_rate(9310.0) == "9.31 kB/s"
