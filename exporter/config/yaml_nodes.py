"""The configuration file as YAML nodes, which still know the lines they stand on."""

import re
from pathlib import Path

import yaml

from exporter.config.errors import ConfigError, Problem

MAX_BYTES = 1 << 20
"""Largest file that is read; room for some ten thousand daemons."""


def load_node(path: Path, *, example: str = "config.example.yaml") -> yaml.Node:
    """Return the root node of the one YAML document in the file at `path`.

    Who has an empty file is sent to `example`.

    Raises ConfigError: no such file, too large, not UTF-8, not YAML, empty, several documents.
    """
    source = str(path)
    nodes = _nodes(_decode(_read(path), source), source)
    if not nodes:
        raise _failure(source, f"the file is empty: see {example}")
    return _only(nodes, source)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:  # also a pipe, as in --config.file <(command)
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise _failure(str(path), f"cannot read the file: {reason}") from None
    if len(content) > MAX_BYTES:
        raise _failure(str(path), f"the file is larger than {MAX_BYTES >> 20} MiB: split the fleet")
    return content


def _decode(content: bytes, source: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _failure(source, "not UTF-8 text: save the file as UTF-8", line) from None


def _nodes(text: str, source: str) -> list[yaml.Node]:
    try:
        # The C loader overruns the stack where lists are nested deeply; this one only raises.
        return list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except RecursionError:
        raise _failure(source, "nested too deeply: the deepest key has three levels") from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        problem, line = _explain(error, text)
        raise _failure(source, f"not YAML: {problem}", line) from None


def _explain(error: Exception, text: str) -> tuple[str, int | None]:
    """Say what PyYAML says on one line, without the excerpt of the file, which may be a secret."""
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        words = ", ".join(part for part in (error.context, error.problem) if part)
        return re.sub(r"\s+", " ", words), mark.line + 1 if mark else None
    if isinstance(error, yaml.reader.ReaderError):
        return str(error.reason), text.count("\n", 0, error.position) + 1
    # PyYAML takes an escape such as \UFFFFFFFF, or a version of many digits, at its word.
    return "an escape or a number is too large", None


def _only(nodes: list[yaml.Node], source: str) -> yaml.Node:
    if len(nodes) > 1:
        line = nodes[1].start_mark.line + 1
        raise _failure(source, "a second document begins: keep one, without ---", line)
    return nodes[0]


def _failure(source: str, text: str, line: int | None = None) -> ConfigError:
    return ConfigError((Problem(source=source, text=text, line=line),))
