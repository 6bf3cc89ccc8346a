"""How counters changed between two pages, like PromQL's `increase()`."""

from collections.abc import Mapping, Sequence

from tests.real.scraping import Page, Series, decreased


def increase(before: Page, after: Page, name: str, by: str) -> dict[str, float]:
    """Return the increase of each series of a counter, without those that did not change."""
    old = before.values(name, by)
    new = after.values(name, by)
    assert new.keys() == old.keys()
    return without_zeros({label: new[label] - old[label] for label in new})


def without_zeros(increases: Mapping[str, float]) -> dict[str, float]:
    """Drop the values that are 0."""
    return {label: increase for label, increase in increases.items() if increase}


def decreased_since_up(pages: Sequence[Page]) -> list[Series]:
    """Return the counters that ever decreased or disappeared after the daemon was first up.

    Before that, the counters of all modes exist, at 0.
    """
    first_up = next(index for index, page in enumerate(pages) if page.is_up())
    return decreased(pages[first_up:])
