"""Panels about the polls of daemons."""

from grafana_foundation_sdk.models import dashboard

from grafana.panels.panel import Description, Query, Size
from grafana.panels.time_series import time_series
from grafana.queries import (
    DAEMON_LABELS,
    ON_DAEMON,
    Selector,
    age,
    highest,
    number_of,
    per_minute,
    per_second,
    top_by_maximum,
    top_in_range,
    total,
)
from grafana.shared_panels.daemon_state import LEGEND

_THIRD = Size(8, 8)
_TOP = 10
"""The number of daemons in a graph."""

_SLOW = 1
"""Seconds. The slowest poll is shown from here: below, the bounds of the histogram are coarse."""


def panels(select: Selector) -> list[dashboard.Panel]:
    """Return all panels."""
    return [
        _duration(select),
        _failures(select),
        _polls(select),
        _sessions_opened(select),
        _status_age(select),
    ]


def _duration(select: Selector) -> dashboard.Panel:
    last = select("openvpn_exporter_poll_duration_seconds")
    buckets = total(
        per_second(select("openvpn_exporter_poll_seconds_bucket")), "le", *DAEMON_LABELS
    )
    return time_series(
        "Poll duration",
        Description(
            "Duration of the last successful poll in seconds, parsing included: the ten daemons "
            "with the slowest ones. *slowest* is that of all polls between two points, rounded up, "
            "where it took more than a second.",
            "`load-stats` and `status`.",
            "no daemon is up.",
            "OpenVPN answers between packets: a busy or stuck daemon answers late, and slow "
            "scripts and plugins block it completely.",
        ),
        [
            Query(top_by_maximum(_TOP, highest(last, *DAEMON_LABELS), last), LEGEND),
            Query(f"histogram_quantile(1, {buckets}) > {_SLOW}", f"{LEGEND} slowest"),
        ],
        unit="s",
        no_value="No daemon is up",
    )


def _failures(select: Selector) -> dashboard.Panel:
    counter, by = select("openvpn_exporter_poll_failures_total"), ("daemon", "reason")
    return time_series(
        "Failed polls",
        Description(
            "Failed polls by daemon and reason, the ten most frequent; each bar is the number in "
            "its time.",
            "`openvpn_exporter_poll_failures_total`.",
            "no poll failed.",
            "compare with *Management sessions*.",
        ),
        [Query(top_in_range(_TOP, number_of(counter, *by), counter, *by), "{{daemon}} {{reason}}")],
        unit="short",
        no_value="None in this time range",
        bars=True,
        stacked=True,
    )


def _polls(select: Selector) -> dashboard.Panel:
    counter = select("openvpn_exporter_polls_total")
    return time_series(
        "Polls",
        Description(
            "Polls of each daemon per minute, failed ones included: the ten daemons with the "
            "fewest in the time range.",
            "`openvpn_exporter_polls_total`.",
            "no exporter is scraped.",
            "expected are 60 divided by `poll_interval`; fewer polls mean slow replies or backoff.",
        ),
        [
            Query(
                f"{per_minute(counter, *DAEMON_LABELS)} and {ON_DAEMON} bottomk({_TOP}, "
                f"increase({counter}[$__range] @ end()))",
                LEGEND,
            )
        ],
        unit="cpm",
        no_value="No data yet",
        size=_THIRD,
    )


def _sessions_opened(select: Selector) -> dashboard.Panel:
    counter = select("openvpn_exporter_connects_total")
    return time_series(
        "Management sessions opened",
        Description(
            "Management sessions opened, at the ten daemons with most of them; each bar is the "
            "number in its time. With `slot: hold` a session lasts for days; with `slot: release` "
            "each poll opens one.",
            "`openvpn_exporter_connects_total`.",
            "no session was opened in the time range.",
            "many with `slot: hold`: the daemon or something in between closes them.",
        ),
        [
            Query(
                top_in_range(_TOP, number_of(counter, *DAEMON_LABELS), counter, *DAEMON_LABELS),
                LEGEND,
            )
        ],
        unit="short",
        no_value="None in this time range",
        bars=True,
        stacked=True,
        size=_THIRD,
    )


def _status_age(select: Selector) -> dashboard.Panel:
    time = select("openvpn_status_update_time_seconds")
    return time_series(
        "Status age",
        Description(
            "Age of the last status, by the time inside it: the ten oldest ones at each point.",
            "the time inside `status`.",
            "no daemon is up.",
            "one that grows: the daemon is stuck. All shifted alike: the clocks differ.",
        ),
        [Query(f"topk({_TOP}, {age(highest(time, *DAEMON_LABELS))})", LEGEND)],
        unit="s",
        no_value="No daemon is up",
        size=_THIRD,
    )
