import pytest

from exporter.web.landing.quantities import format_age, format_bytes


@pytest.mark.parametrize(
    ("count", "shown"),
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
def test_bytes_have_three_digits_and_the_unit_that_fits(count: float, shown: str) -> None:
    assert format_bytes(count) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
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
def test_ages_have_one_unit_and_are_rounded_down(seconds: float, shown: str) -> None:
    assert format_age(seconds) == shown
