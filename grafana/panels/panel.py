"""What panels of all kinds have in common."""

from collections.abc import Sequence
from typing import NamedTuple

from grafana_foundation_sdk.models import common, dashboard, prometheus

DATASOURCE = common.DataSourceRef("prometheus", "${datasource}")


class Description(NamedTuple):
    """What a panel tells of itself, in sentences."""

    shows: str
    source: str
    empty: str
    act: str

    def markdown(self) -> str:
        """Return it as the description of the panel."""
        return (
            f"{self.shows}\n\n**From:** {self.source}\n\n"
            f"**Empty:** {self.empty}\n\n**What to do:** {self.act}"
        )


class Query(NamedTuple):
    """An expression, and what its series are called; mirrored ones are drawn below the axis."""

    expr: str
    legend: str = ""
    mirrored: bool = False


class Size(NamedTuple):
    """Width, of 24 columns, and height in rows of the grid."""

    width: int
    height: int


def range_queries(queries: Sequence[Query]) -> list[prometheus.Dataquery]:
    """Return queries for the whole time range."""
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
    """Return queries for the end of the time range only."""
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
    """Return the name of a query within its panel: A, B and so on."""
    return chr(ord("A") + index)


def override(
    matcher: str, option: object, **properties: object
) -> dashboard.DashboardFieldConfigSourceOverrides:
    """Set properties of the fields that a matcher picks; `custom__x` stands for `custom.x`."""
    return dashboard.DashboardFieldConfigSourceOverrides(
        matcher=dashboard.MatcherConfig(matcher, option),
        properties=[
            dashboard.DynamicConfigValue(name.replace("__", "."), value)
            for name, value in properties.items()
        ],
    )


def fixed_colour(colour: str) -> dashboard.FieldColor:
    """Return a colour that doesn't depend on the value."""
    return dashboard.FieldColor(dashboard.FieldColorModeId.FIXED, colour)


def threshold_colour() -> dashboard.FieldColor:
    """Return the colour mode that asks the thresholds."""
    return dashboard.FieldColor(dashboard.FieldColorModeId.THRESHOLDS)


def palette_colour() -> dashboard.FieldColor:
    """Return the colour mode that gives neighbours colours far apart.

    By name instead, some would be nearly white, and unreadable in the light theme.
    """
    return dashboard.FieldColor(dashboard.FieldColorModeId.PALETTE_CLASSIC)


def thresholds(
    first: str, *steps: tuple[float, str], since: float = 0
) -> dashboard.ThresholdsConfig:
    """Return colours from values on, the first from `since`.

    What is below takes the colour of plain text, and with it the words for no value: else what
    isn't known would look good, or bad.
    """
    return dashboard.ThresholdsConfig(
        dashboard.ThresholdsMode.ABSOLUTE,
        [
            dashboard.Threshold(None, "text"),
            *(dashboard.Threshold(value, colour) for value, colour in ((since, first), *steps)),
        ],
    )
