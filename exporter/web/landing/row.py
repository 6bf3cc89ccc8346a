"""One daemon as rows of the table: a row of figures, and below it a row for what is wrong."""

import datetime
from collections.abc import Sequence
from html import escape
from urllib.parse import quote

from exporter.management.status import ServerStatus
from exporter.state.daemon import DaemonState
from exporter.web.landing.condition import DaemonSummary
from exporter.web.landing.quantities import format_age, format_bytes

COLUMNS = ("Daemon", "State", "Clients", "Received", "Sent", "Last answer")

TROUBLESHOOTING = "docs/troubleshooting.md"
"""Where each reason has a heading, in the project's own files: there may be no way to the net."""


def render_daemon(record: DaemonState, condition: DaemonSummary, now: float) -> str:
    """Return a `<tbody>`; `now` is in seconds since the epoch."""
    link = f'<a href="{_probe(record)}"><bdi>{escape(record.name)}</bdi></a>'
    cells = (
        f'<th scope="row">{link}{_small(_kind(record))}</th>',
        f'<td data-is="{COLUMNS[1]}"><b>{escape(condition.word)}</b>{_since(record, now)}</td>',
        _cell(COLUMNS[2], *_clients(record)),
        _cell(COLUMNS[3], *_traffic(record, sent=False)),
        _cell(COLUMNS[4], *_traffic(record, sent=True)),
        _cell(COLUMNS[5], _last_answer(record, now)),
    )
    problem = _problem(record, condition)
    return f'<tbody class="{condition.mood}"><tr>{"".join(cells)}</tr>{problem}</tbody>'


def _cell(column: str, text: str, small: str = "") -> str:
    """Return a cell of figures; on a phone, an empty one is left out and each says its column."""
    return f'<td data-is="{column}">{text}{_small(escape(small))}</td>' if text else "<td></td>"


def _small(html: str) -> str:
    return f"<small>{html}</small>" if html else ""


def _kind(record: DaemonState) -> str:
    words = (
        record.mode.value if record.mode else "",
        record.info.version.version if record.info else "",
    )
    return escape(" ".join(word for word in words if word))


def _since(record: DaemonState, now: float) -> str:
    return _small(f"for {_time(record.state.time, now)}") if record.state else ""


def _last_answer(record: DaemonState, now: float) -> str:
    return "never" if record.polled_at is None else f"{_time(record.polled_at, now)} ago"


def _time(moment: float, now: float) -> str:
    """Return an age, with the time itself for who points at it and for programs."""
    written = datetime.datetime.fromtimestamp(moment, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f'<time datetime="{written}" title="{written}">{format_age(now - moment)}</time>'


def _clients(record: DaemonState) -> Sequence[str]:
    if not isinstance(record.status, ServerStatus):
        return ("",)
    pending = len(record.status.pending)
    limit = f" of {record.max_clients}" if record.max_clients else ""
    return f"{len(record.status.clients)}{limit}", f"{pending} pending" if pending else ""


def _traffic(record: DaemonState, *, sent: bool) -> Sequence[str]:
    """Return the total, and the rate while it is known."""
    traffic = record.traffic
    if record.polled_at is None:
        return ("",)
    total = traffic.sent_bytes if sent else traffic.received_bytes
    rate = traffic.rate if record.up else None
    if rate is None:
        return (format_bytes(total),)
    return format_bytes(total), f"{format_bytes(rate.sent if sent else rate.received)}/s"


def _probe(record: DaemonState) -> str:
    """Return where one daemon's metrics are, from this page on."""
    return f"./probe?target={quote(record.name, safe='')}"


def _problem(record: DaemonState, condition: DaemonSummary) -> str:
    if not condition.problem:
        return ""
    return (
        f'<tr class="problem"><td colspan="{len(COLUMNS)}"><p><b>{escape(condition.reason)}</b> '
        f"{escape(condition.problem)}<br><small>"
        f"What to do: {TROUBLESHOOTING}#{escape(condition.reason)} · "
        f'<a href="{_probe(record)}&amp;debug=true">what was said</a></small></p></td></tr>'
    )
