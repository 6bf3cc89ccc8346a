"""The Grafana dashboards of this version, as JSON files in this package.

`grafana/` generates them, here and in `grafana/dashboards`.

grafana_com    a dashboard with inputs and requirements, for grafana.com
"""

from importlib import resources


def texts() -> dict[str, str]:
    """Return the JSON of every dashboard by file name, sorted."""
    files = resources.files(__package__).iterdir()
    jsons = sorted(
        (file for file in files if file.name.endswith(".json")), key=lambda file: file.name
    )
    return {file.name: file.read_text(encoding="utf-8") for file in jsons}
