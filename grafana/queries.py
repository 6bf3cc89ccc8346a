"""Selectors and functions on them, in PromQL.

`$__rate_interval` and `$__range` are variables of Grafana: a step of the panel and one scrape
interval, at least four scrape intervals; and the time range of the dashboard.
"""

EXPORTER_MATCHERS = ('job=~"$job"', 'instance=~"$instance"')
"""Matchers for the selected exporters."""

DAEMONS_MATCHERS = (*EXPORTER_MATCHERS, 'daemon=~"$daemon"')
"""Matchers for the selected daemons, where several can be selected."""

DAEMON_MATCHERS = (*EXPORTER_MATCHERS, 'daemon="$daemon"')
"""Matchers for the one selected daemon. Grafana escapes a single value for `=`, not for `=~`."""

CLIENT_MATCHERS = (*DAEMONS_MATCHERS, 'common_name="$common_name"')
"""Matchers for the one selected client, at any of the selected servers."""

DAEMON_LABELS = ("job", "instance", "daemon")
"""The labels that identify a daemon."""

ON_DAEMON = f"on ({', '.join(DAEMON_LABELS)})"
"""Matches series by daemon."""


class Selector:
    """Builds selectors for series of a dashboard; every selector has the same matchers."""

    def __init__(self, matchers: tuple[str, ...]) -> None:
        self._matchers = matchers

    def __call__(self, metric: str, *matchers: str) -> str:
        """Return a selector for a metric; further matchers may be added."""
        return f"{metric}{{{', '.join((*self._matchers, *matchers))}}}"


IS_UP = f"{ON_DAEMON} ({Selector(EXPORTER_MATCHERS)('openvpn_up')} == 1)"
"""The right side of an `and` that keeps the series of daemons that are up."""


def total(expression: str, *labels: str) -> str:
    """Return the sum by these labels."""
    return _aggregated("sum", expression, labels)


def highest(expression: str, *labels: str) -> str:
    """Return the maximum by these labels; also for values of which there is only one."""
    return _aggregated("max", expression, labels)


def average(expression: str, *labels: str) -> str:
    """Return the average by these labels."""
    return _aggregated("avg", expression, labels)


def count(expression: str, *labels: str) -> str:
    """Return the number of series by these labels."""
    return _aggregated("count", expression, labels)


def smaller(first: str, second: str) -> str:
    """Return the smaller one of two values above 0, or the only one that exists."""
    return f"{first} < {second} or {second} > 0 or {first} > 0"


def _aggregated(operator: str, expression: str, labels: tuple[str, ...]) -> str:
    by = f" by ({', '.join(labels)})" if labels else ""
    return f"{operator}{by} ({expression})"


def per_second(counter: str) -> str:
    """Return the rate of a counter per second."""
    return f"rate({counter}[$__rate_interval])"


def bits_per_second(counter: str, *labels: str) -> str:
    """Return the summed rate of byte counters in bits per second; none for a daemon that is down.

    Its counters keep their values, so their rate would be 0.
    """
    return f"8 * {total(f'{per_second(counter)} and {IS_UP}', *labels)}"


def per_minute(counter: str, *labels: str) -> str:
    """Return the summed rate of counters per minute."""
    return f"60 * {total(per_second(counter), *labels)}"


def number_of(counter: str, *labels: str) -> str:
    """Return the number of events in each step of a panel of bars.

    The samples of a step and one scrape span one step, so that each event is in one bar. `increase`
    would extrapolate to the whole window.
    """
    return f"$__interval_ms / 1000 * {total(per_second(counter), *labels)}"


def last_in_range(gauge: str, *labels: str) -> str:
    """Return the last value of a gauge in the time range, also of one that is absent now.

    The steps of the subquery bound the number of samples, however long the range is.
    """
    return highest(f"last_over_time({gauge}[$__range:$__interval])", *labels)


def increase_in_range(counter: str, *labels: str) -> str:
    """Return the summed increase of counters over the time range of the dashboard."""
    return total(f"increase({counter}[$__range])", *labels)


def nonzero_in_range(expression: str, counter: str, *labels: str) -> str:
    """Keep the series whose counter increased in the time range, so that legends stay short."""
    return f"{expression} and {total(f'increase({counter}[$__range] @ end())', *labels)} > 0"


def top_in_range(number: int, expression: str, counter: str, *labels: str) -> str:
    """Keep the series with the largest increase in the time range, the same at every point.

    Those without an increase are left out, so that legends stay short.
    """
    growth = total(f"increase({counter}[$__range] @ end())", *labels)
    return f"{expression} and topk({number}, {growth} > 0)"


def top_by_maximum(number: int, expression: str, gauge: str) -> str:
    """Keep the daemons with the largest maximum of a gauge in the time range."""
    largest = highest(f"max_over_time({gauge}[$__range] @ end())", *DAEMON_LABELS)
    return f"{expression} and {ON_DAEMON} topk({number}, {largest})"


def age(timestamp: str) -> str:
    """Return the seconds since a timestamp."""
    return f"time() - {timestamp}"


def in_milliseconds(timestamp: str) -> str:
    """Return a timestamp in milliseconds, as Grafana's time units need it."""
    return f"1000 * {timestamp}"


def state_number(selectors: dict[int, str]) -> str:
    """Return the number of the series that is 1 among series that are 0, by daemon.

    A state timeline needs one series per row; value mappings give the numbers their texts.
    """
    branches = " or ".join(f"{number} * {selector}" for number, selector in selectors.items())
    return total(branches, *DAEMON_LABELS)


def count_where(selector: str, condition: str) -> str:
    """Return the number of series that meet a condition: 0 if none does, empty without series."""
    return f"count({selector} {condition}) or 0 * count({selector})"
