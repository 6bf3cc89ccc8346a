import pytest
from aiohttp.test_utils import make_mocked_request

from exporter.web.scrape_timeout import DEFAULT, HEADER, TIMEOUT_OFFSET, scrape_timeout


def waits(said: str) -> float:
    return scrape_timeout(make_mocked_request("GET", "/metrics", headers={HEADER: said}))


@pytest.mark.parametrize(
    ("said", "seconds"), [("10", 9.5), ("10.000000", 9.5), (" 3.25 ", 2.75), ("0.2", 0.0)]
)
def test_a_scrape_may_wait_for_as_long_as_its_prometheus_less_a_margin(
    said: str, seconds: float
) -> None:
    assert waits(said) == seconds


@pytest.mark.parametrize(
    "said",
    ["", "soon", "-1", "nan", "inf", "1e9", "1_0", "9" * 400, "10,10", "\u0661\u0660", "0x10"],
)
def test_nonsense_is_the_same_as_nothing(said: str) -> None:
    assert waits(said) == DEFAULT - TIMEOUT_OFFSET


def test_who_says_nothing_is_taken_for_a_prometheus_by_default() -> None:
    assert scrape_timeout(make_mocked_request("GET", "/metrics")) == DEFAULT - TIMEOUT_OFFSET
