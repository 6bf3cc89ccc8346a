"""Time series: lines or bars over time."""

from collections.abc import Sequence

from grafana_foundation_sdk.models import common, dashboard, timeseries

from grafana.panels.panel import (
    DATASOURCE,
    Description,
    Query,
    Size,
    fixed_colour,
    override,
    palette_colour,
    range_queries,
    ref_id,
)

HALF = Size(12, 8)

_BARS = 100
_EVENTS_BAR = "3m"
"""Three scrape intervals of a minute: `$__rate_interval` is then one bar and one scrape."""


def time_series(
    title: str,
    about: Description,
    queries: Sequence[Query],
    *,
    unit: str,
    no_value: str,
    size: Size = HALF,
    bars: bool = False,
    shortest_bar: str = _EVENTS_BAR,
    stacked: bool = False,
    limit: str | None = None,
    at_most: float | None = None,
) -> dashboard.Panel:
    """Return a time series panel.

    A wide panel has its legend as a table. The series with the name `limit` is a dashed line.
    """
    return dashboard.Panel(
        type_val="timeseries",
        title=title,
        description=about.markdown(),
        datasource=DATASOURCE,
        grid_pos=dashboard.GridPos(h=size.height, w=size.width),
        targets=[*range_queries(queries)],
        max_data_points=_BARS if bars else None,
        interval=shortest_bar if bars else None,
        options=timeseries.Options(
            legend=_legend(wide=size.width > HALF.width),
            tooltip=common.VizTooltipOptions(
                mode=common.TooltipDisplayMode.MULTI, sort=common.SortOrder.DESCENDING
            ),
        ),
        field_config=dashboard.FieldConfigSource(
            dashboard.FieldConfig(
                unit=unit,
                no_value=no_value,
                decimals=0 if bars and shortest_bar == _EVENTS_BAR else None,
                min_val=None if any(query.mirrored for query in queries) else 0,
                max_val=at_most,
                color=palette_colour(),
                custom=_style(bars=bars, stacked=stacked),
            ),
            [*_mirrored(queries), *_limit(limit)],
        ),
    )


def _legend(*, wide: bool) -> common.VizLegendOptions:
    if not wide:
        return common.VizLegendOptions(
            common.LegendDisplayMode.LIST,
            common.LegendPlacement.BOTTOM,
            show_legend=True,
            calcs=[],
        )
    return common.VizLegendOptions(
        common.LegendDisplayMode.TABLE,
        common.LegendPlacement.RIGHT,
        show_legend=True,
        calcs=["lastNotNull", "max"],
        sort_by="Max",
        sort_desc=True,
    )


def _style(*, bars: bool, stacked: bool) -> common.GraphFieldConfig:
    return common.GraphFieldConfig(
        draw_style=common.GraphDrawStyle.BARS if bars else common.GraphDrawStyle.LINE,
        line_width=1,
        fill_opacity=60 if bars or stacked else 10,
        show_points=common.VisibilityMode.AUTO,
        point_size=4,
        stacking=common.StackingConfig(
            common.StackingMode.NORMAL if stacked else common.StackingMode.NONE, "A"
        ),
    )


def _mirrored(
    queries: Sequence[Query],
) -> list[dashboard.DashboardFieldConfigSourceOverrides]:
    return [
        override("byFrameRefID", ref_id(index), custom__transform=common.GraphTransform.NEGATIVE_Y)
        for index, query in enumerate(queries)
        if query.mirrored
    ]


def _limit(name: str | None) -> list[dashboard.DashboardFieldConfigSourceOverrides]:
    if name is None:
        return []
    return [
        override(
            "byName",
            name,
            color=fixed_colour("red"),
            custom__fillOpacity=0,
            custom__lineStyle=common.LineStyle("dash", [10, 10]),
        )
    ]
