"""Panels with the daemons in trouble alone, for many daemons."""

from grafana_foundation_sdk.models import dashboard

from grafana import mappings
from grafana.kinds import BOARD, last_info
from grafana.links import TO_DAEMON, TO_EXPORTER
from grafana.panels.panel import Description, Query, Size
from grafana.panels.state_timeline import state_timeline
from grafana.panels.table import Text, Value, table
from grafana.queries import DAEMON_LABELS, ON_DAEMON, Selector, highest, in_milliseconds
from grafana.shared_panels import daemon_state

_OTHER_STATE = 'state!~"CONNECTED|UNKNOWN"'


def _trouble(select: Selector) -> str:
    """Return the daemons that are down, or not connected, or without a management session."""
    return " or ".join(
        highest(series, *DAEMON_LABELS)
        for series in (
            f"{select('openvpn_up')} == 0",
            f"{select('openvpn_state', _OTHER_STATE)} == 1",
            f"{select('openvpn_down_reason')} == 1",
        )
    )


def table_of_daemons(select: Selector) -> dashboard.Panel:
    """Return a table of the daemons in trouble."""
    only = f"and {ON_DAEMON} ({_trouble(select)})"
    connected = select("openvpn_state", 'state=~"CONNECTED|UNKNOWN"')
    last = highest(
        f"max_over_time(timestamp({connected} == 1)[$__range:$__interval])", *DAEMON_LABELS
    )
    return table(
        "Daemons in trouble",
        Description(
            "Daemons that are down, in another state than CONNECTED, or without a management "
            "session. *Last connected* is within the time range.",
            "`openvpn_up`, `state`, `openvpn_down_reason`.",
            "all daemons are CONNECTED, or none is monitored.",
            "click a name for its dashboard; *Session* is the reason why it cannot be asked.",
        ),
        [
            Text("Daemon", "daemon", links=(TO_DAEMON, TO_EXPORTER)),
            Value(
                "State",
                f"({mappings.state_value(select)}) {only}",
                mappings=(mappings.DOWN, *mappings.STATES),
                width=130,
            ),
            Value(
                "Session",
                f"{mappings.reason_value(select)} {only}",
                mappings=mappings.REASONS,
                width=105,
            ),
            Value(
                "Last connected",
                f"{in_milliseconds(last)} {only}",
                unit="dateTimeFromNow",
                width=140,
            ),
            Text("Exporter", "instance", hidden=True),
            Text("Job", "job", hidden=True),
            Text("Dashboard", BOARD, hidden=True),
            Value("Info", f"({last_info(select)}) {only}", shown=False),
        ],
        no_value="None",
        sort="State",
        size=Size(9, 8),
    )


def states(select: Selector) -> dashboard.Panel:
    """Return the states over time of those daemons that were in trouble in the time range."""
    trouble = " or ".join(
        highest(f"{function}({series}[$__range] @ end()) {condition}", *DAEMON_LABELS)
        for function, series, condition in (
            ("min_over_time", select("openvpn_up"), "== 0"),
            ("max_over_time", select("openvpn_state", _OTHER_STATE), "== 1"),
        )
    )
    return state_timeline(
        "States",
        Description(
            f"{daemon_state.STATE} Only daemons that were down or in another state in the time "
            "range. A reconnect between two scrapes is not visible here; the counters of "
            "reconnects include it.",
            "`state` and real-time messages `>STATE`; `openvpn_up`.",
            "all daemons were CONNECTED throughout, or none is monitored.",
            "compare with traffic and log events at the same time.",
        ),
        Query(f"({mappings.state_value(select)}) and {ON_DAEMON} ({trouble})", daemon_state.LEGEND),
        mappings=(mappings.DOWN, *mappings.STATES),
        no_value="All daemons were CONNECTED throughout",
    )


def management_sessions(select: Selector) -> dashboard.Panel:
    """Return the states over time of those management sessions that were down in the time range."""
    reason = select("openvpn_down_reason")
    was_down = highest(f"max_over_time({reason}[$__range] @ end()) == 1", *DAEMON_LABELS)
    return state_timeline(
        "Management sessions",
        Description(
            "Whether the management session with a daemon was up, or the reason why it was down. "
            "Only sessions that were down in the time range.",
            "all commands; `openvpn_down_reason`.",
            "all sessions were up throughout, or no daemon is monitored.",
            "refused, not_found, unreachable: is the daemon running, is the address right? "
            "permission, auth: check the permissions of the socket and the password file. "
            "busy: another client uses the only slot. hold, prompt, client_auth: another "
            "management client must answer the daemon.",
        ),
        Query(f"{mappings.reason_value(select)} and {ON_DAEMON} {was_down}", daemon_state.LEGEND),
        mappings=mappings.REASONS,
        no_value="All sessions were up throughout",
    )
