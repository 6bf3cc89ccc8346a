"""Bar gauges: one bar per series."""

from collections.abc import Sequence

from grafana_foundation_sdk.models import bargauge, common, dashboard

from grafana.panels.panel import DATASOURCE, Description, Query, Size, fixed_colour, instant_queries

THIRD = Size(8, 8)


def bar_gauge(
    title: str,
    about: Description,
    queries: Sequence[Query],
    *,
    unit: str,
    no_value: str,
    size: Size = THIRD,
    decimals: int | None = None,
) -> dashboard.Panel:
    """Return a bar gauge of instant queries; the bars are in the order of the result."""
    return dashboard.Panel(
        type_val="bargauge",
        title=title,
        description=about.markdown(),
        datasource=DATASOURCE,
        grid_pos=dashboard.GridPos(h=size.height, w=size.width),
        targets=[*instant_queries(queries)],
        options=bargauge.Options(
            display_mode=common.BarGaugeDisplayMode.BASIC,
            value_mode=common.BarGaugeValueMode.TEXT,
            name_placement=common.BarGaugeNamePlacement.LEFT,
            sizing=common.BarGaugeSizing.MANUAL,
            max_viz_height=24,
            text=common.VizTextDisplayOptions(value_size=15),
            orientation=common.VizOrientation.HORIZONTAL,
            reduce_options=common.ReduceDataOptions(values=False, calcs=["lastNotNull"], fields=""),
        ),
        field_config=dashboard.FieldConfigSource(
            dashboard.FieldConfig(
                unit=unit,
                decimals=decimals,
                no_value=no_value,
                min_val=0,
                color=fixed_colour("blue"),
            )
        ),
    )
