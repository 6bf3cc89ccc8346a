"""The parts that all types of panels share."""

from collections.abc import Sequence
from typing import NamedTuple

from grafana_foundation_sdk.models import common, dashboard, prometheus

DATASOURCE = common.DataSourceRef("prometheus", "${datasource}")


class Description(NamedTuple):
    """The description of a panel, in sentences."""

    shows: str
    source: str
    no_data: str
    action: str

    def markdown(self) -> str:
        """Return the description as Markdown."""
        return (
            f"{self.shows}\n\n**Source:** {self.source}\n\n"
            f"**No data:** {self.no_data}\n\n**What to do:** {self.action}"
        )


class Query(NamedTuple):
    """An expression and the legend of its series; mirrored series are drawn below the axis."""

    expr: str
    legend: str = ""
    mirrored: bool = False


class Size(NamedTuple):
    """Width and height in units of the grid, which is 24 units wide."""

    width: int
    height: int


def range_queries(queries: Sequence[Query]) -> list[prometheus.Dataquery]:
    """Return range queries over the time range."""
    return [
        prometheus.Dataquery(
            datasource=DATASOURCE,
            expr=query.expr,
            legend_format=query.legend,
            range_val=True,
            ref_id=ref_id(index),
        )
        for index, query in enumerate(queries)
    ]


def instant_queries(queries: Sequence[Query]) -> list[prometheus.Dataquery]:
    """Return instant queries at the end of the time range."""
    return [
        prometheus.Dataquery(
            datasource=DATASOURCE,
            expr=query.expr,
            instant=True,
            legend_format=query.legend,
            ref_id=ref_id(index),
        )
        for index, query in enumerate(queries)
    ]


def ref_id(index: int) -> str:
    """Return the id of a query within its panel: A, B and so on."""
    return chr(ord("A") + index)


def override(
    matcher: str, option: object, **properties: object
) -> dashboard.DashboardFieldConfigSourceOverrides:
    """Return an override of properties of the matching fields; `custom__x` means `custom.x`."""
    return dashboard.DashboardFieldConfigSourceOverrides(
        matcher=dashboard.MatcherConfig(matcher, option),
        properties=[
            dashboard.DynamicConfigValue(name.replace("__", "."), value)
            for name, value in properties.items()
        ],
    )


def fixed_colour(colour: str) -> dashboard.FieldColor:
    """Return a colour that does not depend on the value."""
    return dashboard.FieldColor(dashboard.FieldColorModeId.FIXED, colour)


def threshold_colour() -> dashboard.FieldColor:
    """Return the colour mode that follows the thresholds."""
    return dashboard.FieldColor(dashboard.FieldColorModeId.THRESHOLDS)


def palette_colour() -> dashboard.FieldColor:
    """Return the colour mode of the classic palette.

    Colours by series name can be nearly white, which is unreadable in the light theme.
    """
    return dashboard.FieldColor(dashboard.FieldColorModeId.PALETTE_CLASSIC)


def thresholds(
    first: str, *steps: tuple[float, str], since: float = 0
) -> dashboard.ThresholdsConfig:
    """Return thresholds; the first colour starts at `since`.

    Lower values and the text for no value have the colour of plain text, since an unknown value is
    neither good nor bad.
    """
    return dashboard.ThresholdsConfig(
        dashboard.ThresholdsMode.ABSOLUTE,
        [
            dashboard.Threshold(None, "text"),
            *(dashboard.Threshold(value, colour) for value, colour in ((since, first), *steps)),
        ],
    )
