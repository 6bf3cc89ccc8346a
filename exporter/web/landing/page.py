"""The whole page: what is told of all daemons, problems first."""

import base64
import hashlib
import string
import time
from collections import Counter
from collections.abc import Sequence
from html import escape
from importlib import resources

import msgspec

from exporter import __version__
from exporter.management.status import ServerStatus
from exporter.state.daemon import DaemonState
from exporter.web.landing.condition import DaemonSummary, Severity, summarise
from exporter.web.landing.row import COLUMNS, render_daemon

ROWS_LIMIT = 1000
"""Daemons on the page at most: half a megabyte, which a phone still shows."""

_FILES = resources.files(__package__)
_STYLE = (_FILES / "page.css").read_text(encoding="utf-8")
_PAGE = string.Template((_FILES / "page.html").read_text(encoding="utf-8"))

_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The page needs neither script nor frame nor anything from elsewhere, and no other style."""

_ORDER = list(Severity)
_WORDS = {
    Severity.DOWN: "down",
    Severity.TROUBLED: "in trouble",
    Severity.AWAITED: "not reached yet",
    Severity.WELL: "well",
}


now = time.time
"""Seconds since the epoch."""


class Link(msgspec.Struct, frozen=True):
    """Where else to look: an address below this page's, wherever that is, and what is there."""

    href: str
    text: str


def landing_page(records: Sequence[DaemonState], links: Sequence[Link]) -> str:
    """Return the page as HTML, as of now; every text in it is escaped."""
    moment = now()
    daemons = sorted(
        ((summarise(record), record) for record in records),
        key=lambda daemon: _ORDER.index(daemon[0].mood),
    )
    return _PAGE.substitute(
        style=_STYLE,
        version=escape(__version__),
        now=time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(moment)),
        links="\n".join(
            f'<a href="./{escape(link.href)}">{escape(link.text)}</a>' for link in links
        ),
        summary=_summary(daemons),
        columns="".join(f'<th scope="col">{column}</th>' for column in COLUMNS),
        daemons="\n".join(
            render_daemon(record, condition, moment) for condition, record in daemons[:ROWS_LIMIT]
        ),
        rest=_rest(daemons[ROWS_LIMIT:]),
    )


def _summary(daemons: Sequence[tuple[DaemonSummary, DaemonState]]) -> str:
    """Return how many daemons there are, how many of them in each mood, and their clients."""
    clients = [
        len(record.status.clients)
        for _, record in daemons
        if isinstance(record.status, ServerStatus)
    ]
    parts = [f"<b>{_count(len(daemons), 'daemon')}</b>", *_moods(daemons)]
    if clients:
        parts.append(f"<b>{_count(sum(clients), 'client')}</b> connected")
    return " · ".join(parts)


def _moods(daemons: Sequence[tuple[DaemonSummary, DaemonState]]) -> list[str]:
    moods = Counter(condition.mood for condition, _ in daemons)
    return [
        f'<span class="{mood}">{moods[mood]} {_WORDS[mood]}</span>'
        for mood in Severity
        if moods[mood]
    ]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _rest(daemons: Sequence[tuple[DaemonSummary, DaemonState]]) -> str:
    if not daemons:
        return ""
    return f"<p>Not listed: {', '.join([f'{len(daemons)} more', *_moods(daemons)])}.</p>"
