"""`dashboards`: list, print or write the Grafana dashboards that this version carries."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

from exporter import dashboards
from exporter.cli.command import Command, CommandFailed, Exit, UsageError
from exporter.cli.output import write

_PREFIX = "openvpn-"
_SUFFIX = ".json"

_EPILOG = """\
Without NAME and --output, it says which there are.

Examples:
  openvpn-exporter dashboards fleet                                     one, to import by hand
  openvpn-exporter dashboards --output /var/lib/grafana/dashboards      all, to be provisioned
"""


def _add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="only this one: fleet, server, …")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="DIRECTORY",
        help="write the files into this directory instead of printing; older ones are replaced",
    )
    parser.epilog = _EPILOG


def _run(parsed: argparse.Namespace) -> Exit:
    chosen = _chosen(parsed.name)
    if parsed.output is not None:
        _write(chosen, parsed.output)
    elif parsed.name is None:
        print(
            "".join(f"{_name(file):<10}{_title(text)}\n" for file, text in chosen.items()), end=""
        )
    else:
        print("".join(chosen.values()), end="")
    return Exit.DONE


def _chosen(name: str | None) -> Mapping[str, str]:
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
        raise CommandFailed(f"cannot make {directory}: {error.strerror}") from error
    for file, text in texts.items():
        write(text.encode(), directory / file)


def _name(file: str) -> str:
    return file.removeprefix(_PREFIX).removesuffix(_SUFFIX)


def _title(text: str) -> str:
    board = json.loads(text)
    return f"{board['title']}: {board['description']}"


COMMAND = Command(
    name="dashboards",
    summary="list, print or write the dashboards for Grafana",
    add_flags=_add_flags,
    run=_run,
)
