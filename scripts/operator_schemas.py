"""Prints the schemas of the Prometheus Operator's objects; they refuse unknown keys.

    git clone --branch v0.93.0 https://github.com/prometheus-operator/prometheus-operator
    python -m scripts.operator_schemas prometheus-operator > tests/data/kubernetes/operator.json

Of its CustomResourceDefinitions (Apache-2.0) only names, types and bounds remain, no texts.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

KINDS = ("podmonitors", "prometheusrules", "servicemonitors")

_KEPT = ("enum", "maximum", "maxItems", "maxLength", "minimum", "minItems", "minLength", "pattern")

Schema = dict[str, Any]


def schemas(checkout: Path) -> Schema:
    """Return the schema of each kind, and where they come from."""
    directory = checkout / "example" / "prometheus-operator-crd"
    found = [_definition(directory / f"monitoring.coreos.com_{kind}.yaml") for kind in KINDS]
    return {
        "source": "https://github.com/prometheus-operator/prometheus-operator",
        "license": "Apache-2.0",
        "version": (checkout / "VERSION").read_text().strip(),
        "kinds": {definition["spec"]["names"]["kind"]: _schema(definition) for definition in found},
    }


def _definition(path: Path) -> Schema:
    definition: Schema = yaml.safe_load(path.read_text(encoding="utf-8"))
    return definition


def _schema(definition: Schema) -> Schema:
    (version,) = (each for each in definition["spec"]["versions"] if each["name"] == "v1")
    schema = _reduced(version["schema"]["openAPIV3Schema"])
    del schema["properties"]["status"]  # the operator writes it
    return schema


def _reduced(node: Mapping[str, Any]) -> Schema:
    reduced = {key: node[key] for key in (*_KEPT, "required", "type") if key in node}
    if node.get("x-kubernetes-int-or-string"):
        reduced["type"] = ["integer", "string"]
    if "properties" in node:
        properties = node["properties"].items()
        reduced["properties"] = {name: _reduced(inner) for name, inner in properties}
        reduced["additionalProperties"] = False
    for key in ("additionalProperties", "items"):
        if isinstance(node.get(key), Mapping):
            reduced[key] = _reduced(node[key])
    return reduced


if __name__ == "__main__":
    text = json.dumps(schemas(Path(sys.argv[1])), indent=1, sort_keys=True)
    sys.stdout.write(f"{text}\n")
