"""Variables are filled into queries as Grafana does it."""

import pytest

from tests.real.live.grafana import Window, escape, interpolate, regex_of


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (["office"], "office"),
        (["office", "uplink"], "(office|uplink)"),
        (["127.0.0.1:9176"], r"127\\.0\\.0\\.1:9176"),
        (["a(b", "c|d"], r"(a\\(b|c\\|d)"),
        (["a\\b"], r"a\\\\b"),
    ],
)
def test_several_values_become_a_regex_of_literals(values: list[str], text: str) -> None:
    assert regex_of(values) == text


def test_single_value_is_escaped_for_its_quotes() -> None:
    assert escape('dave "the\\rat"') == r"dave \"the\\rat\""


def test_variable_names_in_braces_and_longer_names_are_distinguished() -> None:
    chosen = {"job": "a", "job_name": "b"}
    assert interpolate("$job ${job} $job_name", chosen) == "a a b"
    with pytest.raises(KeyError):
        interpolate("$unknown", chosen)


def test_rate_interval_covers_four_scrapes() -> None:
    built_in = Window(start=100.0, end=130.5).built_in()
    assert built_in == {
        "__range": "31s",
        "__interval": "1s",
        "__interval_ms": "1000",
        "__rate_interval": "3000ms",
    }
