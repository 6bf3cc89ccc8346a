"""The table of a server's clients, its controls, and the links to its other pages."""

from collections.abc import Callable, Sequence
from urllib.parse import urlencode

import msgspec

from exporter.aio import yield_to_loop
from exporter.management.batches import row_batches
from exporter.web.daemon_page.client_order import FILTER_LIMIT, ClientPage, ClientQuery
from exporter.web.pages.cells import cell, small
from exporter.web.pages.frame import live
from exporter.web.pages.html import Html, element, join
from exporter.web.pages.units import age, date, format_bytes, format_rate
from exporter.web.view.clients import ClientStatus, ClientView

_BATCH_SIZE = 50
"""Rows that are rendered at once: some milliseconds."""

_FORM = "controls"
"""The id of the form, to which the buttons in the table belong."""


class _Column(msgspec.Struct, frozen=True):
    """A column of the table, and the content of its cell for a client at a time."""

    sort: str
    title: str
    content: Callable[[ClientView, float], Sequence[str]]
    descending_first: bool = False


_COLUMNS = (
    _Column("name", "Client", lambda client, _: _name(client)),
    _Column("status", "Status", lambda client, _: _status(client)),
    _Column("real_address", "Real address", lambda client, _: (client.real_address,)),
    _Column(
        "virtual_address",
        "Virtual address",
        lambda client, _: (client.virtual_address, small(client.virtual_ipv6_address)),
    ),
    _Column(
        "connected_since",
        "Connected since",
        lambda client, now: _moment(client.connected_since, now),
    ),
    _Column(
        "last_seen",
        "Last seen",
        lambda client, now: (
            () if client.status is ClientStatus.CONNECTED else _moment(client.last_seen, now)
        ),
        descending_first=True,
    ),
    _Column(
        "received",
        "Received",
        lambda client, _: (
            format_bytes(client.received_bytes),
            small(format_rate(client.received_bytes_per_second)),
        ),
        descending_first=True,
    ),
    _Column(
        "sent",
        "Sent",
        lambda client, _: (
            format_bytes(client.sent_bytes),
            small(format_rate(client.sent_bytes_per_second)),
        ),
        descending_first=True,
    ),
    _Column(
        "rate",
        "Rate",
        lambda client, _: (format_rate(client.bytes_per_second),),
        descending_first=True,
    ),
    _Column(
        "platform",
        "Platform",
        lambda client, _: (
            client.platform,
            small(" ".join(filter(None, (client.client_version, client.gui)))),
        ),
    ),
    _Column("cipher", "Cipher", lambda client, _: (client.cipher,)),
)


async def render_clients(clients: ClientPage, query: ClientQuery, now: float, *, note: str) -> Html:
    """Return the section of the clients; yield to the event loop between batches of rows.

    Args:
        clients: a page of them.
        query: the query that selected it.
        now: seconds since the epoch.
        note: a sentence about clients that are not there, "" if there are none.
    """
    rows: list[Html] = []
    for batch in row_batches(clients.rows, _BATCH_SIZE):
        rows += (_row(client, now) for client in batch)
        await yield_to_loop()
    return element(
        "section",
        element("h2", "Clients", id="clients-title"),
        _controls(query),
        live("p", "clients-count", _count(clients, query, note), role="status"),
        element(
            "div",
            live("div", "clients", _table(rows, query), _pages(clients, query)),
            class_="scroll",
            role="region",
            tabindex="0",
            attributes={"aria-labelledby": "clients-title"},
        ),
        attributes={"aria-labelledby": "clients-title"},
    )


def _controls(query: ClientQuery) -> Html:
    field = element(
        "input",
        type="search",
        id="filter",
        name="filter",
        value=query.filter,
        maxlength=str(FILTER_LIMIT),
        autocomplete="off",
        spellcheck="false",
    )
    return element(
        "form",
        element("label", "Filter ", for_="filter"),
        field,
        element("button", "Filter", type="submit"),
        id=_FORM,
        method="get",
        role="search",
    )


def _count(clients: ClientPage, query: ClientQuery, note: str) -> str:
    counts = [
        f"{clients.counts[status]:,} {status}" for status in ClientStatus if clients.counts[status]
    ]
    if not counts:
        return note or "No clients."
    text = ", ".join(counts)
    if query.filter:
        text += f"; {clients.matching:,} with “{query.filter}”"
    if clients.pages > 1:
        text += f"; page {clients.number:,} of {clients.pages:,}"
    return f"{text}. {note}".rstrip()


def _table(rows: Sequence[Html], query: ClientQuery) -> Html:
    if not rows:
        return Html()
    heads = [_head(column, query) for column in _COLUMNS]
    keep_order = element(
        "input", type="hidden", name="sort", value=query.sort_parameter, form=_FORM
    )
    return join(
        [
            keep_order,
            element(
                "table",
                element("thead", element("tr", *heads)),
                element("tbody", *rows),
                class_="clients",
            ),
        ]
    )


def _head(column: _Column, query: ClientQuery) -> Html:
    is_sorted = query.sort == column.sort
    descending = not query.descending if is_sorted else column.descending_first
    button = element(
        "button",
        column.title,
        type="submit",
        form=_FORM,
        name="sort",
        value=f"{'-' if descending else ''}{column.sort}",
        id=f"sort-{column.sort}",
    )
    order = {"aria-sort": "descending" if query.descending else "ascending"} if is_sorted else {}
    return element("th", button, scope="col", attributes=order)


def _row(client: ClientView, now: float) -> Html:
    head, *others = _COLUMNS
    cells = [cell(column.title, *column.content(client, now)) for column in others]
    name = element("th", *head.content(client, now), scope="row")
    return element("tr", name, *cells, class_=client.status)


def _name(client: ClientView) -> Sequence[Html]:
    username = client.username if client.username != client.name else ""
    return element("bdi", client.name), small(element("bdi", username) if username else "")


def _status(client: ClientView) -> Sequence[Html]:
    certificate = f"{client.certificate} certificate" if client.certificate else ""
    return element("b", client.status), small(certificate)


def _moment(moment: float | None, now: float) -> Sequence[Html]:
    return () if moment is None else (date(moment), small(age(moment, now)))


def _pages(clients: ClientPage, query: ClientQuery) -> Html:
    """Return links to the pages before and after."""
    steps = (("Previous page", clients.number - 1), ("Next page", clients.number + 1))
    links = [
        element(
            "a",
            text,
            href=f"?{urlencode(query.parameters(page=number))}",
            attributes={"data-page": str(number)},
        )
        for text, number in steps
        if 1 <= number <= clients.pages
    ]
    if not links:
        return Html()
    return element("nav", *links, attributes={"aria-label": "Pages of clients"}, class_="pages")
