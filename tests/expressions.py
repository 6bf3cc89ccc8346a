"""Whether an expression of PromQL speaks of what the exporter serves: for rules and for dashboards.

Names come from the catalogue, and so do labels, the values of closed sets of them, and which
metrics are counters.
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
from exporter.metrics.family import Kind
from tests.metrics.daemons import new_daemon
from tests.metrics.parsing import samples_of

OF_TARGETS = frozenset({"job", "instance"})
"""What Prometheus adds to each series that it scrapes."""

OF_ALERTS = frozenset(
    {"alertname", "alertstate", "severity", "daemon", "common_name", "file", "kind"}
)

COUNTING = frozenset({"rate", "irate", "increase", "resets"})
SLOPING = frozenset({"delta", "idelta", "deriv", "predict_linear"})


class Known(msgspec.Struct, frozen=True):
    """What is known of a series' name: its labels, and whether it only goes up."""

    labels: frozenset[str]
    counter: bool = False
    metric: str = ""
    """Its name in the catalogue; empty for what is not the exporter's."""


class Meaning(msgspec.Struct, frozen=True):
    """What an expression says."""

    labels: frozenset[str]
    """Labels that its result may have."""
    metrics: frozenset[str]
    """Names in the catalogue that it uses."""
    problems: tuple[str, ...]


def meaning(expression: str, recorded: Mapping[str, frozenset[str]] | None = None) -> Meaning:
    """Read an expression without variables; `recorded` are rules' names with their labels."""
    reader = _Reader(_KNOWN | {name: Known(labels) for name, labels in (recorded or {}).items()})
    try:
        tree = promql_parser.parse(expression)
    except ValueError as error:
        return Meaning(frozenset(), frozenset(), (f"does not parse: {error}",))
    labels = reader.labels(tree)
    return Meaning(labels, frozenset(reader.metrics), tuple(reader.problems))


def without_variables(expression: str) -> str:
    """Put values in the places of Grafana's variables: a range for times, anything for others."""
    timed = re.sub(r"\$\{?__(?:rate_interval|interval|range)\}?", "5m", expression)
    return re.sub(r"\$\{\w+(?::\w+)?\}|\$\w+", ".+", timed)


def refused_by_prometheus(expressions: Mapping[str, str], directory: Path) -> str:
    """Return what promtool, of the oldest Prometheus that we promise, says against expressions."""
    rules = [
        {"record": f"checked:{number}", "expr": expression, "labels": {"stands_in": place}}
        for number, (place, expression) in enumerate(expressions.items())
    ]
    file = directory / "expressions.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "expressions", "rules": rules}]}))
    done = promtool("check", "rules", str(file))
    return "" if done.returncode == 0 else done.stdout


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end; all it says is in `stdout`."""
    process = promtool_started(*arguments)
    said, _ = process.communicate()
    return subprocess.CompletedProcess(arguments, process.returncode, said)


def promtool_started(*arguments: str) -> subprocess.Popen[str]:
    """Start it."""
    program = shutil.which("promtool")
    assert program
    return subprocess.Popen(  # noqa: S603 -- ours
        [program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def _known() -> dict[str, Known]:
    known = {name: Known(OF_TARGETS) for name in ("up", *_OF_SCRAPES)}
    known["ALERTS"] = Known(OF_TARGETS | OF_ALERTS)
    for family in self_metrics.SelfMetrics().registry.collect():  # process_*, python_info
        for sample in family.samples:
            labels = OF_TARGETS | frozenset(sample.labels)
            known[sample.name] = Known(labels, counter=family.type == "counter")
    for metric in catalogue.METRICS:
        labels = OF_TARGETS | frozenset(metric.labels)
        if metric not in self_metrics.METRICS:
            labels |= {"daemon"}
        if metric.kind is Kind.HISTOGRAM:
            known[f"{metric.name}_bucket"] = Known(
                labels | {"le"}, counter=True, metric=metric.name
            )
            for suffix in ("_sum", "_count"):
                known[metric.name + suffix] = Known(labels, counter=True, metric=metric.name)
        else:
            counter = metric.kind is Kind.COUNTER
            known[metric.name] = Known(labels, counter=counter, metric=metric.name)
    return known


_OF_SCRAPES = ("scrape_duration_seconds", "scrape_samples_scraped", "scrape_series_added")

_KNOWN = _known()


def _closed() -> dict[tuple[str, str], frozenset[str]]:
    """Return the values of each label that has the same ones before anything has happened."""
    record = new_daemon()
    values: dict[tuple[str, str], set[str]] = {}
    for family in catalogue.FAMILIES:
        if family.metric.kind is Kind.HISTOGRAM:
            continue
        for _, labels, _ in samples_of(family, record):
            for label, value in labels.items():
                values.setdefault((family.metric.name, label), set()).add(value)
    return {place: frozenset(found) for place, found in values.items()}


_CLOSED = _closed()


class _Reader:
    """Goes through a tree and notes what it names, and what is wrong."""

    def __init__(self, known: Mapping[str, Known]) -> None:
        self._known = known
        self.metrics: set[str] = set()
        self.problems: list[str] = []

    def labels(self, tree: Expr) -> frozenset[str]:
        """Return the labels that the result of a part may have."""
        if isinstance(tree, MatrixSelector):
            tree = tree.vector_selector
        match tree:
            case VectorSelector():
                return self._of_selector(tree)
            case SubqueryExpr() | ParenExpr() | UnaryExpr():
                return self.labels(tree.expr)
            case AggregateExpr():
                return self._of_aggregation(tree)
            case BinaryExpr():
                return self._of_operation(tree)
            case Call():
                return self._of_call(tree)
            case _:
                return frozenset()

    def _of_selector(self, selector: VectorSelector) -> frozenset[str]:
        name = selector.name or ""
        if name not in self._known:
            self.problems.append(f"{name or 'a selector without a name'} is not served")
            return OF_TARGETS
        known = self._known[name]
        if known.metric:
            self.metrics.add(known.metric)
        for matcher in selector.matchers.matchers:
            self._expect({matcher.name}, known.labels, name)
            self._check_value(name, matcher)
        return known.labels

    def _check_value(self, name: str, matcher: Matcher) -> None:
        values = _CLOSED.get((name, matcher.name))
        if values is None or not matcher.value:
            return
        is_pattern = matcher.op in (MatchOp.Re, MatchOp.NotRe)
        for value in matcher.value.split("|") if is_pattern else [matcher.value]:
            found = any(re.fullmatch(value, known) for known in values) if is_pattern else None
            if not (value in values if found is None else found):
                self.problems.append(f"{name} has no {matcher.name}={value!r}")

    def _of_aggregation(self, tree: AggregateExpr) -> frozenset[str]:
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

    def _of_operation(self, tree: BinaryExpr) -> frozenset[str]:
        left, right = self.labels(tree.lhs), self.labels(tree.rhs)
        modifier = tree.modifier
        if modifier is not None and modifier.matching is not None:
            named = frozenset(modifier.matching.labels)
            is_on = modifier.matching.type == LabelModifierType.Include
            self._expect(named, left & right if is_on else left | right, str(tree.op))
            if modifier.card == VectorMatchCardinality.OneToOne and is_on:
                return named
        return self._joined(tree, left, right)

    def _joined(
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

    def _of_call(self, tree: Call) -> frozenset[str]:
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
                known = self._known.get(name)
                counter = known is not None and known.counter
                if known is None:
                    continue
                if function in COUNTING and not counter:
                    self.problems.append(f"{function} of {name}, which is no counter")
                if function in SLOPING and counter:
                    self.problems.append(f"{function} of {name}, which is a counter")

    def _expect(self, named: Iterable[str], there: frozenset[str], what: str) -> None:
        self.problems += [f"{what} has no label {name}" for name in sorted(set(named) - there)]
