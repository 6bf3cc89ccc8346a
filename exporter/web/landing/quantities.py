"""Bytes and ages for people: three digits at most, and the unit that fits."""

_SIZES = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
_STEP = 1000

_AGES = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_NEXT_UNIT_FROM = 2
"""Of the larger unit there must be so many: 90 s, not 1 min; 47 h, not 1 d."""


def format_bytes(count: float) -> str:
    """Return a number of bytes: `0 B`, `9.31 kB`, `931 MB`."""
    if count < _STEP:
        return f"{count:.0f} B"
    for unit in _SIZES[1:-1]:
        count /= _STEP
        if float(f"{count:.3g}") < _STEP:
            return f"{_three_digits(count)} {unit}"
    return f"{_three_digits(count / _STEP)} {_SIZES[-1]}"


def _three_digits(number: float) -> str:
    decimals = max(0, 2 - len(str(int(number))) + 1)
    return f"{number:.{decimals}f}"


def format_age(seconds: float) -> str:
    """Return a duration in one unit, rounded down: `90 s`, `47 h`, `12 d`.

    What lies in the future, by a clock that goes differently, is `0 s`.
    """
    for size, unit in _AGES:
        if seconds >= size * _NEXT_UNIT_FROM:
            return f"{int(seconds // size)} {unit}"
    return f"{max(0, int(seconds))} s"
