"""Panels about the state of daemons and of their management sessions."""

from grafana_foundation_sdk.models import dashboard

from grafana import mappings
from grafana.panels.panel import Description, Query, Size, thresholds
from grafana.panels.stat import SIXTH, stat
from grafana.panels.state_timeline import WIDE, state_timeline
from grafana.queries import Selector, age, highest, increase_in_range

LEGEND = "{{daemon}} @ {{instance}}"

STATE = (
    "The state that OpenVPN reports, or DOWN if the daemon cannot be polled. A server is CONNECTED "
    "once it is initialised, with or without clients."
)


def current_state(select: Selector) -> dashboard.Panel:
    """Return the current state of a daemon."""
    return stat(
        "State",
        Description(
            STATE,
            "`state` and real-time messages `>STATE`; `openvpn_up`.",
            "the exporter does not monitor this daemon, or is not scraped.",
            "DOWN: *Management session* has the reason. RECONNECTING for long: the peer is "
            "unreachable.",
        ),
        Query(mappings.state_value(select), "{{daemon}}"),
        unit="none",
        mappings=(mappings.DOWN, *mappings.STATES),
        no_value="not monitored",
    )


def states(select: Selector, *, size: Size = WIDE) -> dashboard.Panel:
    """Return the states of daemons over time."""
    return state_timeline(
        "States",
        Description(
            f"{STATE} A reconnect between two scrapes is not visible here; the counters of "
            "reconnects include it.",
            "`state` and real-time messages `>STATE`; `openvpn_up`.",
            "the exporter does not monitor such a daemon, or is not scraped: see the exporter "
            "dashboard.",
            "compare with traffic and log events at the same time.",
        ),
        Query(mappings.state_value(select), LEGEND),
        mappings=(mappings.DOWN, *mappings.STATES),
        no_value="No daemon is monitored",
        size=size,
    )


def management_session(select: Selector) -> dashboard.Panel:
    """Return the state of a daemon's management session."""
    return stat(
        "Management session",
        Description(
            "Whether the exporter's management session with the daemon is up, or the reason "
            "why it is down.",
            "all commands; `openvpn_down_reason`.",
            "the exporter does not monitor this daemon, or is not scraped.",
            "refused, not_found: is the daemon running? busy: another client uses the only "
            "slot. hold, prompt, client_auth: another management client must answer the "
            "daemon. stale: the status file is not updated any more.",
        ),
        Query(mappings.reason_value(select), "{{daemon}}"),
        unit="none",
        mappings=mappings.REASONS,
        no_value="not monitored",
    )


def uptime(select: Selector) -> dashboard.Panel:
    """Return the uptime of a daemon."""
    return stat(
        "Uptime",
        Description(
            "Time since the OpenVPN process started.",
            "the first entry of `state all`.",
            "the daemon is down, or its start is no longer in its history of 100 states.",
            "an unplanned short uptime is a crash: look at the fatal errors and the daemon's log.",
        ),
        Query(age(highest(select("openvpn_start_time_seconds")))),
        unit="s",
        no_value="not known",
    )


def version(select: Selector, *, size: Size = SIXTH) -> dashboard.Panel:
    """Return the version of OpenVPN."""
    return stat(
        "Version",
        Description(
            "The daemon's version of OpenVPN.",
            "`version`.",
            "the daemon is down.",
            "compare with the fleet dashboard after an upgrade.",
        ),
        Query(highest(select("openvpn_info"), "version")),
        unit="none",
        no_value="not known",
        label="version",
        size=size,
    )


def status_age(select: Selector) -> dashboard.Panel:
    """Return the age of a daemon's status."""
    return stat(
        "Status age",
        Description(
            "Age of the daemon's last status. It grows up to the poll interval plus the scrape"
            " interval.",
            "the time inside `status`, also in client mode.",
            "the daemon is down, or its status has no time.",
            "minutes: the daemon is stuck, or the clocks of two machines differ.",
        ),
        Query(age(highest(select("openvpn_status_update_time_seconds")))),
        unit="s",
        decimals=0,
        colours=thresholds("text", (120, "yellow"), (300, "red")),
        no_value="not known",
    )


def restarts(select: Selector) -> dashboard.Panel:
    """Return the number of restarts of a daemon."""
    return stat(
        "Restarts",
        Description(
            "Restarts of the daemon's process in the time range.",
            "`pid` and `state all` at each new management session.",
            "the exporter does not monitor this daemon, or is not scraped.",
            "look at the fatal errors and at the log of the service manager.",
        ),
        Query(increase_in_range(select("openvpn_restarts_total"))),
        unit="short",
        decimals=0,
        mappings=mappings.NONE,
        colours=thresholds("green", (0.5, "yellow")),
        no_value="not monitored",
    )


def reconnects(select: Selector, *, size: Size = SIXTH) -> dashboard.Panel:
    """Return the number of reconnects of tunnels."""
    return stat(
        "Reconnects",
        Description(
            "Entries into RECONNECTING in the time range. All are counted, even short ones.",
            "real-time messages `>STATE`, and `state all` after a gap.",
            "the exporter does not monitor this daemon, or is not scraped.",
            "*Reconnects by reason* shows why.",
        ),
        Query(increase_in_range(select("openvpn_reconnects_total"))),
        unit="short",
        decimals=0,
        mappings=mappings.NONE,
        colours=thresholds("green", (0.5, "yellow")),
        no_value="not monitored",
        size=size,
    )
