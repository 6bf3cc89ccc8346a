"""Dashboards as JSON for Grafana."""

import json
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard

# Properties that the SDK always writes. Without them, Grafana has the same value or a better one.
_DEFAULTS = {
    # Grafana 12.3 and later hide such a link in a menu, or draw it nowhere.
    "placement": "inControlsMenu",
    # Grafana 13.2 has no such option of a table.
    "footer": {"countRows": False, "reducer": [], "show": False},
    "auto": False,
    "auto_count": 30,
    "auto_min": "10s",
    "transparent": False,
    "repeatDirection": "h",
    "hide": False,
    "skipUrlSync": False,
    "inspect": False,
}


def to_json(board: dashboard.Dashboard) -> str:
    """Return a dashboard as JSON; the same dashboard gives the same bytes."""
    content = json.loads(json.dumps(board, cls=JSONEncoder))
    return (
        json.dumps(_without_defaults(content), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    )


def _without_defaults(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, list):
        return [_without_defaults(item) for item in value]
    if isinstance(value, dict):
        return {
            key: _without_defaults(item)
            for key, item in value.items()
            if not _is_default(key, item)
        }
    return value


def _is_default(key: str, value: object) -> bool:
    return key in _DEFAULTS and value == _DEFAULTS[key] and type(value) is type(_DEFAULTS[key])
