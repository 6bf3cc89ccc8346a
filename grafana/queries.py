"""Selectors and what is done to them, in PromQL.

`$__rate_interval` and `$__range` are Grafana's: a window that is never too short for the data
source's scrape interval, and the time range of the dashboard.
"""

EXPORTER_MATCHERS = ('job=~"$job"', 'instance=~"$instance"')
"""Matches the exporters that were chosen."""

DAEMONS_MATCHERS = (*EXPORTER_MATCHERS, 'daemon=~"$daemon"')
"""Matches the daemons that were chosen, where several can be."""

DAEMON_MATCHERS = (*EXPORTER_MATCHERS, 'daemon="$daemon"')
"""Matches the one daemon that was chosen. Grafana escapes it for `=`, but not for `=~`."""

CLIENT_MATCHERS = (*DAEMONS_MATCHERS, 'common_name="$common_name"')
"""Matches the one client that was chosen, at whichever server it is."""

DAEMON_LABELS = ("job", "instance", "daemon")
"""What tells daemons apart."""


class Selector:
    """Makes selectors for the series that a dashboard is about."""

    def __init__(self, matchers: tuple[str, ...]) -> None:
        """Begin every selector with these matchers."""
        self._matchers = matchers

    def __call__(self, metric: str, *matchers: str) -> str:
        """Select the series of a metric, narrowed by more matchers."""
        return f"{metric}{{{', '.join((*self._matchers, *matchers))}}}"


def total(expression: str, *labels: str) -> str:
    """Sum over everything but these labels."""
    return _aggregated("sum", expression, labels)


def highest(expression: str, *labels: str) -> str:
    """Take the highest over everything but these labels: for values of which there is only one."""
    return _aggregated("max", expression, labels)


def count(expression: str, *labels: str) -> str:
    """Count the series that differ in these labels."""
    return _aggregated("count", expression, labels)


def _aggregated(operator: str, expression: str, labels: tuple[str, ...]) -> str:
    by = f" by ({', '.join(labels)})" if labels else ""
    return f"{operator}{by} ({expression})"


def per_second(counter: str) -> str:
    """Return how fast a counter grows."""
    return f"rate({counter}[$__rate_interval])"


def bits_per_second(counter: str, *labels: str) -> str:
    """Return how fast counters of bytes grow together, in bits."""
    return f"8 * {total(per_second(counter), *labels)}"


def per_minute(counter: str, *labels: str) -> str:
    """Return how often something is counted.

    A rate, since windows overlap when a panel is zoomed in: an `increase` for each point would
    show each event several times.
    """
    return f"60 * {total(per_second(counter), *labels)}"


def increase_in_range(counter: str, *labels: str) -> str:
    """Return by how much counters grew together over the dashboard's time range."""
    return total(f"increase({counter}[$__range])", *labels)


def nonzero_in_range(expression: str, counter: str, *labels: str) -> str:
    """Keep what was counted at all in the time range: no legend full of zeros."""
    return f"{expression} and {total(f'increase({counter}[$__range] @ end())', *labels)} > 0"


def top_in_range(number: int, expression: str, counter: str, *labels: str) -> str:
    """Keep those that grew most over the time range: the same ones at every point."""
    growth = total(f"increase({counter}[$__range] @ end())", *labels)
    return f"{expression} and topk({number}, {growth})"


def age(timestamp: str) -> str:
    """Return the seconds since a time."""
    return f"time() - {timestamp}"


def in_milliseconds(timestamp: str) -> str:
    """Return a time as Grafana's time units want it."""
    return f"1000 * {timestamp}"


def state_number(selectors: dict[int, str]) -> str:
    """Fold series of which one is 1 and the others are 0 into the number of that one, per daemon.

    Grafana draws a timeline of one series a row, and gives numbers mappings.
    """
    branches = " or ".join(f"{number} * {selector}" for number, selector in selectors.items())
    return total(branches, *DAEMON_LABELS)


def count_where(selector: str, condition: str) -> str:
    """Count the series that meet a condition; 0 where none does, nothing where there are none."""
    return f"count({selector} {condition}) or 0 * count({selector})"
