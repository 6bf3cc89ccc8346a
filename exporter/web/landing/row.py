"""One daemon on the landing page: a row of values, and a row for its problem."""

from exporter.web.pages.cells import cell, small
from exporter.web.pages.html import Html, element, fill, join
from exporter.web.pages.links import daemon_url, probe_url, troubleshooting_url
from exporter.web.pages.units import age, format_bytes, format_rate, last_poll
from exporter.web.view.daemon import DaemonView

ROOT = "./"
"""The relative path from the page to the root of the exporter."""

COLUMNS = ("Daemon", "State", "Clients", "Received", "Sent", "Last successful poll")

_LINK = element("a", element("bdi", "%s"), href="%s")
_HEAD = element("th", _LINK, Html("%s%s"), scope="row")
_ROW = element("tbody", element("tr", _HEAD, Html("%s%s%s%s%s")), Html("%s"), class_="%s")


def render_daemon(view: DaemonView, now: float) -> Html:
    """Return a `<tbody>`; `now` is in seconds since the epoch."""
    since = [] if view.state_since is None else [small("for ", age(view.state_since, now))]
    return fill(
        _ROW,
        view.health,
        daemon_url(view.name, root=ROOT),
        view.name,
        small(" ".join(filter(None, (view.mode, view.version)))),
        small(view.sharing),
        cell(COLUMNS[1], element("b", view.status), *since),
        cell(COLUMNS[2], *_clients(view)),
        cell(COLUMNS[3], format_bytes(view.received_bytes), _rate(view.received_bytes_per_second)),
        cell(COLUMNS[4], format_bytes(view.sent_bytes), _rate(view.sent_bytes_per_second)),
        cell(COLUMNS[5], last_poll(view.polled_at, now)),
        _problem_row(view),
    )


def _rate(bytes_per_second: float | None) -> Html:
    return small(format_rate(bytes_per_second))


def _clients(view: DaemonView) -> tuple[str, Html]:
    if view.connected_clients is None:
        return "", Html()
    limit = f" of {view.max_clients:,}" if view.max_clients else ""
    pending = f"{view.pending_clients:,} pending" if view.pending_clients else ""
    return f"{view.connected_clients:,}{limit}", small(pending)


def _problem_row(view: DaemonView) -> Html:
    if view.down_reason is None:
        return Html()
    links = (
        element("a", "Troubleshooting", href=troubleshooting_url(view.down_reason, root=ROOT)),
        element("a", "Commands and replies", href=probe_url(view.name, root=ROOT, debug=True)),
    )
    text = element(
        "p",
        element("b", view.down_reason),
        f" {view.problem}",
        element("br"),
        small(join(links, " · ")),
    )
    return element("tr", element("td", text, colspan=str(len(COLUMNS))), class_="problem")
