"""Stat panels: one value."""

from collections.abc import Sequence

from grafana_foundation_sdk.models import common, dashboard, prometheus
from grafana_foundation_sdk.models import stat as model

from grafana.mappings import MappedValue, value_mappings
from grafana.panels.panel import (
    DATASOURCE,
    Description,
    Query,
    Size,
    instant_queries,
    threshold_colour,
    thresholds,
)

SIXTH = Size(4, 3)
EIGHTH = Size(3, 3)
PLAIN = thresholds("text")


def stat(
    title: str,
    about: Description,
    query: Query | Sequence[Query],
    *,
    unit: str,
    no_value: str,
    mappings: Sequence[MappedValue] = (),
    colours: dashboard.ThresholdsConfig = PLAIN,
    size: Size = SIXTH,
    label: str | None = None,
    decimals: int | None = None,
) -> dashboard.Panel:
    """Return a stat panel; the mappings give values their texts.

    Several queries are shown with their legends. With `label` the values of that label are shown
    instead of numbers.
    """
    queries = [query] if isinstance(query, Query) else query
    return dashboard.Panel(
        type_val="stat",
        title=title,
        description=about.markdown(),
        datasource=DATASOURCE,
        grid_pos=dashboard.GridPos(h=size.height, w=size.width),
        targets=[*_targets(queries, label)],
        options=_options(label, named=len(queries) > 1),
        field_config=dashboard.FieldConfigSource(
            dashboard.FieldConfig(
                unit=unit,
                decimals=decimals,
                no_value=no_value,
                mappings=value_mappings(mappings),
                thresholds=colours,
                color=threshold_colour(),
            )
        ),
    )


def _targets(queries: Sequence[Query], label: str | None) -> list[prometheus.Dataquery]:
    targets = instant_queries(queries)
    if label is not None:
        targets[0].format_val = prometheus.PromQueryFormat.TABLE
    return targets


def _options(label: str | None, *, named: bool) -> model.Options:
    return model.Options(
        wide_layout=not named,
        text=common.VizTextDisplayOptions(title_size=12, value_size=22) if named else None,
        graph_mode=common.BigValueGraphMode.NONE,
        color_mode=common.BigValueColorMode.VALUE,
        text_mode=(
            common.BigValueTextMode.VALUE_AND_NAME if named else common.BigValueTextMode.VALUE
        ),
        reduce_options=common.ReduceDataOptions(
            values=label is not None,
            calcs=["lastNotNull"],
            fields="" if label is None else f"/^{label}$/",
        ),
    )
