"""The Helm chart, as far as it can be tested without helm; `make test-install` renders it."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from exporter import __version__
from scripts import helm_chart

EXAMPLES = Path(__file__).parents[1] / "data" / "helm"
VALUES: dict[str, Any] = yaml.safe_load((helm_chart.CHART / "values.yaml").read_text())
SCHEMA = json.loads((helm_chart.CHART / "values.schema.json").read_text())


def test_generated_parts_are_those_of_the_program() -> None:
    assert helm_chart.main(["--check"]) == 0, "run `make docs`"


def test_chart_has_the_version_of_the_program() -> None:
    chart = yaml.safe_load((helm_chart.CHART / "Chart.yaml").read_text())
    assert chart["version"] == chart["appVersion"] == __version__


def test_chart_has_no_other_dashboard() -> None:
    files = {path for path in (helm_chart.CHART / "files").rglob("*") if path.is_file()}
    assert files == {path for path in helm_chart.render() if "files" in path.parts}


def test_schema_has_every_value() -> None:
    described = SCHEMA["properties"]
    assert set(described) == {*VALUES, "global"}  # helm adds "global" to charts of a chart
    for name, value in VALUES.items():
        if "properties" in described[name] and name not in ("config", "webConfig"):
            assert set(described[name]["properties"]) == set(value), name


@pytest.mark.parametrize("path", sorted(EXAMPLES.iterdir()), ids=lambda path: path.stem)
def test_example_of_values_is_valid(path: Path) -> None:
    values = VALUES | yaml.safe_load(path.read_text())
    jsonschema.Draft7Validator(SCHEMA).validate(values)


def test_complete_example_has_every_value() -> None:
    complete = yaml.safe_load((EXAMPLES / "complete.yaml").read_text())
    existing = yaml.safe_load((EXAMPLES / "existing.yaml").read_text())
    assert {*complete, *existing} == set(VALUES)


def test_patterns_need_no_lookaround_which_helm_does_not_have() -> None:
    assert '"pattern": "' in json.dumps(SCHEMA)
    for group in ("(?=", "(?!", "(?<"):
        assert group not in json.dumps(SCHEMA)
