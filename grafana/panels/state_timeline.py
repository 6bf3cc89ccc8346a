"""State timelines: one row per series, coloured by its state."""

from collections.abc import Sequence

from grafana_foundation_sdk.models import common, dashboard, statetimeline

from grafana.mappings import MappedValue, value_mappings
from grafana.panels.panel import (
    DATASOURCE,
    Description,
    Query,
    Size,
    range_queries,
    threshold_colour,
)

WIDE = Size(24, 7)


def state_timeline(
    title: str,
    about: Description,
    query: Query,
    *,
    mappings: Sequence[MappedValue],
    no_value: str,
    size: Size = WIDE,
) -> dashboard.Panel:
    """Return a state timeline; the mappings give values their texts."""
    return dashboard.Panel(
        type_val="state-timeline",
        title=title,
        description=about.markdown(),
        datasource=DATASOURCE,
        grid_pos=dashboard.GridPos(h=size.height, w=size.width),
        targets=[*range_queries([query])],
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
                mappings=value_mappings(mappings),
                color=threshold_colour(),
                custom=statetimeline.FieldConfig(fill_opacity=80),
            )
        ),
    )
