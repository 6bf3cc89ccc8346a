"""One daemon on the page: its health, a row of values, and a row for its problem."""

import datetime
import enum
from collections.abc import Sequence
from html import escape
from urllib.parse import quote

import msgspec

from exporter.management.state import StateName
from exporter.management.status import ServerStatus
from exporter.state.daemon import DaemonState

COLUMNS = ("Daemon", "State", "Clients", "Received", "Sent", "Last successful poll")

PROBLEM_LIMIT = 400
"""Most characters of a problem, which includes text of the peer."""

TROUBLESHOOTING = "docs/troubleshooting.md"
"""Has a heading for each reason. A file of the project, no URL: it is there without Internet."""

_SIZE_UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
_SIZE_STEP = 1000

_AGE_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_MIN_COUNT = 2
"""Smallest count of a unit of time, seconds excepted: 90 s, not 1 min; 47 h, not 1 d."""


class Health(enum.StrEnum):
    """The health of a daemon, in the order of the page; the class of its rows in the style."""

    DOWN = "down"
    DEGRADED = "degraded"
    PENDING = "pending"
    UP = "up"


class DaemonSummary(msgspec.Struct, frozen=True):
    """The health of a daemon and its reason.

    `state` is text for the column; `problem` is a sentence with what to do, "" if there is none;
    `reason` is the label value of `openvpn_down_reason`, "" if that is 0 for all reasons.
    """

    health: Health
    state: str
    problem: str = ""
    reason: str = ""


def summarise(daemon: DaemonState) -> DaemonSummary:
    """Return the summary of a daemon."""
    state = daemon.state.name.value if daemon.state else "up"
    if daemon.down_reason is not None:
        health, state = (Health.DEGRADED, state) if daemon.up else (Health.DOWN, "down")
        problem = daemon.down_message
        if len(problem) > PROBLEM_LIMIT:
            problem = f"{problem[: PROBLEM_LIMIT - 1]}…"
        return DaemonSummary(health, state, problem, daemon.down_reason.value)
    if not daemon.up:
        return DaemonSummary(Health.PENDING, "pending")
    if daemon.state is not None and daemon.state.name is not StateName.CONNECTED:
        return DaemonSummary(Health.DEGRADED, state)
    return DaemonSummary(Health.UP, state)


def render_daemon(daemon: DaemonState, summary: DaemonSummary, now: float) -> str:
    """Return a `<tbody>`; `now` is in seconds since the epoch."""
    link = f'<a href="{_probe_url(daemon)}"><bdi>{escape(daemon.name)}</bdi></a>'
    cells = (
        f'<th scope="row">{link}{_small(_mode_and_version(daemon))}{_small(_sharing(daemon))}</th>',
        f'<td data-is="{COLUMNS[1]}"><b>{escape(summary.state)}</b>{_state_age(daemon, now)}</td>',
        _cell(COLUMNS[2], *_clients(daemon)),
        _cell(COLUMNS[3], *_traffic(daemon, sent=False)),
        _cell(COLUMNS[4], *_traffic(daemon, sent=True)),
        _cell(COLUMNS[5], _last_poll(daemon, now)),
    )
    problem = _problem_row(daemon, summary)
    return f'<tbody class="{summary.health}"><tr>{"".join(cells)}</tr>{problem}</tbody>'


def _cell(column: str, text: str, small: str = "") -> str:
    """Return a cell; on a narrow screen, empty cells are hidden and others show their column."""
    return f'<td data-is="{column}">{text}{_small(escape(small))}</td>' if text else "<td></td>"


def _small(html: str) -> str:
    return f"<small>{html}</small>" if html else ""


def _mode_and_version(daemon: DaemonState) -> str:
    words = (
        daemon.mode.value if daemon.mode else "",
        daemon.version.version if daemon.management_up and daemon.version else "",
    )
    return escape(" ".join(word for word in words if word))


def _sharing(daemon: DaemonState) -> str:
    """Return where the management interface is shared, to how many tools, and where it can't be."""
    share = daemon.target.daemon.share
    if share is None:
        return ""
    problems = daemon.sharing.problems
    addresses = " ".join(str(each) for each in share.listen if str(each) not in problems)
    tools = daemon.sharing.tools
    text = f"shared at {addresses}: {tools} tool{'' if tools == 1 else 's'}" if addresses else ""
    return escape("; ".join(part for part in (text, *problems.values()) if part))


def _state_age(daemon: DaemonState, now: float) -> str:
    return _small(f"for {_time(daemon.state.time, now)}") if daemon.state else ""


def _last_poll(daemon: DaemonState, now: float) -> str:
    return "never" if daemon.polled_at is None else f"{_time(daemon.polled_at, now)} ago"


def _time(moment: float, now: float) -> str:
    """Return the age of a moment as a `<time>` with the moment as its title."""
    iso = datetime.datetime.fromtimestamp(moment, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f'<time datetime="{iso}" title="{iso}">{format_age(now - moment)}</time>'


def _clients(daemon: DaemonState) -> Sequence[str]:
    if not isinstance(daemon.status, ServerStatus):
        return ("",)
    pending = len(daemon.status.pending)
    limits = [limit for limit in (daemon.max_clients, daemon.address_pool_size) if limit]
    limit = f" of {min(limits)}" if limits else ""
    return f"{len(daemon.status.clients)}{limit}", f"{pending} pending" if pending else ""


def _traffic(daemon: DaemonState, *, sent: bool) -> Sequence[str]:
    """Return the total, and the rate if it is known."""
    traffic = daemon.traffic
    if daemon.polled_at is None:
        return ("",)
    total = traffic.sent_bytes if sent else traffic.received_bytes
    rate = traffic.rate if daemon.up else None
    if rate is None:
        return (format_bytes(total),)
    return format_bytes(total), f"{format_bytes(rate.sent if sent else rate.received)}/s"


def _probe_url(daemon: DaemonState) -> str:
    """Return the URL of the daemon's metrics, relative to this page."""
    return f"./probe?target={quote(daemon.name, safe='')}"


def _problem_row(daemon: DaemonState, summary: DaemonSummary) -> str:
    if not summary.problem:
        return ""
    return (
        f'<tr class="problem"><td colspan="{len(COLUMNS)}"><p><b>{escape(summary.reason)}</b> '
        f"{escape(summary.problem)}<br><small>"
        f"Troubleshooting: {TROUBLESHOOTING}#{escape(summary.reason)} · "
        f'<a href="{_probe_url(daemon)}&amp;debug=true">commands and replies</a>'
        "</small></p></td></tr>"
    )


def format_bytes(count: float) -> str:
    """Return a number of bytes in the unit that leaves three digits: `0 B`, `9.31 kB`, `931 MB`."""
    if count < _SIZE_STEP:
        return f"{count:.0f} B"
    for unit in _SIZE_UNITS[1:-1]:
        count /= _SIZE_STEP
        if float(f"{count:.3g}") < _SIZE_STEP:
            return f"{_three_digits(count)} {unit}"
    return f"{_three_digits(count / _SIZE_STEP)} {_SIZE_UNITS[-1]}"


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
