"""Dates as OpenVPN prints them for people, where no `(time_t)` column stands beside them.

`2026-11-23 03:30:16` since 2.5, `Mon Nov 23 03:43:31 2026` before: local time of the daemon
without a zone. Callers say the zone; by default it is this machine's.
"""

import datetime
import re

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)", re.ASCII)
_CTIME = re.compile(
    rf"[A-Z][a-z]{{2}} ({'|'.join(_MONTHS)}) ([ \d]\d) (\d\d):(\d\d):(\d\d) (\d{{4}})", re.ASCII
)


def parse_date(text: str, zone: datetime.tzinfo | None = None) -> int:
    """Read either spelling; return seconds since the epoch.

    Raises:
        ValueError: neither spelling, or no such moment.
    """
    if match := _ISO.fullmatch(text):
        year, month, day, hour, minute, second = (int(group) for group in match.groups())
    elif match := _CTIME.fullmatch(text):
        month = _MONTHS.index(match[1]) + 1
        day, hour, minute, second, year = (int(match[group]) for group in (2, 3, 4, 5, 6))
    else:
        raise ValueError("not a date as OpenVPN prints it")
    try:
        # A leap second is said as :60; the epoch has no such second.
        moment = datetime.datetime(year, month, day, hour, minute, min(second, 59), tzinfo=zone)
        return int(moment.timestamp())
    except OverflowError as error:
        raise ValueError("a date outside of what this system can count") from error
