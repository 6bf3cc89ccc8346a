"""Panels about the tools to which the exporter offers the management interface on (`share`)."""

from grafana_foundation_sdk.models import dashboard

from grafana.panels.panel import Description, Query
from grafana.panels.time_series import HALF, time_series
from grafana.queries import DAEMON_LABELS, Selector, highest, nonzero_in_range, number_of
from grafana.shared_panels import daemon_state

_TOOLS = "openvpn_exporter_shared_tools"
_COMMANDS = "openvpn_exporter_shared_commands_total"


def panels(select: Selector) -> list[dashboard.Panel]:
    """Return the row: tools that are connected, and their commands."""
    counter = select(_COMMANDS)
    labels = ("daemon", "outcome", "command")
    return [
        time_series(
            "Tools connected",
            Description(
                "Tools connected to the shared management interface of each daemon.",
                f"`{_TOOLS}`.",
                "no daemon has `share`.",
                "at `max_clients` of `share`, further tools are disconnected.",
            ),
            [Query(highest(select(_TOOLS), *DAEMON_LABELS), daemon_state.LEGEND)],
            unit="short",
            no_value="No daemon is shared",
            size=HALF,
        ),
        time_series(
            "Commands of tools",
            Description(
                "Commands of tools: served from memory, forwarded to the daemon, or refused. Each "
                "bar is the number in its time.",
                f"`{_COMMANDS}`.",
                "no tool sent a command in the time range.",
                "many forwarded: increase `max_age` of `share`. Refused: a tool tries to change "
                "the daemon, or reads the log, which is not shared.",
            ),
            [
                Query(
                    nonzero_in_range(number_of(counter, *labels), counter, *labels),
                    "{{daemon}} {{command}} {{outcome}}",
                )
            ],
            unit="short",
            no_value="None in this time range",
            bars=True,
            size=HALF,
        ),
    ]
