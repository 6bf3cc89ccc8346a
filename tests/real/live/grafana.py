"""What Grafana does with a dashboard: variables get their values, and every query is asked."""

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
"""Queries that are under way together, as a browser's."""

_SPECIAL = re.compile(r"[$^*{}\[\]'+?.()|\\]")


@dataclass(frozen=True, slots=True)
class Window:
    """What a dashboard shows: from when to when, in Unix time."""

    start: float
    end: float

    @property
    def seconds(self) -> int:
        """How long it is."""
        return math.ceil(self.end - self.start)

    def built_in(self) -> dict[str, str]:
        """Return Grafana's own variables, for a point each second."""
        step = 1.0
        rate = max(step + SCRAPE_SECONDS, 4 * SCRAPE_SECONDS)
        return {
            "__range": f"{self.seconds}s",
            "__interval": f"{step:g}s",
            "__rate_interval": f"{math.ceil(1000 * rate)}ms",
        }


@dataclass(slots=True)
class QueryResult:
    """What came of one query over all choices of the variables."""

    prom: int = 0
    values: dict[str, list[float]] = field(default_factory=dict)
    """The last value of each series that was shown, by the way of choosing: ``all``, ``each``."""
    errors: set[str] = field(default_factory=set)


@dataclass(slots=True)
class DashboardResults:
    """All that was asked, by where it stands: dashboard, panel and query."""

    variables: dict[str, list[str]] = field(default_factory=dict)
    answers: dict[str, QueryResult] = field(default_factory=dict)


def queries(uid: str) -> Iterator[tuple[str, Json]]:
    """Give each query of a dashboard by its place; annotations are queries, too."""
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
    if variable["type"] == "query"
]


async def run_dashboards(prom: Prometheus, window: Window) -> DashboardResults:
    """Open each dashboard, with every choice that its variables offer."""
    result = DashboardResults(answers={query_id: QueryResult() for query_id in QUERY_IDS})
    semaphore = asyncio.Semaphore(CONCURRENCY)

    async def run(query_id: str, query: Json, mode: str, chosen: Values) -> None:
        async with semaphore:
            await _ask(prom, query, window, chosen, mode, result.answers[query_id])

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
    """Return what can be chosen: all or each of several, and every one of which one is chosen."""
    variables = [one for one in DASHBOARDS[uid]["templating"]["list"] if one["type"] == "query"]
    choices: list[tuple[str, Values]] = []
    for mode in ("all", "each"):
        chosen: dict[str, str] = {}
        single: dict[str, list[str]] = {}
        for variable in variables:
            name = variable["name"]
            found = await _values(prom, variable, window, chosen)
            result.variables[f"{uid}: {name}"] = found
            if not variable["multi"]:
                single[name] = [escape(value) for value in found]
            elif mode == "all":
                chosen[name] = variable["allValue"]
            else:
                chosen[name] = regex_of(found)
        ones = [dict(zip(single, values, strict=True)) for values in product(*single.values())]
        choices += [(mode, chosen | one) for one in ones]
    return choices


async def _values(prom: Prometheus, variable: Json, window: Window, chosen: Values) -> list[str]:
    read = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
    assert read, variable["query"]
    selector = interpolate(read[1], window.built_in() | chosen)
    found = await prom.ask(
        f"label/{read[2]}/values",
        **{"match[]": selector, "start": str(window.start), "end": str(window.end)},
    )
    return [str(value) for value in found]


async def _ask(
    prom: Prometheus, query: Json, window: Window, chosen: Values, mode: str, answer: QueryResult
) -> None:
    expression = interpolate(query["expr"], window.built_in() | chosen)
    answer.prom += 1
    try:
        if query.get("instant"):
            found = await prom.ask("query", query=expression, time=str(window.end))
        else:
            span = {"start": str(window.start), "end": str(window.end), "step": "1"}
            found = await prom.ask("query_range", query=expression, **span)
    except PrometheusError as error:
        answer.errors.add(str(error))
    else:
        shown = [value for series in found["result"] for value in _last(series)]
        if shown:
            answer.values.setdefault(mode, []).extend(shown)


def _last(series: Json) -> list[float]:
    """Return the last value, if any: what is no number is drawn as nothing."""
    values = [float(value) for _, value in series.get("values") or [series["value"]]]
    return [value for value in values if not math.isnan(value)][-1:]


def interpolate(text: str, values: Values) -> str:
    """Put values in the places of variables.

    Raises:
        KeyError: There is no such variable.
    """
    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda found: values[found[1] or found[2]], text)


def escape(value: str) -> str:
    """Return a value as Grafana puts it into a matcher with ``=``."""
    return value.replace("\\", "\\\\").replace('"', '\\"')


def regex_of(values: list[str]) -> str:
    """Return values as Grafana puts several into a matcher with ``=~``."""
    escaped = [_SPECIAL.sub(r"\\\g<0>", value).replace("\\", "\\\\") for value in values]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"
