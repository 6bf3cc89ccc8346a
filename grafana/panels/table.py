"""Tables of instant queries."""

from collections.abc import Sequence
from typing import NamedTuple

from grafana_foundation_sdk.models import common, dashboard, prometheus
from grafana_foundation_sdk.models import table as model

from grafana.links import Link
from grafana.mappings import MappedValue, value_mappings
from grafana.panels.panel import (
    DATASOURCE,
    Description,
    Size,
    override,
    threshold_colour,
)

WIDE = Size(24, 9)


class Value(NamedTuple):
    """A column of numbers: the value of a query.

    A query that is not `shown` provides labels for text columns only.
    """

    title: str
    expr: str
    unit: str = "short"
    mappings: Sequence[MappedValue] = ()
    colours: dashboard.ThresholdsConfig | None = None
    decimals: int | None = None
    gauge: bool = False
    shown: bool = True
    width: int | None = None

    def ref_id(self) -> str:
        """Return the id of the query."""
        return self.title.lower().replace(" ", "_")


class Text(NamedTuple):
    """A column of text: a label of the queries; hidden columns provide values for links."""

    title: str
    label: str
    links: Sequence[Link] = ()
    hidden: bool = False
    width: int | None = None


def table(
    title: str,
    about: Description,
    columns: Sequence[Text | Value],
    *,
    no_value: str,
    sort: str,
    descending: bool = False,
    size: Size = WIDE,
) -> dashboard.Panel:
    """Return a table: one row for each set of labels that the queries have in common.

    Labels without a column are not shown.
    """
    values = [column for column in columns if isinstance(column, Value)]
    shown = [column for column in columns if isinstance(column, Text) or column.shown]
    return dashboard.Panel(
        type_val="table",
        title=title,
        description=about.markdown(),
        datasource=DATASOURCE,
        grid_pos=dashboard.GridPos(h=size.height, w=size.width),
        targets=[_query(value) for value in values],
        transformations=_transformations(shown, merged=len(values) > 1),
        options=model.Options(
            sort_by=[common.TableSortByFieldState(sort, desc=descending)],
            cell_height=common.TableCellHeight.SM,
        ),
        field_config=dashboard.FieldConfigSource(
            dashboard.FieldConfig(no_value=no_value, custom=common.TableFieldOptions()),
            [_column(column) for column in shown],
        ),
    )


def _query(value: Value) -> prometheus.Dataquery:
    return prometheus.Dataquery(
        datasource=DATASOURCE,
        expr=value.expr,
        format_val=prometheus.PromQueryFormat.TABLE,
        instant=True,
        ref_id=value.ref_id(),
    )


def _transformations(
    columns: Sequence[Text | Value], *, merged: bool
) -> list[dashboard.DataTransformerConfig]:
    """Join the queries on their labels, then order and rename the columns."""
    fields = {_field(column, merged=merged): column.title for column in columns}
    return [
        dashboard.DataTransformerConfig("merge", options={}),
        dashboard.DataTransformerConfig(
            "filterFieldsByName", options={"include": {"names": list(fields)}}
        ),
        dashboard.DataTransformerConfig(
            "organize",
            options={
                "excludeByName": {},
                "indexByName": {field: index for index, field in enumerate(fields)},
                "renameByName": fields,
            },
        ),
    ]


def _field(column: Text | Value, *, merged: bool) -> str:
    if isinstance(column, Text):
        return column.label
    return f"Value #{column.ref_id()}" if merged else "Value"


def _column(column: Text | Value) -> dashboard.DashboardFieldConfigSourceOverrides:
    properties: dict[str, object] = {"noValue": "-"}
    if column.width is not None:
        properties["custom__width"] = column.width
    if isinstance(column, Value):
        properties |= _cell_properties(column)
    elif column.hidden:
        properties |= _HIDDEN
    elif column.links:
        properties["links"] = [link.to_field() for link in column.links]
    return override("byName", column.title, **properties)


_HIDDEN = {
    "custom__hidden": True,  # until Grafana 12
    "custom__hideFrom": common.HideSeriesConfig(tooltip=False, legend=False, viz=True),
}


def _cell_properties(value: Value) -> dict[str, object]:
    cell: dict[str, object] = {"unit": value.unit}
    if value.decimals is not None:
        cell["decimals"] = value.decimals
    if value.mappings:
        cell |= {
            "mappings": value_mappings(value.mappings),
            "color": threshold_colour(),
            "custom__align": common.FieldTextAlignment.LEFT,
        }
    if value.colours is not None:
        cell |= {"thresholds": value.colours, "color": threshold_colour()}
    if value.gauge:
        cell |= {
            "min": 0,
            "max": 1,
            "custom__cellOptions": common.TableBarGaugeCellOptions(
                common.BarGaugeDisplayMode.BASIC, common.BarGaugeValueMode.TEXT
            ),
        }
    elif value.mappings or value.colours is not None:
        cell["custom__cellOptions"] = common.TableColorTextCellOptions()
    return cell
