"""Sizes, rates, ages and times as text."""

import datetime

from exporter.web.pages.html import Html, element, fill, join

_SIZE_UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
_SIZE_STEP = 1000
_MAX_COUNT = 999.5
"""From which on a number is shown in the next unit: it would be 1000."""

_SECONDS = len("2026-11-23T12:00:00")

_AGE_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_MIN_COUNT = 2
"""Smallest count of a unit of time, seconds excepted: 90 s, not 1 min; 47 h, not 1 d."""

_AGE = element("time", "%s", datetime="%s", title="%s")


def format_bytes(count: float | None) -> str:
    """Return a number of bytes in the unit that leaves three digits: `0 B`, `9.31 kB`, `931 MB`.

    It is "" if unknown.
    """
    if count is None:
        return ""
    if count < _SIZE_STEP:
        return f"{count:.0f} B"
    for unit in _SIZE_UNITS[1:-1]:
        count /= _SIZE_STEP
        if count < _MAX_COUNT:
            return f"{_three_digits(count)} {unit}"
    return f"{_three_digits(count / _SIZE_STEP)} {_SIZE_UNITS[-1]}"


def format_rate(bytes_per_second: float | None) -> str:
    """Return a rate such as `100 B/s`, "" if unknown."""
    return "" if bytes_per_second is None else f"{format_bytes(bytes_per_second)}/s"


def _three_digits(number: float) -> str:
    decimals = max(0, 2 - len(str(int(number))) + 1)
    return f"{number:.{decimals}f}"


def format_age(seconds: float) -> str:
    """Return a duration in one unit, rounded down: `90 s`, `47 h`, `12 d`.

    A moment in the future, by a peer's clock that differs, is `0 s` old.
    """
    for size, unit in _AGE_UNITS:
        if seconds >= size * _MIN_COUNT:
            return f"{int(seconds // size)} {unit}"
    return f"{max(0, int(seconds))} s"


def age(moment: float, now: float) -> Html:
    """Return the age of a moment as a `<time>` with the moment as its title."""
    iso = _iso(moment)
    return fill(_AGE, iso, iso, format_age(now - moment))


def last_poll(moment: float | None, now: float) -> Html:
    """Return how long ago the last successful poll was, or that there was none."""
    return join(["never"] if moment is None else [age(moment, now), " ago"])


def date(moment: float) -> Html:
    """Return a moment as a `<time>` in UTC: `2026-11-23 12:00:00`."""
    iso = _iso(moment)
    return element("time", iso[:-1].replace("T", " "), datetime=iso)


def _iso(moment: float) -> str:
    return f"{datetime.datetime.fromtimestamp(moment, datetime.UTC).isoformat()[:_SECONDS]}Z"
