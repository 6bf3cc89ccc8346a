"""The Grafana dashboards that this version carries: files beside this one, by their uids.

`grafana/` writes them, and the same again into `grafana/dashboards`.
"""

from importlib import resources


def texts() -> dict[str, str]:
    """Return the JSON of every dashboard by its file's name, in alphabetical order."""
    files = resources.files(__package__).iterdir()
    jsons = sorted(
        (file for file in files if file.name.endswith(".json")), key=lambda file: file.name
    )
    return {file.name: file.read_text(encoding="utf-8") for file in jsons}
