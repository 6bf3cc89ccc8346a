"""What Grafana does with a dashboard: variables get their values, and every query is asked."""

import asyncio
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from tests.grafana.dashboard_files import DASHBOARDS, panels
from tests.real.live.tempo import SCRAPE_SECONDS
from tests.real.prometheus import Prometheus, PrometheusError

Json = Any
Values = dict[str, str]

AT_ONCE = 4
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
class Answer:
    """What came of one query over all choices of the variables."""

    asked: int = 0
    values: dict[str, list[float]] = field(default_factory=dict)
    """The last value of each series that was shown, by the way of choosing: ``all``, ``each``."""
    errors: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Replay:
    """All that was asked, by where it stands: dashboard, panel and query."""

    variables: dict[str, list[str]] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)


def queries(uid: str) -> Iterator[tuple[str, Json]]:
    """Give each query of a dashboard by its place; annotations are queries, too."""
    for panel in panels(uid):
        for target in panel.get("targets", []):
            yield f"{uid}: {panel['title']} {target['refId']}", target
    for annotation in DASHBOARDS[uid]["annotations"]["list"]:
        if "expr" in annotation:
            yield f"{uid}: annotation {annotation['name']}", annotation


PLACES = [place for uid in DASHBOARDS for place, _ in queries(uid)]
VARIABLES = [
    f"{uid}: {variable['name']}"
    for uid, board in DASHBOARDS.items()
    for variable in board["templating"]["list"]
    if variable["type"] == "query"
]


async def replay(asked: Prometheus, window: Window) -> Replay:
    """Open each dashboard, with every choice that its variables offer."""
    result = Replay(answers={place: Answer() for place in PLACES})
    turnstile = asyncio.Semaphore(AT_ONCE)

    async def run(place: str, query: Json, way: str, chosen: Values) -> None:
        async with turnstile:
            await _ask(asked, query, window, chosen, way, result.answers[place])

    for uid in DASHBOARDS:
        choices = await _choices(asked, uid, window, result)
        await asyncio.gather(
            *(
                run(place, query, way, chosen)
                for way, chosen in choices
                for place, query in queries(uid)
            )
        )
    return result


async def _choices(
    asked: Prometheus, uid: str, window: Window, result: Replay
) -> list[tuple[str, Values]]:
    """Return what can be chosen: all or each of several, and every one of which one is chosen."""
    variables = [one for one in DASHBOARDS[uid]["templating"]["list"] if one["type"] == "query"]
    choices: list[tuple[str, Values]] = []
    for way in ("all", "each"):
        chosen: dict[str, str] = {}
        single: dict[str, list[str]] = {}
        for variable in variables:
            name = variable["name"]
            found = await _values(asked, variable, window, chosen)
            result.variables[f"{uid}: {name}"] = found
            if not variable["multi"]:
                single[name] = [quoted(value) for value in found]
            elif way == "all":
                chosen[name] = variable["allValue"]
            else:
                chosen[name] = alternative(found)
        ones = [dict(zip(single, values, strict=True)) for values in product(*single.values())]
        choices += [(way, chosen | one) for one in ones]
    return choices


async def _values(asked: Prometheus, variable: Json, window: Window, chosen: Values) -> list[str]:
    read = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
    assert read, variable["query"]
    selector = filled_in(read[1], window.built_in() | chosen)
    found = await asked.ask(
        f"label/{read[2]}/values",
        **{"match[]": selector, "start": str(window.start), "end": str(window.end)},
    )
    return [str(value) for value in found]


async def _ask(
    asked: Prometheus, query: Json, window: Window, chosen: Values, way: str, answer: Answer
) -> None:
    expression = filled_in(query["expr"], window.built_in() | chosen)
    answer.asked += 1
    try:
        if query.get("instant"):
            found = await asked.ask("query", query=expression, time=str(window.end))
        else:
            span = {"start": str(window.start), "end": str(window.end), "step": "1"}
            found = await asked.ask("query_range", query=expression, **span)
    except PrometheusError as error:
        answer.errors.add(str(error))
    else:
        shown = [value for series in found["result"] for value in _last(series)]
        if shown:
            answer.values.setdefault(way, []).extend(shown)


def _last(series: Json) -> list[float]:
    """Return the last value, if any: what is no number is drawn as nothing."""
    values = [float(value) for _, value in series.get("values") or [series["value"]]]
    return [value for value in values if not math.isnan(value)][-1:]


def filled_in(text: str, values: Values) -> str:
    """Put values in the places of variables.

    Raises:
        KeyError: There is no such variable.
    """
    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda found: values[found[1] or found[2]], text)


def quoted(value: str) -> str:
    """Return a value as Grafana puts it into a matcher with ``=``."""
    return value.replace("\\", "\\\\").replace('"', '\\"')


def alternative(values: list[str]) -> str:
    """Return values as Grafana puts several into a matcher with ``=~``."""
    escaped = [_SPECIAL.sub(r"\\\g<0>", value).replace("\\", "\\\\") for value in values]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"
