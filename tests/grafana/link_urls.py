"""Links as Grafana opens them: URLs with values filled in, and the variables that they pass."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from tests.grafana.dashboard_files import DASHBOARDS, Json, panels, values

ALL = "$__all"
TIME_RANGE = "from=now-6h&to=now"

Chosen = Mapping[str, str | Sequence[str]]
"""The value of each variable; several values, or `ALL`, where a variable can have them."""


class Target(NamedTuple):
    """The dashboard that a link opens, and the values that it passes."""

    uid: str
    variables: dict[str, list[str]]
    keeps_time: bool


class BrokenLink(Exception):
    """A link that leads nowhere."""


def dashboard_links(uid: str) -> Iterator[Json]:
    """Yield the links at the top of a dashboard."""
    yield from DASHBOARDS[uid]["links"]


def row_links(uid: str) -> Iterator[tuple[Json, Json]]:
    """Yield the links in the rows of tables, each with its panel."""
    for panel in panels(uid):
        for override in panel.get("fieldConfig", {}).get("overrides", []):
            for links in values(override, "value"):
                for link in links if isinstance(links, list) else []:
                    if isinstance(link, dict) and "url" in link:
                        yield panel, link


def open_link(link: Json, chosen: Chosen, fields: Mapping[str, str] | None = None) -> Target:
    """Return what a link opens; `fields` are those of the table row.

    Raises:
        BrokenLink: Grafana would show a dashboard without data, or none.
    """
    address = urlsplit(_interpolate(link["url"], chosen, fields or {}))
    uid = address.path.removeprefix("/d/")
    if uid not in DASHBOARDS:
        raise BrokenLink(f"{link['title']}: there is no dashboard {uid!r}")
    parameters = parse_qs(address.query, keep_blank_values=True)
    passed = {
        name.removeprefix("var-"): value
        for name, value in parameters.items()
        if name.startswith("var-")
    }
    _check(link["title"], uid, passed)
    return Target(uid, passed, bool(link.get("keepTime")) or "from" in parameters)


def _interpolate(url: str, chosen: Chosen, fields: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        name, form = found[1], found[2]
        if name == "__url_time_range":
            return TIME_RANGE
        if name.startswith("__data.fields."):
            field = fields[name.removeprefix("__data.fields.")]
            return quote(field, safe="") if form == "percentencode" else field
        one = chosen[name]
        several = [one] if isinstance(one, str) else one
        if form == "queryparam":
            return urlencode([(f"var-{name}", text) for text in several])
        assert form == "percentencode"
        return quote(",".join(several), safe="")

    return re.sub(r"\$\{([\w.]+)(?::(\w+))?\}", value, url)


def _check(title: str, uid: str, passed: Mapping[str, Sequence[str]]) -> None:
    """Check the values by the rules of Grafana: it keeps a passed value that no option has."""
    known = {variable["name"]: variable for variable in DASHBOARDS[uid]["templating"]["list"]}
    for name, texts in passed.items():
        if name not in known:
            raise BrokenLink(f"{title}: {uid} has no variable {name}")
        variable = known[name]
        if "" in texts:
            raise BrokenLink(f"{title}: an empty value for {name}")
        if not variable.get("includeAll") and ALL in texts:
            raise BrokenLink(f"{title}: All for {name}")
        if not variable.get("multi") and len(texts) > 1:
            raise BrokenLink(f"{title}: {len(texts)} values for {name}")
