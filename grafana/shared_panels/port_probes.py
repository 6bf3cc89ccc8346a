"""Panels about the probes of ports."""

from grafana_foundation_sdk.models import dashboard

from grafana import mappings
from grafana.kinds import BOARD, EXPORTER_UID, with_board
from grafana.links import TO_DAEMON
from grafana.panels.panel import Description, Query, Size, thresholds
from grafana.panels.table import Text, Value, table
from grafana.panels.time_series import time_series
from grafana.queries import DAEMON_LABELS, Selector, highest, nonzero_in_range, number_of

_PORT_LABELS = (*DAEMON_LABELS, "target", "protocol", "ip_version")
_SOURCE = "probes: the first packet of a handshake, without a certificate."
_NONE = "`port_probe` and `port_probes` are not configured."


def _with_board(expression: str, select: Selector) -> str:
    """Return series with the label of a dashboard: the exporter's for a port without a daemon."""
    other = f'label_replace({expression}, "{BOARD}", "{EXPORTER_UID}", "", "")'
    return f"{with_board(expression, select)} or ignoring ({BOARD}) {other}"


def ports(select: Selector) -> dashboard.Panel:
    """Return a table of the ports that are probed, those without an answer on top."""
    return table(
        "Ports",
        Description(
            "Whether each port answered its last probe. A port without a daemon has the name of "
            "its entry in `port_probes`.",
            _SOURCE,
            f"{_NONE} Or all probes are skipped, see *Skipped probes*.",
            "*Failed probes* shows the outcome, the documentation its meaning.",
        ),
        [
            Value(
                "Port",
                _with_board(highest(select("openvpn_port_probe_success"), *_PORT_LABELS), select),
                mappings=mappings.PORT,
                width=105,
            ),
            Text("Daemon", "daemon", links=(TO_DAEMON,), width=120),
            Text("Target", "target"),
            Text("Protocol", "protocol", width=80),
            Text("IP", "ip_version", width=45),
            Value(
                "Failures in a row",
                highest(select("openvpn_port_probe_consecutive_failures"), *_PORT_LABELS),
                colours=thresholds("green", (1, "yellow"), (3, "red")),
                decimals=0,
                width=120,
            ),
            Value(
                "Duration",
                highest(select("openvpn_port_probe_duration_seconds"), *_PORT_LABELS),
                unit="s",
                width=85,
            ),
            Text("Exporter", "instance"),
            Text("Job", "job", hidden=True),
            Text("Dashboard", BOARD, hidden=True),
        ],
        no_value="No port is probed",
        sort="Port",
        size=Size(12, 7),
    )


def failed_probes(select: Selector) -> dashboard.Panel:
    """Return the probes without an answer, by outcome."""
    failed = select("openvpn_port_probes_total", 'outcome!="answered"')
    return time_series(
        "Failed probes",
        Description(
            "Probes without an answer, by outcome; each bar is their number in its time.",
            _SOURCE,
            "all probes were answered, or none was sent.",
            "`refused`: the server does not listen there. `no_answer`: a firewall, or a wrong key "
            "over UDP. `closed`: a wrong key over TCP.",
        ),
        [
            Query(
                nonzero_in_range(number_of(failed, "outcome"), failed, "outcome"),
                "{{outcome}}",
            )
        ],
        unit="short",
        no_value="None",
        bars=True,
        size=Size(6, 7),
    )


def skipped_probes(select: Selector) -> dashboard.Panel:
    """Return a table of the ports that are not probed now, with the reason."""
    return table(
        "Skipped probes",
        Description(
            "Ports that are not probed now, because a probe could harm the daemon.",
            "the exporter.",
            "all ports are probed, or none is configured.",
            "`leaves_traces`: the daemon is older than 2.6, see `allow_traces`. `max_clients` and "
            "`connect_freq`: a limit of the daemon is nearly reached.",
        ),
        [
            Text("Daemon", "daemon", links=(TO_DAEMON,)),
            Text("Target", "target"),
            Text("Reason", "reason"),
            Text("Exporter", "instance", hidden=True),
            Text("Job", "job", hidden=True),
            Text("Protocol", "protocol", hidden=True),
            Text("IP", "ip_version", hidden=True),
            Text("Dashboard", BOARD, hidden=True),
            Value(
                "Skipped",
                _with_board(
                    highest(
                        f"{select('openvpn_port_probe_skipped')} == 1", *_PORT_LABELS, "reason"
                    ),
                    select,
                ),
                shown=False,
            ),
        ],
        no_value="None",
        sort="Daemon",
        size=Size(6, 7),
    )
