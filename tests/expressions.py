"""Checks of PromQL expressions in rules and dashboards against the exporter's metrics.

The catalogue provides the names, the types, the labels and their fixed values.
"""

import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
import promql_parser
import yaml
from promql_parser import (
    AggModifierType,
    AggregateExpr,
    BinaryExpr,
    Call,
    Expr,
    LabelModifierType,
    Matcher,
    MatchOp,
    MatrixSelector,
    ParenExpr,
    StringLiteral,
    SubqueryExpr,
    UnaryExpr,
    VectorMatchCardinality,
    VectorSelector,
)

from exporter.metrics import catalogue, self_metrics
from exporter.metrics.family import MetricType
from tests.metrics.daemons import new_daemon
from tests.metrics.parsing import samples_of

TARGET_LABELS = frozenset({"job", "instance"})
"""The labels that Prometheus adds to each scraped series."""

ALERT_LABELS = frozenset(
    {"alertname", "alertstate", "severity", "daemon", "common_name", "file", "kind"}
)

COUNTER_FUNCTIONS = frozenset({"rate", "irate", "increase", "resets"})
GAUGE_FUNCTIONS = frozenset({"delta", "idelta", "deriv", "predict_linear"})


class SeriesInfo(msgspec.Struct, frozen=True):
    """The labels of a series, and whether it is a counter."""

    labels: frozenset[str]
    counter: bool = False
    metric: str = ""
    """Its name in the catalogue; empty if it is not the exporter's."""


class Analysis(msgspec.Struct, frozen=True):
    """The result of an analysis."""

    labels: frozenset[str]
    """The labels that the result may have."""
    metrics: frozenset[str]
    """The metrics of the catalogue that the expression uses."""
    problems: tuple[str, ...]


def analyse(expression: str, recorded: Mapping[str, frozenset[str]] | None = None) -> Analysis:
    """Analyse an expression without variables; `recorded` are recording rules with their labels."""
    reader = _Reader(
        _SERIES | {name: SeriesInfo(labels) for name, labels in (recorded or {}).items()}
    )
    try:
        tree = promql_parser.parse(expression)
    except ValueError as error:
        return Analysis(frozenset(), frozenset(), (f"does not parse: {error}",))
    labels = reader.labels(tree)
    return Analysis(labels, frozenset(reader.metrics), tuple(reader.problems))


def fill_in_variables(expression: str) -> str:
    """Replace Grafana's variables: intervals by a duration, the others by `.+`."""
    timed = expression.replace("$__interval_ms", "300000")
    timed = re.sub(r"\$\{?__(?:rate_interval|interval|range)\}?", "5m", timed)
    return re.sub(r"\$\{\w+(?::\w+)?\}|\$\w+", ".+", timed)


def promtool_errors(expressions: Mapping[str, str], directory: Path) -> str:
    """Return the errors of promtool, from the oldest supported Prometheus, about expressions."""
    rules = [
        {"record": f"checked:{number}", "expr": expression, "labels": {"location": location}}
        for number, (location, expression) in enumerate(expressions.items())
    ]
    file = directory / "expressions.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "expressions", "rules": rules}]}))
    result = run_promtool("check", "rules", str(file))
    return "" if result.returncode == 0 else result.stdout


def run_promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run promtool; `stdout` contains both of its outputs."""
    process = start_promtool(*arguments)
    output, _ = process.communicate()
    return subprocess.CompletedProcess(arguments, process.returncode, output)


def start_promtool(*arguments: str) -> subprocess.Popen[str]:
    """Start promtool."""
    program = shutil.which("promtool")
    assert program
    return subprocess.Popen(  # noqa: S603 -- constant program
        [program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def _all_series() -> dict[str, SeriesInfo]:
    known = {name: SeriesInfo(TARGET_LABELS) for name in ("up", *_SCRAPE_METRICS)}
    known["ALERTS"] = SeriesInfo(TARGET_LABELS | ALERT_LABELS)
    known["ALERTS_FOR_STATE"] = SeriesInfo(TARGET_LABELS | ALERT_LABELS - {"alertstate"})
    for family in self_metrics.SelfMetrics().registry.collect():  # process_*, python_info
        for sample in family.samples:
            labels = TARGET_LABELS | frozenset(sample.labels)
            known[sample.name] = SeriesInfo(labels, counter=family.type == "counter")
    for metric in catalogue.METRICS:
        labels = TARGET_LABELS | frozenset(metric.labels)
        if metric not in self_metrics.METRICS:
            labels |= {"daemon"}
        if metric.type is MetricType.HISTOGRAM:
            known[f"{metric.name}_bucket"] = SeriesInfo(
                labels | {"le"}, counter=True, metric=metric.name
            )
            for suffix in ("_sum", "_count"):
                known[metric.name + suffix] = SeriesInfo(labels, counter=True, metric=metric.name)
        else:
            counter = metric.type is MetricType.COUNTER
            known[metric.name] = SeriesInfo(labels, counter=counter, metric=metric.name)
    return known


_SCRAPE_METRICS = ("scrape_duration_seconds", "scrape_samples_scraped", "scrape_series_added")

_SERIES = _all_series()


def _label_values() -> dict[tuple[str, str], frozenset[str]]:
    """Return the label values that every daemon has from the start."""
    record = new_daemon()
    values: dict[tuple[str, str], set[str]] = {}
    for family in catalogue.FAMILIES:
        if family.metric.type is MetricType.HISTOGRAM:
            continue
        for _, labels, _ in samples_of(family, record):
            for label, value in labels.items():
                values.setdefault((family.metric.name, label), set()).add(value)
    return {place: frozenset(found) for place, found in values.items()}


_LABEL_VALUES = _label_values()


class _Reader:
    """Walks through a tree; collects the metrics and the problems."""

    def __init__(self, known: Mapping[str, SeriesInfo]) -> None:
        self._all_series = known
        self.metrics: set[str] = set()
        self.problems: list[str] = []

    def labels(self, tree: Expr) -> frozenset[str]:
        """Return the labels that the result of a subexpression may have."""
        if isinstance(tree, MatrixSelector):
            tree = tree.vector_selector
        match tree:
            case VectorSelector():
                return self._selector_labels(tree)
            case SubqueryExpr() | ParenExpr() | UnaryExpr():
                return self.labels(tree.expr)
            case AggregateExpr():
                return self._aggregation_labels(tree)
            case BinaryExpr():
                return self._operation_labels(tree)
            case Call():
                return self._call_labels(tree)
            case _:
                return frozenset()

    def _selector_labels(self, selector: VectorSelector) -> frozenset[str]:
        name = selector.name or ""
        if name not in self._all_series:
            self.problems.append(f"{name or 'a selector without a name'} is not served")
            return TARGET_LABELS
        known = self._all_series[name]
        if known.metric:
            self.metrics.add(known.metric)
        for matcher in selector.matchers.matchers:
            self._expect({matcher.name}, known.labels, name)
            self._check_value(name, matcher)
        return known.labels

    def _check_value(self, name: str, matcher: Matcher) -> None:
        values = _LABEL_VALUES.get((name, matcher.name))
        if values is None or not matcher.value:
            return
        is_pattern = matcher.op in (MatchOp.Re, MatchOp.NotRe)
        for value in matcher.value.split("|") if is_pattern else [matcher.value]:
            found = any(re.fullmatch(value, known) for known in values) if is_pattern else None
            if not (value in values if found is None else found):
                self.problems.append(f"{name} has no {matcher.name}={value!r}")

    def _aggregation_labels(self, tree: AggregateExpr) -> frozenset[str]:
        inner = self.labels(tree.expr)
        if isinstance(tree.param, Expr) and not isinstance(tree.param, StringLiteral):
            self.labels(tree.param)
        if str(tree.op) in {"topk", "bottomk"}:
            return inner
        if tree.modifier is None:
            return frozenset()
        named = frozenset(tree.modifier.labels)
        self._expect(named, inner, str(tree.op))
        return named if tree.modifier.type == AggModifierType.By else inner - named

    def _operation_labels(self, tree: BinaryExpr) -> frozenset[str]:
        left, right = self.labels(tree.lhs), self.labels(tree.rhs)
        modifier = tree.modifier
        if modifier is not None and modifier.matching is not None:
            named = frozenset(modifier.matching.labels)
            is_on = modifier.matching.type == LabelModifierType.Include
            self._expect(named, left & right if is_on else left | right, str(tree.op))
            if modifier.card == VectorMatchCardinality.OneToOne and is_on:
                return named
        return self._joined_labels(tree, left, right)

    def _joined_labels(
        self, tree: BinaryExpr, left: frozenset[str], right: frozenset[str]
    ) -> frozenset[str]:
        card = tree.modifier.card if tree.modifier is not None else None
        extra = frozenset(getattr(tree.modifier, "group_labels", None) or ())
        if card == VectorMatchCardinality.ManyToOne:
            self._expect(extra, right, "group_left")
            return left | extra
        if card == VectorMatchCardinality.OneToMany:
            self._expect(extra, left, "group_right")
            return right | extra
        if str(tree.op) in {"and", "unless"}:
            return left
        return left | right

    def _call_labels(self, tree: Call) -> frozenset[str]:
        function = tree.func.name
        labels = frozenset[str]().union(*(self.labels(argument) for argument in tree.args))
        self._check_kind(function, tree.args)
        if function in {"label_replace", "label_join"}:
            return labels | {tree.args[1].val}
        if function == "histogram_quantile":
            self._expect({"le"}, labels, function)
            return labels - {"le"}
        return labels

    def _check_kind(self, function: str, arguments: Iterable[Expr]) -> None:
        for argument in arguments:
            if isinstance(argument, MatrixSelector):
                name = argument.vector_selector.name or ""
                known = self._all_series.get(name)
                counter = known is not None and known.counter
                if known is None:
                    continue
                if function in COUNTER_FUNCTIONS and not counter:
                    self.problems.append(f"{function} of {name}, which is no counter")
                if function in GAUGE_FUNCTIONS and counter:
                    self.problems.append(f"{function} of {name}, which is a counter")

    def _expect(self, named: Iterable[str], existing: frozenset[str], what: str) -> None:
        self.problems += [f"{what} has no label {name}" for name in sorted(set(named) - existing)]
