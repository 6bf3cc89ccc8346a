"""`dashboards`: list, print or write the Grafana dashboards of this version."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

from exporter import dashboards
from exporter.cli.kubernetes import config_map
from exporter.cli.output import write
from exporter.cli.subcommand import CommandFailed, Exit, UsageError
from exporter.dashboards.grafana_com import for_grafana_com

_PREFIX = "openvpn-"
_SUFFIX = ".json"

_EPILOG = """\
Without NAME, --output and --format, the command lists all dashboards.

Examples:
  openvpn-exporter dashboards fleet                                     one, for a manual import
  openvpn-exporter dashboards --output /var/lib/grafana/dashboards      all, for provisioning
  openvpn-exporter dashboards --grafana-com --output upload             all, for grafana.com
  openvpn-exporter dashboards --format configmap | kubectl apply --server-side -f -
"""


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Define the flags of the command."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="one dashboard: fleet, server, …")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="DIRECTORY",
        help="write the files into this directory instead of printing, replacing older ones",
    )
    parser.add_argument(
        "--grafana-com",
        action="store_true",
        help="with inputs and requirements, for an upload to grafana.com; not for provisioning",
    )
    parser.add_argument(
        "--format",
        choices=("json", "configmap"),
        help="json: the dashboard itself, for Grafana; configmap: a Kubernetes object for the "
        "sidecar of Grafana's Helm chart (default json)",
    )
    parser.epilog = _EPILOG


def run(parsed: argparse.Namespace) -> Exit:
    """List, print or write the dashboards."""
    selected = _select(parsed.name)
    if parsed.grafana_com and parsed.format == "configmap":
        raise UsageError("--grafana-com is for an upload: a ConfigMap has no import dialog")
    if parsed.grafana_com:
        selected = {file: for_grafana_com(text) for file, text in selected.items()}
    if parsed.format == "configmap":
        selected = {
            f"{file.removesuffix(_SUFFIX)}.yaml": config_map(file, text)
            for file, text in selected.items()
        }
    if parsed.output is not None:
        _write(selected, parsed.output)
    elif parsed.name is None and parsed.format is None:
        print(
            "".join(f"{_name(file):<10}{_title(text)}\n" for file, text in selected.items()), end=""
        )
    else:
        print("".join(selected.values()), end="")
    return Exit.DONE


def _select(name: str | None) -> Mapping[str, str]:
    texts = dashboards.texts()
    if name is None:
        return texts
    file = f"{_PREFIX}{name.removeprefix(_PREFIX)}{_SUFFIX}"
    if file not in texts:
        known = ", ".join(_name(file) for file in texts)
        raise UsageError(f"{name!r} is no dashboard: use one of {known}")
    return {file: texts[file]}


def _write(texts: Mapping[str, str], directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandFailed(f"cannot create {directory}: {error.strerror}") from error
    for file, text in texts.items():
        write(text.encode(), directory / file)


def _name(file: str) -> str:
    return file.removeprefix(_PREFIX).removesuffix(_SUFFIX)


def _title(text: str) -> str:
    dashboard = json.loads(text)
    return f"{dashboard['title']}: {dashboard['description']}"
