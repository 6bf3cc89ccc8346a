"""The annotations of a dashboard."""

from collections.abc import Sequence

from grafana_foundation_sdk.models import dashboard

from grafana.panels.panel import DATASOURCE
from grafana.queries import (
    DAEMON_LABELS,
    EXPORTER_MATCHERS,
    Selector,
    highest,
    in_milliseconds,
    per_second,
    total,
)


def annotations(variables: Sequence[dashboard.VariableModel]) -> dashboard.AnnotationContainer:
    """Return annotations for alerts, restarts and fatal errors of the selected daemons."""
    choice = next((variable for variable in variables if variable.name == "daemon"), None)
    matchers: tuple[str, ...] = EXPORTER_MATCHERS
    if choice is not None:
        matchers = (*EXPORTER_MATCHERS, f'daemon{"=~" if choice.multi else "="}"$daemon"')
    select = Selector(matchers)
    return dashboard.AnnotationContainer(
        [
            _annotation(
                "Firing alerts",
                select("ALERTS", 'alertname=~"OpenVPN.+"', 'alertstate="firing"'),
                colour="red",
                title="{{alertname}}",
                text="{{daemon}} {{common_name}}",
            ),
            _annotation(
                "Daemon started",
                in_milliseconds(highest(select("openvpn_start_time_seconds"), *DAEMON_LABELS)),
                colour="blue",
                title="OpenVPN started",
                text="{{daemon}}",
                at_value=True,
            ),
            _annotation(
                "Fatal error",
                f"{total(per_second(select('openvpn_fatal_errors_total')), *DAEMON_LABELS)} > 0",
                colour="orange",
                title="OpenVPN fatal error",
                text="{{daemon}}",
            ),
        ]
    )


def _annotation(
    name: str, expr: str, *, colour: str, title: str, text: str, at_value: bool = False
) -> dashboard.AnnotationQuery:
    """Return an annotation where an expression has a result; `at_value`: at the resulting times."""
    return dashboard.AnnotationQuery(
        name=name,
        datasource=DATASOURCE,
        expr=expr,
        icon_color=colour,
        title_format=title,
        text_format=text,
        step="60s",
        use_value_for_time=at_value or None,
    )
