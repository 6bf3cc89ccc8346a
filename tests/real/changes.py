"""How counters changed between two pages: what a graph of `increase()` would show."""

from collections.abc import Mapping

from tests.real.scraping import Page


def increase(before: Page, after: Page, name: str, by: str) -> dict[str, float]:
    """Give by how much each series of a counter grew; those that stood still are left out."""
    old = before.values(name, by)
    new = after.values(name, by)
    assert new.keys() == old.keys()
    return moved({value: new[value] - old[value] for value in new})


def moved(steps: Mapping[str, float]) -> dict[str, float]:
    """Leave out what is 0."""
    return {value: step for value, step in steps.items() if step}
