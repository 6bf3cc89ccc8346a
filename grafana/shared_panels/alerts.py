"""The table of firing alerts."""

from grafana_foundation_sdk.models import dashboard

from grafana import mappings
from grafana.kinds import BOARD, with_board
from grafana.links import TO_CLIENT, TO_DAEMON, TO_EXPORTER
from grafana.panels.panel import Description, Size
from grafana.panels.table import Text, Value, table
from grafana.queries import DAEMON_LABELS, Selector, highest, in_milliseconds

_select = Selector(('job=~"$job|"', 'instance=~"$instance|"', 'daemon=~"$daemon|"'))
"""Alerts about several exporters or daemons have no label for them; `|` matches these, too."""

_LABELS = ("alertname", "severity", *DAEMON_LABELS, "common_name")
_OURS = 'alertname=~"OpenVPN.+"'
_FIRING = _select("ALERTS", _OURS, 'alertstate="firing"')
_ACTIVE_SINCE = (
    f"min by ({', '.join(_LABELS)}) "
    f"({_select('ALERTS_FOR_STATE', _OURS)} and ignoring (alertstate) {_FIRING})"
)


def firing_alerts(select: Selector, *, size: Size) -> dashboard.Panel:
    """Return a table of the firing alerts, the most urgent ones on top."""
    return table(
        "Firing alerts",
        Description(
            "Alerts of the bundled rules that are firing now, critical ones on top. *Since* is "
            "when the condition began, before the time that the rule waits.",
            "`ALERTS`, `ALERTS_FOR_STATE`: only the Prometheus that evaluates the rules has them.",
            "no alert is firing, or the rules are not loaded into this Prometheus.",
            "docs/runbook.md has a section for each alert. Click the daemon or the client.",
        ),
        [
            Value("Severity", _severity(), mappings=mappings.SEVERITIES, width=80),
            Text("Alert", "alertname", width=245),
            Text("Daemon", "daemon", links=(TO_DAEMON, TO_EXPORTER), width=140),
            Text("Client", "common_name", links=(TO_CLIENT,), width=110),
            Value("Since", in_milliseconds(_ACTIVE_SINCE), unit="dateTimeFromNow", width=125),
            Text("Exporter", "instance"),
            Text("Job", "job", hidden=True),
            Text("Dashboard", BOARD, hidden=True),
            Value("Board", with_board(highest(_FIRING, *_LABELS), select), shown=False),
        ],
        no_value="None, or no rules in this Prometheus",
        sort="Severity",
        size=size,
    )


def _severity() -> str:
    """Return the number of each firing alert's severity; lower ones are more urgent."""
    numbers = " or ".join(
        f"{mapped.value} * {_select('ALERTS', _OURS, _firing(mapped.text))}"
        for mapped in mappings.SEVERITIES
    )
    return highest(numbers, *_LABELS)


def _firing(severity: str) -> str:
    return f'alertstate="firing", severity="{severity}"'
