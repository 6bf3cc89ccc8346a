"""Follows each link of the dashboards: it must lead to a dashboard with data."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.grafana.dashboard_files import DASHBOARDS, panels
from tests.grafana.link_urls import ALL, BrokenLink, Target, dashboard_links, open_link, row_links
from tests.real.live.grafana import (
    Values,
    Window,
    escape,
    regex_of,
    run_query,
    variable_values,
)
from tests.real.prometheus import Prometheus

Json = Any
Fields = dict[str, str]
Selection = dict[str, str | list[str]]
"""The value of each variable; a list for a variable that can have several."""

LINK_IDS = [
    *(f"{uid}: {link['title']}" for uid in DASHBOARDS for link in dashboard_links(uid)),
    *(
        f"{uid}: {panel['title']}: {link['title']}"
        for uid in DASHBOARDS
        for panel, link in row_links(uid)
    ),
]

DAEMON_LABELS = ("job", "instance", "daemon")


@dataclass(slots=True)
class LinkResult:
    """How often a link was followed, and to what without data."""

    followed: int = 0
    problems: set[str] = field(default_factory=set)


async def follow_links(prom: Prometheus, window: Window) -> dict[str, LinkResult]:
    """Follow each link with all, one and two daemons selected, and for each row of its table."""
    results = {link_id: LinkResult() for link_id in LINK_IDS}
    follower = _Follower(prom, window, results)
    for uid in DASHBOARDS:
        async for selection in follower.selections(uid):
            for link in dashboard_links(uid):
                await follower.follow(f"{uid}: {link['title']}", link, selection, {})
            for panel, link in row_links(uid):
                link_id = f"{uid}: {panel['title']}: {link['title']}"
                for fields in await follower.rows(panel, link, selection):
                    await follower.follow(link_id, link, selection, fields)
    return results


@dataclass(slots=True)
class _Follower:
    prom: Prometheus
    window: Window
    results: dict[str, LinkResult]
    _opened: dict[str, bool] = field(default_factory=dict)

    async def selections(self, uid: str) -> AsyncIterator[Selection]:
        """Yield the selections: all, one and two daemons, or the first one of a kind."""
        chosen: Selection = {"datasource": "prometheus", "job": [ALL], "instance": [ALL]}
        variables = {one["name"]: one for one in DASHBOARDS[uid]["templating"]["list"]}
        daemon = variables.pop("daemon")
        offered = await self._offered(daemon, chosen)
        several = [[ALL], *([one] for one in offered), offered[:2], offered[-2:]]
        for daemons in several if daemon.get("multi") else offered:
            selection = chosen | {"daemon": daemons}
            for name, variable in variables.items():
                if name not in selection:
                    selection[name] = (await self._offered(variable, selection) or [""])[0]
            yield selection

    async def rows(self, panel: Json, link: Json, selection: Selection) -> list[Fields]:
        """Return the fields of each row of a table that has a value in the column of the link."""
        label = next(
            label
            for label, title in panel["transformations"][-1]["options"]["renameByName"].items()
            for override in panel["fieldConfig"]["overrides"]
            if override["matcher"]["options"] == title and link in _links(override)
        )
        found = [
            series["metric"]
            for target in panel["targets"]
            for series in await run_query(self.prom, target, self.window, _values(selection))
        ]
        boards = {_daemon(row): row["board"] for row in found if "board" in row}
        rows = [row | {"board": boards.get(_daemon(row), "")} for row in found if row.get(label)]
        return list({tuple(sorted(row.items())): row for row in rows}.values())

    async def follow(self, link_id: str, link: Json, selection: Selection, fields: Fields) -> None:
        """Open a link, and look for data on its dashboard."""
        result = self.results[link_id]
        result.followed += 1
        try:
            target = open_link(link, selection, fields)
        except BrokenLink as error:
            result.problems.add(str(error))
            return
        if not await self._has_data(target):
            result.problems.add(f"no data at {target.uid} with {target.variables}")

    async def _has_data(self, target: Target) -> bool:
        """Return whether any panel of a dashboard has data."""
        key = str(target)
        if key not in self._opened:
            selection: Selection = {}
            for variable in DASHBOARDS[target.uid]["templating"]["list"]:
                name, passed = variable["name"], target.variables.get(variable["name"])
                if variable.get("multi"):
                    selection[name] = passed or [ALL]
                elif passed or variable["type"] == "datasource":
                    selection[name] = (passed or ["prometheus"])[0]
                else:
                    selection[name] = (await self._offered(variable, selection) or [""])[0]
            self._opened[key] = await self._any_data(target.uid, _values(selection))
        return self._opened[key]

    async def _any_data(self, uid: str, values: Values) -> bool:
        for panel in panels(uid):
            for query in panel.get("targets", []):
                if await run_query(self.prom, query, self.window, values):
                    return True
        return False

    async def _offered(self, variable: Json, selection: Selection) -> list[str]:
        return await variable_values(self.prom, variable, self.window, _values(selection))


def _values(selection: Selection) -> Values:
    """Return the texts that Grafana inserts into queries."""
    return {
        name: escape(value)
        if isinstance(value, str)
        else ".+"
        if value == [ALL]
        else regex_of(value)
        for name, value in selection.items()
    }


def _daemon(row: Fields) -> tuple[str, ...]:
    return tuple(row.get(label, "") for label in DAEMON_LABELS)


def _links(override: Json) -> Iterable[Json]:
    return next((one["value"] for one in override["properties"] if one["id"] == "links"), ())
