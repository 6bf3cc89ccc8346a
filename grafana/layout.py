"""The layout of a dashboard: rows of panels, from left to right and from top to bottom."""

from collections.abc import Sequence
from typing import NamedTuple

from grafana_foundation_sdk.models import dashboard

from grafana.annotations import annotations
from grafana.links import TAG, between_dashboards

_COLUMNS = 24
_SCHEMA = 39
"""The schema of Grafana 10.4. Later versions migrate it; earlier ones cannot read it."""


class Row(NamedTuple):
    """A row title and its panels; the panels of a collapsed row send no queries."""

    title: str
    panels: Sequence[dashboard.Panel]
    collapsed: bool = False


def build_dashboard(
    uid: str,
    title: str,
    description: str,
    *,
    variables: list[dashboard.VariableModel],
    rows: Sequence[Row],
    start: str = "now-6h",
    refresh: str = "1m",
) -> dashboard.Dashboard:
    """Return the dashboard; its time range begins at `start`."""
    return dashboard.Dashboard(
        uid=uid,
        title=title,
        description=description,
        tags=[TAG],
        timezone="browser",
        editable=False,
        graph_tooltip=dashboard.DashboardCursorSync.CROSSHAIR,
        time=dashboard.DashboardDashboardTime(start, "now"),
        refresh=refresh,
        schema_version=_SCHEMA,
        version=1,
        panels=_arrange(rows),
        templating=dashboard.DashboardDashboardTemplating(variables),
        annotations=annotations(variables),
        links=between_dashboards(uid, variables),
    )


def _arrange(rows: Sequence[Row]) -> list[dashboard.Panel | dashboard.RowPanel]:
    """Set the position and the id of every row and panel."""
    placed: list[dashboard.Panel | dashboard.RowPanel] = []
    identifier, y = 1, 0
    for row in rows:
        heading = dashboard.RowPanel(
            collapsed=row.collapsed,
            title=row.title,
            grid_pos=dashboard.GridPos(h=1, w=_COLUMNS, y=y),
            id_val=identifier,
            panels=[],
        )
        bottom = _arrange_row(row.panels, y + 1)
        for number, panel in enumerate(row.panels, start=identifier + 1):
            panel.id_val = number
        identifier += 1 + len(row.panels)
        placed.append(heading)
        if row.collapsed:
            heading.panels = [*row.panels]
            y += 1
        else:
            placed.extend(row.panels)
            y = bottom
    return placed


def _arrange_row(panels: Sequence[dashboard.Panel], top: int) -> int:
    """Set the positions of panels from `top` downwards; return the y of the next row."""
    x, y, line = 0, top, 0
    for panel in panels:
        position = panel.grid_pos
        if position is None:
            raise ValueError(f"{panel.title}: no size")
        if x + position.w > _COLUMNS:
            x, y, line = 0, y + line, 0
        position.x, position.y = x, y
        x, line = x + position.w, max(line, position.h)
    return y + line
