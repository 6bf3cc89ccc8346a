"""A dashboard as grafana.com takes it.

The import dialog of Grafana asks for the inputs (`__inputs`) and puts their values in the place of
`${DS_PROMETHEUS}`. Provisioning does not, so the files of the package have no inputs.
"""

import json
from collections.abc import Iterator
from typing import Any

GRAFANA = "10.4.0"
"""The oldest version of Grafana that reads the dashboards."""

_INPUT = "DS_PROMETHEUS"
_PANELS = {
    "bargauge": "Bar gauge",
    "stat": "Stat",
    "state-timeline": "State timeline",
    "table": "Table",
    "text": "Text",
    "timeseries": "Time series",
}


def for_grafana_com(text: str) -> str:
    """Return the JSON of a dashboard with inputs and requirements.

    The input is the first value of the variable `datasource`, which all panels use.
    """
    dashboard = json.loads(text)
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "datasource":
            variable["current"] = {"text": f"${{{_INPUT}}}", "value": f"${{{_INPUT}}}"}
    data_source = {
        "name": _INPUT,
        "label": "Prometheus",
        "description": "The Prometheus that scrapes the OpenVPN exporter",
        "type": "datasource",
        "pluginId": "prometheus",
        "pluginName": "Prometheus",
    }
    content = {
        "__inputs": [data_source],
        "__requires": [
            {"type": "grafana", "id": "grafana", "name": "Grafana", "version": GRAFANA},
            {"type": "datasource", "id": "prometheus", "name": "Prometheus", "version": "1.0.0"},
            *(
                {"type": "panel", "id": kind, "name": _PANELS[kind], "version": ""}
                for kind in sorted(set(_panel_types(dashboard["panels"])) - {"row"})
            ),
        ],
        "id": None,
        **dashboard,
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _panel_types(panels: list[dict[str, Any]]) -> Iterator[str]:
    for panel in panels:
        yield panel["type"]
        yield from _panel_types(panel.get("panels", []))
