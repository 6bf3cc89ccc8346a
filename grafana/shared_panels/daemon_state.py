"""What daemons are and were doing."""

from grafana_foundation_sdk.models import dashboard

from grafana import mappings
from grafana.panels.panel import Description, Query, Size, thresholds
from grafana.panels.stat import SIXTH, stat
from grafana.panels.state_timeline import WIDE, state_timeline
from grafana.queries import Selector, age, highest, increase_in_range

LEGEND = "{{daemon}} @ {{instance}}"

_STATE = (
    "OpenVPN's own word for its state, or DOWN when the exporter can't ask. A server is CONNECTED "
    "once it is initialised, with or without clients."
)


def state_now(select: Selector) -> dashboard.Panel:
    """Show the state of a daemon."""
    return stat(
        "State",
        Description(
            _STATE,
            "`state` and real-time messages `>STATE`; `openvpn_up`.",
            "the exporter doesn't watch the daemon, or isn't scraped.",
            "for DOWN see the reason beside it; RECONNECTING that lasts means an unreachable peer.",
        ),
        Query(mappings.state_value(select), "{{daemon}}"),
        unit="none",
        mappings=(mappings.DOWN, *mappings.STATES),
        no_value="not watched",
    )


def states(select: Selector, *, size: Size = WIDE) -> dashboard.Panel:
    """Show the states of daemons over time."""
    return state_timeline(
        "States",
        Description(
            f"{_STATE} A reconnect between two scrapes leaves no trace here: the counters of "
            "reconnects have every one.",
            "`state` and real-time messages `>STATE`; `openvpn_up`.",
            "the exporter doesn't watch such a daemon, or isn't scraped; see the exporter's "
            "dashboard.",
            "compare with traffic and log events at the same time.",
        ),
        Query(mappings.state_value(select), LEGEND),
        mappings=(mappings.DOWN, *mappings.STATES),
        no_value="No daemon is watched",
        size=size,
    )


def why_down(select: Selector) -> dashboard.Panel:
    """Show why a daemon can't be asked."""
    return stat(
        "Management session",
        Description(
            "Whether the exporter's session with the daemon's management interface works, or why "
            "it doesn't.",
            "every command; `openvpn_down_reason`.",
            "the exporter doesn't watch the daemon, or isn't scraped.",
            "refused, not_found: is it running? busy: another client holds the only slot. "
            "hold, prompt, client_auth: somebody else must answer the daemon. stale: its status "
            "file is not written any more.",
        ),
        Query(mappings.reason_value(select), "{{daemon}}"),
        unit="none",
        mappings=mappings.REASONS,
        no_value="not watched",
    )


def reasons(select: Selector) -> dashboard.Panel:
    """Show over time why daemons couldn't be asked."""
    return state_timeline(
        "Management sessions",
        Description(
            "Whether the session with each daemon's management interface worked, or why it didn't.",
            "every command; `openvpn_down_reason`.",
            "no daemon is watched, or the exporter isn't scraped.",
            "refused, not_found, unreachable: is the daemon running, is the address right? "
            "permission, auth: the socket's rights, the password file. busy: another client holds "
            "the only slot. hold, prompt, client_auth: somebody else must answer the daemon.",
        ),
        Query(mappings.reason_value(select), LEGEND),
        mappings=mappings.REASONS,
        no_value="No daemon is watched",
    )


def uptime(select: Selector) -> dashboard.Panel:
    """Show for how long a daemon's process runs."""
    return stat(
        "Running for",
        Description(
            "Time since OpenVPN's process started.",
            "the first entry of `state all`.",
            "the daemon is down, or has forgotten its start: it keeps 100 entries.",
            "a short time that nobody planned is a crash: look at the fatal errors and its log.",
        ),
        Query(age(highest(select("openvpn_start_time_seconds")))),
        unit="s",
        no_value="not known",
    )


def version(select: Selector, *, size: Size = SIXTH) -> dashboard.Panel:
    """Show which OpenVPN it is."""
    return stat(
        "Version",
        Description(
            "The release of OpenVPN that the daemon is.",
            "`version`.",
            "the daemon is down.",
            "compare with the others on the fleet's dashboard after an upgrade.",
        ),
        Query(highest(select("openvpn_info"), "version")),
        unit="none",
        no_value="not known",
        label="version",
        size=size,
    )


def data_age(select: Selector) -> dashboard.Panel:
    """Show how old the daemon's status is."""
    return stat(
        "Age of the status",
        Description(
            "How long ago the daemon wrote the status that was last read. It grows to about the "
            "sum of the poll and scrape intervals before it falls again.",
            "the time inside `status`; clients print theirs as well.",
            "the daemon is down, or its status says no time.",
            "minutes mean a stalled daemon, or clocks that differ between two machines.",
        ),
        Query(age(highest(select("openvpn_status_update_time_seconds")))),
        unit="s",
        decimals=0,
        colours=thresholds("text", (120, "yellow"), (300, "red")),
        no_value="not known",
    )


def restarts(select: Selector) -> dashboard.Panel:
    """Show how often the process was another one."""
    return stat(
        "Restarts in range",
        Description(
            "Times that the daemon's process was found to be another one, in the time range.",
            "`pid` and `state all` at each new session.",
            "the exporter doesn't watch the daemon, or isn't scraped.",
            "look at the fatal errors, and at the supervisor's log.",
        ),
        Query(increase_in_range(select("openvpn_restarts_total"))),
        unit="short",
        decimals=0,
        mappings=mappings.NONE,
        colours=thresholds("green", (0.5, "yellow")),
        no_value="not watched",
    )
