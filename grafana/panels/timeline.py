"""State timelines: what something was over time, in words."""

from collections.abc import Sequence

from grafana_foundation_sdk.models import common, dashboard, statetimeline

from grafana.panels.panel import SOURCE, About, Query, Size, by_threshold, mappings, over_time
from grafana.words import Word

WIDE = Size(24, 7)


def timeline(
    title: str,
    about: About,
    query: Query,
    *,
    words: Sequence[Word],
    no_value: str,
    size: Size = WIDE,
) -> dashboard.Panel:
    """Draw each series as a row whose numbers are shown as words."""
    return dashboard.Panel(
        type_val="state-timeline",
        title=title,
        description=about.markdown(),
        datasource=SOURCE,
        grid_pos=dashboard.GridPos(h=size.height, w=size.width),
        targets=[*over_time([query])],
        options=statetimeline.Options(
            show_value=common.VisibilityMode.AUTO,
            align_value=common.TimelineValueAlignment.LEFT,
            legend=common.VizLegendOptions(
                common.LegendDisplayMode.LIST,
                common.LegendPlacement.BOTTOM,
                show_legend=True,
                calcs=[],
            ),
            tooltip=common.VizTooltipOptions(mode=common.TooltipDisplayMode.SINGLE),
        ),
        field_config=dashboard.FieldConfigSource(
            dashboard.FieldConfig(
                unit="none",
                no_value=no_value,
                mappings=mappings(words),
                color=by_threshold(),
                custom=statetimeline.FieldConfig(fill_opacity=80),
            )
        ),
    )
