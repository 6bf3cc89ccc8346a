"""What is known of a daemon: its state, its problem and what to do, facts, state history."""

from collections.abc import Mapping, Sequence

from exporter.web.pages.cells import cell, small
from exporter.web.pages.html import Html, element, join
from exporter.web.pages.links import json_url, probe_url, troubleshooting_url
from exporter.web.pages.units import age, date, format_bytes, format_rate, last_poll
from exporter.web.view.daemon import DaemonView, StateView

ROOT = "../"
"""The relative path from the page to the root of the exporter."""

_STATE_COLUMNS = ("Entered", "State", "Reason")


def render_facts(view: DaemonView, now: float) -> Html:
    """Return the state and all facts as a list of terms; `now` is in seconds since the epoch."""
    version = " ".join(filter(None, (view.version, view.platform)))
    facts: dict[str, Sequence[str]] = {
        "State": (element("b", view.status), *_since(view.state_since, now)),
        "Last successful poll": (last_poll(view.polled_at, now),),
        "Source": (view.source.value.replace("_", " ") if view.source else "",),
        "Address": (view.address,),
        "Mode": (view.mode or "",),
        "Clients": (_clients(view),),
        "Received": _traffic(view.received_bytes, view.received_bytes_per_second),
        "Sent": _traffic(view.sent_bytes, view.sent_bytes_per_second),
        "Sharing": (view.sharing,),
        "OpenVPN": (version, small(_management_version(view))),
        "Process started": () if view.start_time is None else _moment(view.start_time, now),
    }
    return element(
        "dl",
        *(
            element("div", element("dt", term), element("dd", *content))
            for term, content in facts.items()
            if any(content)
        ),
        class_=f"facts {view.health}",
    )


def render_problem(view: DaemonView, steps: Mapping[str, Html]) -> Html:
    """Return why the daemon is down and what to do; nothing if it is not down.

    `steps` are the sections of the documentation by reason.
    """
    if view.down_reason is None:
        return Html()
    return element(
        "section",
        element("h2", f"Down: {view.down_reason}"),
        element("p", view.problem or ""),
        steps.get(view.down_reason, Html()),
        element(
            "p",
            element("a", "Troubleshooting", href=troubleshooting_url(view.down_reason, root=ROOT)),
            " · ",
            element("a", "Commands and replies", href=probe_url(view.name, root=ROOT, debug=True)),
        ),
        class_=f"box {view.health}",
    )


def render_states(states: Sequence[StateView], now: float) -> Html:
    """Return the state history as a table; nothing without one."""
    if not states:
        return Html()
    rows = [
        element(
            "tr",
            cell("Entered", *_moment(state.time, now)),
            element("th", state.state, scope="row"),
            cell("Reason", state.reason),
        )
        for state in states
    ]
    heads = [element("th", column, scope="col") for column in _STATE_COLUMNS]
    table = element(
        "table", element("thead", element("tr", *heads)), element("tbody", *rows), class_="states"
    )
    return element("section", element("h2", "States"), table)


def render_links(name: str) -> Html:
    """Return links to the same daemon elsewhere."""
    links = (
        element("a", "JSON", href=json_url(name, root=ROOT)),
        element("a", "Metrics", href=probe_url(name, root=ROOT)),
        element("a", "Commands and replies", href=probe_url(name, root=ROOT, debug=True)),
    )
    return element("p", join(links, " · "))


def _since(moment: float | None, now: float) -> Sequence[Html]:
    return () if moment is None else (small("for ", age(moment, now)),)


def _moment(moment: float, now: float) -> Sequence[Html]:
    return date(moment), small(age(moment, now), " ago")


def _clients(view: DaemonView) -> str:
    if view.connected_clients is None:
        return ""
    limit = f" of {view.max_clients:,}" if view.max_clients else ""
    pending = f", {view.pending_clients:,} pending" if view.pending_clients else ""
    invalid = "".join(
        f", {count:,} with {words} certificate"
        for count, words in (
            (view.revoked_clients, "a revoked"),
            (view.expired_clients, "an expired"),
        )
        if count
    )
    return f"{view.connected_clients:,}{limit} connected{pending}{invalid}"


def _traffic(count: int | None, rate: float | None) -> Sequence[str]:
    return format_bytes(count), small(format_rate(rate))


def _management_version(view: DaemonView) -> str:
    return f"management interface {view.management_version}" if view.management_version else ""
