"""The soak itself: a short run, and what it measures."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench.trend import CounterCheck, Trend

ROOT = Path(__file__).parents[1]
SLOW = ("slowest", "longest", "SIGTERM")
"""Limits that a machine under the load of other tests may exceed."""

PAGE = b'# HELP a_total A.\n# TYPE a_total counter\na_total{daemon="x y"} %d\n'


def test_a_short_soak_finds_no_leak_and_no_counter_that_fell() -> None:
    attacks = ("log-flood", "garbage", "hang", "new-names", "close-after-a-poll")
    arguments = [argument for kind in attacks for argument in ("--attack", kind)]
    result = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-m", "bench.soak", "--minutes", "0.1", "--settle", "4", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    rows = result.stdout.splitlines()
    failed = [row for row in rows if row.endswith("FALLS SHORT")]
    assert [row for row in failed if not row.startswith(SLOW)] == [], result.stdout + result.stderr
    checked = [row for row in rows if row.endswith("ok")]
    assert len(checked) + len(failed) == 16, result.stdout + result.stderr


def test_a_counter_that_falls_is_found() -> None:
    check = CounterCheck()
    for value in (1, 3, 2):
        check.check(PAGE % value)
    assert check.fallen == ['a_total{daemon="x y"}: 3 to 2']


def test_a_counter_that_was_missing_may_start_again() -> None:
    check = CounterCheck()
    for page in (PAGE % 3, b"", PAGE % 2):
        check.check(page)
    assert check.fallen == []


def test_a_client_may_start_again_after_a_poll_that_no_scrape_shows() -> None:
    page = b'# TYPE a_total counter\na_total{common_name="x"} %d\nb_total{common="x"} %d\n'
    check = CounterCheck()
    check.check(page % (3, 3))
    check.check(page % (2, 2), polls_missed=True)
    assert check.fallen == ['b_total{common="x"}: 3 to 2']
    check.check(page % (1, 2))
    assert check.fallen[1:] == ['a_total{common_name="x"}: 2 to 1']


def test_a_gauge_may_fall() -> None:
    check = CounterCheck()
    for value in (b"3", b"2"):
        check.check(b"# TYPE a gauge\na " + value + b"\n")
    assert check.fallen == []


def test_a_leak_is_a_slope_and_a_growth_however_much_is_used_for_a_moment() -> None:
    trend = Trend()
    for second in range(120):
        trend.add(second, 100 + second / 2 + (500 if second % 2 else 0))
    assert trend.slope == pytest.approx(30)
    assert trend.growth == pytest.approx(20)
    assert trend.peak == pytest.approx(659.5)


def test_what_is_used_for_a_moment_is_no_slope() -> None:
    trend = Trend()
    for second in range(120):
        trend.add(second, 600 if second % 2 else 100)
    assert trend.slope == pytest.approx(0)
    assert trend.growth == pytest.approx(0)
