"""Single values."""

from collections.abc import Sequence

from grafana_foundation_sdk.models import common, dashboard
from grafana_foundation_sdk.models import stat as model

from grafana.panels.panel import (
    SOURCE,
    About,
    Query,
    Size,
    at_the_end,
    by_threshold,
    mappings,
    over_time,
    thresholds,
)
from grafana.words import Word

SIXTH = Size(4, 4)
PLAIN = thresholds("text")


def stat(
    title: str,
    about: About,
    query: Query | Sequence[Query],
    *,
    unit: str,
    no_value: str,
    words: Sequence[Word] = (),
    colours: dashboard.ThresholdsConfig = PLAIN,
    size: Size = SIXTH,
    named: bool = False,
    sparkline: bool = False,
    decimals: int | None = None,
) -> dashboard.Panel:
    """Show a value, or what its number means in `words`.

    `named` shows what the series is called instead: for facts that are labels. A `sparkline`
    shows how the value came about.
    """
    queries = [query] if isinstance(query, Query) else query
    return dashboard.Panel(
        type_val="stat",
        title=title,
        description=about.markdown(),
        datasource=SOURCE,
        grid_pos=dashboard.GridPos(h=size.height, w=size.width),
        targets=[*(over_time(queries) if sparkline else at_the_end(queries))],
        options=_options(named=named, sparkline=sparkline, several=len(queries) > 1),
        field_config=dashboard.FieldConfigSource(
            dashboard.FieldConfig(
                unit=unit,
                decimals=decimals,
                no_value=no_value,
                mappings=mappings(words),
                thresholds=colours,
                color=by_threshold(),
            )
        ),
    )


def _options(*, named: bool, sparkline: bool, several: bool) -> model.Options:
    text = common.BigValueTextMode.VALUE
    if named:
        text = common.BigValueTextMode.NAME
    elif several:
        text = common.BigValueTextMode.VALUE_AND_NAME
    return model.Options(
        graph_mode=common.BigValueGraphMode.AREA if sparkline else common.BigValueGraphMode.NONE,
        color_mode=common.BigValueColorMode.VALUE,
        text_mode=text,
        reduce_options=common.ReduceDataOptions(values=False, calcs=["lastNotNull"], fields=""),
    )
