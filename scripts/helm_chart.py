"""Writes the generated parts of the Helm chart: those that the program has itself.

python -m scripts.helm_chart             writes them into deploy/helm
python -m scripts.helm_chart --check     exits with 1 if one is out of date

They are the rules, the dashboards, the version, and in the schema of the values that of the
configuration.
"""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from exporter import __version__, alert_rules, dashboards
from exporter.config import json_schema

CHART = Path(__file__).parents[1] / "deploy" / "helm"

_VERSIONS = re.compile(r"^(version|appVersion): .*$", re.MULTILINE)


def render() -> Mapping[Path, str]:
    """Return the text of each file that has a generated part."""
    chart = CHART / "Chart.yaml"
    schema = CHART / "values.schema.json"
    return {
        CHART / "files" / "openvpn.rules.yml": alert_rules.render(),
        CHART / "files" / "openvpn-usage.rules.yml": alert_rules.render(alert_rules.USAGE),
        **{
            CHART / "files" / "dashboards" / name: text for name, text in dashboards.texts().items()
        },
        chart: _VERSIONS.sub(rf"\1: {__version__}", chart.read_text(encoding="utf-8")),
        schema: _with_configuration(schema.read_text(encoding="utf-8")),
    }


def _with_configuration(text: str) -> str:
    """Return the schema of the values, with the current one of the key `config`."""
    values = json.loads(text)
    config = json.loads(json_schema.render())
    del config["$schema"]
    values["properties"]["config"] = config
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write the files, or compare them with what is there; return the exit code."""
    rendered = render()
    if arguments == ["--check"]:
        return int(any(path.read_text(encoding="utf-8") != text for path, text in rendered.items()))
    for path, text in rendered.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
