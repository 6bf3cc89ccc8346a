"""How counters changed between two pages: what a graph of `increase()` would show."""

from collections.abc import Mapping, Sequence

from tests.real.scraping import Page, Series, decreased


def increase(before: Page, after: Page, name: str, by: str) -> dict[str, float]:
    """Give by how much each series of a counter grew; those that stood still are left out."""
    old = before.values(name, by)
    new = after.values(name, by)
    assert new.keys() == old.keys()
    return moved({value: new[value] - old[value] for value in new})


def moved(steps: Mapping[str, float]) -> dict[str, float]:
    """Leave out what is 0."""
    return {value: step for value, step in steps.items() if step}


def decreased_since_up(pages: Sequence[Page]) -> list[Series]:
    """Name the counters that were ever less than before, or gone, since the daemon was known.

    Before that the counters of all kinds of daemons are there, at 0.
    """
    known = next(index for index, page in enumerate(pages) if page.is_up())
    return decreased(pages[known:])
