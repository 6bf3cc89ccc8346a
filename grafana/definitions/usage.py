"""The dashboard of usage: what each client moved, from the recording rules for usage."""

from grafana.layout import Row, build_dashboard
from grafana.links import TO_CLIENT
from grafana.panels.bar_gauge import bar_gauge
from grafana.panels.panel import Description, Query, Size
from grafana.panels.stat import stat
from grafana.panels.table import Text, Value, table
from grafana.panels.time_series import time_series
from grafana.queries import DAEMONS_MATCHERS, Selector, total
from grafana.shared_panels.usage import (
    EMPTY,
    METRIC,
    NO_VALUE,
    RECEIVED,
    SENT,
    SOURCE,
    by_day,
    moved_by_bar,
    moved_in,
)
from grafana.variables import daemons

_select = Selector(DAEMONS_MATCHERS)
_RECEIVED = _select(METRIC, RECEIVED)
_SENT = _select(METRIC, SENT)
_BOTH = _select(METRIC)

_TOTALS = [
    stat(
        title,
        Description(
            f"Bytes that {what} in the time range, with encryption, keepalives and handshakes.",
            SOURCE,
            EMPTY,
            "choose the time range *Yesterday* or *Previous month* for a calendar day or month in "
            "the time zone of the browser.",
        ),
        Query(moved_in(selector, "$__range")),
        unit="decbytes",
        no_value="none",
        size=Size(6, 3),
    )
    for title, what, selector in (
        ("Total", "all clients received or sent", _BOTH),
        ("Received", "the servers received from the clients", _RECEIVED),
        ("Sent", "the servers sent to the clients", _SENT),
    )
]

_CLIENTS = stat(
    "Clients",
    Description(
        "Clients that moved bytes in the time range.",
        SOURCE,
        EMPTY,
        "compare with the accounts or certificates that were issued.",
    ),
    Query(f"count({moved_in(_BOTH, '$__range', 'common_name')})"),
    unit="short",
    no_value="none",
    size=Size(6, 3),
)

_TOP_BY_DAY = time_series(
    "Top 10 clients by day",
    Description(
        "The ten clients with most bytes in the time range, both directions. Each bar is a day.",
        SOURCE,
        EMPTY,
        "one large day is often a backup or an update; ask for a limit or another time.",
    ),
    [
        Query(
            f"{moved_by_bar(_BOTH, 'common_name')} and "
            f"topk(10, {total(f'sum_over_time({_BOTH}[$__range] @ end())', 'common_name')})",
            "{{common_name}}",
        )
    ],
    unit="decbytes",
    no_value=NO_VALUE,
    size=Size(24, 9),
    bars=True,
    shortest_bar="1d",
    stacked=True,
)

_TOP = bar_gauge(
    "Top 10 clients",
    Description(
        "The ten clients with most bytes in the time range, both directions, over all selected "
        "servers.",
        SOURCE,
        EMPTY,
        "the table has all clients, with links.",
    ),
    [
        Query(
            f"sort_desc(topk(10, {moved_in(_BOTH, '$__range', 'common_name')}))", "{{common_name}}"
        )
    ],
    unit="decbytes",
    no_value=NO_VALUE,
    size=Size(12, 10),
)

_BY_SERVER = bar_gauge(
    "Servers",
    Description(
        "Bytes of the clients in the time range, by server.",
        SOURCE,
        EMPTY,
        "a server that two exporters monitor is here twice, and counts twice: select one in "
        "*Instance*.",
    ),
    [
        Query(
            f"sort_desc({moved_in(_BOTH, '$__range', 'instance', 'daemon')})",
            "{{daemon}} @ {{instance}}",
        )
    ],
    unit="decbytes",
    no_value=NO_VALUE,
    size=Size(12, 10),
)

_TABLE = table(
    "Usage by client",
    Description(
        "*Received* (the client's upload), *Sent* and *Total* are bytes in the time range; the "
        "other columns are the total of 24 hours, 7 and 30 days before its end. For a file: menu "
        "of the panel, *Inspect*, *Data*, *Download CSV*.",
        SOURCE,
        EMPTY,
        "click a title to sort, a name for the client's sessions and traffic.",
    ),
    [
        Text("Client", "common_name", links=(TO_CLIENT,)),
        *(
            Value(title, moved_in(selector, window, "common_name"), unit="decbytes", width=120)
            for title, selector, window in (
                ("Received", _RECEIVED, "$__range"),
                ("Sent", _SENT, "$__range"),
                ("Total", _BOTH, "$__range"),
                ("24 hours", _BOTH, "1d"),
                ("7 days", _BOTH, "7d"),
                ("30 days", _BOTH, "30d"),
            )
        ),
    ],
    no_value=NO_VALUE,
    sort="Total",
    descending=True,
    size=Size(24, 12),
)

DASHBOARD = build_dashboard(
    "openvpn-usage",
    "OpenVPN / Usage",
    "Which client moved how much, by day, week and month. Needs the rules that "
    "`openvpn-exporter rules --usage` prints, and `clients.series`.",
    variables=daemons(),
    rows=[
        Row("Overview", [*_TOTALS, _CLIENTS, by_day(_select)]),
        Row("Clients", [_TABLE, _TOP, _BY_SERVER, _TOP_BY_DAY]),
    ],
    start="now-30d",
    refresh="1h",
)
