"""Runs dashboards as Grafana does: fills in the variables and runs every query."""

import asyncio
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from tests.grafana.dashboard_files import DASHBOARDS, panels
from tests.real.live.timing import SCRAPE_SECONDS
from tests.real.prometheus import Prometheus, PrometheusError

Json = Any
Values = dict[str, str]

CONCURRENCY = 4
"""The number of concurrent queries, as in a browser."""

_SPECIAL = re.compile(r"[$^*{}\[\]'+?.()|\\]")


@dataclass(frozen=True, slots=True)
class Window:
    """The time range of a dashboard, in Unix time."""

    start: float
    end: float

    @property
    def seconds(self) -> int:
        """The length of the range."""
        return math.ceil(self.end - self.start)

    def built_in(self) -> dict[str, str]:
        """Return Grafana's built-in variables, for a step of one second."""
        step = 1.0
        rate = max(step + SCRAPE_SECONDS, 4 * SCRAPE_SECONDS)
        return {
            "__range": f"{self.seconds}s",
            "__interval": f"{step:g}s",
            "__interval_ms": f"{1000 * step:.0f}",
            "__rate_interval": f"{math.ceil(1000 * rate)}ms",
        }


@dataclass(slots=True)
class QueryResult:
    """The results of one query for all choices of the variables."""

    runs: int = 0
    values: dict[str, list[float]] = field(default_factory=dict)
    """The last value of each series, by the choice of the variables: ``all``, ``each``."""
    errors: set[str] = field(default_factory=set)


@dataclass(slots=True)
class DashboardResults:
    """All results, by dashboard, panel and query."""

    variables: dict[str, list[str]] = field(default_factory=dict)
    queries: dict[str, QueryResult] = field(default_factory=dict)


def queries(uid: str) -> Iterator[tuple[str, Json]]:
    """Yield each query of a dashboard with its id; annotations are queries, too."""
    for panel in panels(uid):
        for target in panel.get("targets", []):
            yield f"{uid}: {panel['title']} {target['refId']}", target
    for annotation in DASHBOARDS[uid]["annotations"]["list"]:
        if "expr" in annotation:
            yield f"{uid}: annotation {annotation['name']}", annotation


QUERY_IDS = [query_id for uid in DASHBOARDS for query_id, _ in queries(uid)]
VARIABLES = [
    f"{uid}: {variable['name']}"
    for uid, board in DASHBOARDS.items()
    for variable in board["templating"]["list"]
    if variable["type"] == "query" and not variable.get("hide")
]


async def run_dashboards(prom: Prometheus, window: Window) -> DashboardResults:
    """Run each dashboard with every choice of its variables."""
    result = DashboardResults(queries={query_id: QueryResult() for query_id in QUERY_IDS})
    semaphore = asyncio.Semaphore(CONCURRENCY)

    async def run(query_id: str, query: Json, mode: str, chosen: Values) -> None:
        async with semaphore:
            await _run_query(prom, query, window, chosen, mode, result.queries[query_id])

    for uid in DASHBOARDS:
        choices = await _choices(prom, uid, window, result)
        await asyncio.gather(
            *(
                run(query_id, query, mode, chosen)
                for mode, chosen in choices
                for query_id, query in queries(uid)
            )
        )
    return result


async def _choices(
    prom: Prometheus, uid: str, window: Window, result: DashboardResults
) -> list[tuple[str, Values]]:
    """Return all choices: all or each value of a multi-value variable, each of the others."""
    variables = [
        one
        for one in DASHBOARDS[uid]["templating"]["list"]
        if one["type"] == "query" and not one.get("hide")
    ]
    choices: list[tuple[str, Values]] = []
    for mode in ("all", "each"):
        chosen: dict[str, str] = {}
        single: dict[str, list[str]] = {}
        for variable in variables:
            name = variable["name"]
            found = await variable_values(prom, variable, window, chosen)
            result.variables[f"{uid}: {name}"] = found
            if not variable.get("multi"):
                single[name] = [escape(value) for value in found]
            elif mode == "all":
                chosen[name] = variable["allValue"]
            else:
                chosen[name] = regex_of(found)
        ones = [dict(zip(single, values, strict=True)) for values in product(*single.values())]
        choices += [(mode, chosen | one) for one in ones]
    return choices


async def variable_values(
    prom: Prometheus, variable: Json, window: Window, chosen: Values
) -> list[str]:
    """Return the values that a variable offers, after the choice of those before it."""
    query = interpolate(variable["query"]["query"], window.built_in() | chosen)
    if expression := re.fullmatch(r"query_result\((.+)\)", query):
        found = await prom.request("query", query=expression[1], time=str(window.end))
        return [re.findall(variable["regex"].strip("/"), _text(one))[0] for one in found["result"]]
    read = re.fullmatch(r"label_values\((.+), (\w+)\)", query)
    assert read, query
    span = {"start": str(window.start), "end": str(window.end)}
    found = await prom.request(f"label/{read[2]}/values", **{"match[]": read[1]}, **span)
    return [str(value) for value in found]


def _text(series: Json) -> str:
    """Return a series as Grafana does for `query_result`, without escapes."""
    labels = ",".join(f'{name}="{value}"' for name, value in series["metric"].items())
    time, value = series["value"]
    return f"{{{labels}}} {value} {time * 1000:.0f}"


async def _run_query(
    prom: Prometheus, query: Json, window: Window, chosen: Values, mode: str, result: QueryResult
) -> None:
    result.runs += 1
    try:
        found = await run_query(prom, query, window, chosen)
    except PrometheusError as error:
        result.errors.add(str(error))
    else:
        shown = [value for series in found for value in _last(series)]
        if shown:
            result.values.setdefault(mode, []).extend(shown)


async def run_query(prom: Prometheus, query: Json, window: Window, chosen: Values) -> list[Json]:
    """Return the series of a query."""
    expression = interpolate(query["expr"], window.built_in() | chosen)
    if query.get("instant"):
        found = await prom.request("query", query=expression, time=str(window.end))
    else:
        span = {"start": str(window.start), "end": str(window.end), "step": "1"}
        found = await prom.request("query_range", query=expression, **span)
    series: list[Json] = found["result"]
    return series


def _last(series: Json) -> list[float]:
    """Return the last value that is a number, if any; Grafana draws no NaN."""
    values = [float(value) for _, value in series.get("values") or [series["value"]]]
    return [value for value in values if not math.isnan(value)][-1:]


def interpolate(text: str, values: Values) -> str:
    """Replace the variables by their values.

    Raises:
        KeyError: A variable does not exist.
    """
    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda found: values[found[1] or found[2]], text)


def escape(value: str) -> str:
    """Return a value escaped as in Grafana's matchers with ``=``."""
    return value.replace("\\", "\\\\").replace('"', '\\"')


def regex_of(values: list[str]) -> str:
    """Return several values as in Grafana's matchers with ``=~``."""
    escaped = [_SPECIAL.sub(r"\\\g<0>", value).replace("\\", "\\\\") for value in values]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"
