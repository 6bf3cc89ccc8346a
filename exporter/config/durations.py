"""Durations as Prometheus writes them: `15s`, `1h30m`, `500ms`."""

import re

_MILLISECONDS = {
    "y": 365 * 86_400_000,
    "w": 7 * 86_400_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1_000,
    "ms": 1,
}
# Each unit at most once, from large to small: Prometheus' own rule.
PATTERN = "".join(rf"(?:([0-9]{{1,9}}){unit})?" for unit in _MILLISECONDS)
"""A regular expression that matches every duration, and the empty text."""

_DURATION = re.compile(PATTERN)
_BARE_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")


def parse_duration(text: str) -> float:
    """Return the seconds in `text`; raises ValueError with an example of a duration."""
    if _BARE_NUMBER.fullmatch(text):
        raise ValueError(f"{text!r} has no unit: write it with one, as in 15s, 1h30m or 500ms")
    parts = _DURATION.fullmatch(text)
    if not text or parts is None:
        raise ValueError(f"{text!r} is not a duration: write one such as 15s, 1h30m or 500ms")
    numbers = (int(number or 0) for number in parts.groups())
    return sum(map(int.__mul__, numbers, _MILLISECONDS.values())) / 1000


def format_duration(seconds: float) -> str:
    """Return the shortest text that `parse_duration` reads as `seconds`, to the millisecond."""
    remaining = round(seconds * 1000)
    text = ""
    for unit, size in _MILLISECONDS.items():
        count, remaining = divmod(remaining, size)
        text += f"{count}{unit}" if count else ""
    return text or "0s"
