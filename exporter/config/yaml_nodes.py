"""A configuration file as YAML nodes, which know their lines."""

import re
from pathlib import Path

import yaml

from exporter.config.errors import ConfigError, Problem
from exporter.files import read_file_or_pipe

MAX_BYTES = 1 << 20
"""Largest file that is read; room for some ten thousand daemons."""

_HIDES_CLIENTS = re.compile(r"\bprivacy['\"]?\s*:\s*(?!plain\b)")
"""A privacy mode in a text that is not YAML."""


def load_node(
    path: Path, *, example: str = "config.example.yaml", pipe_timeout: float | None = None
) -> yaml.Node:
    """Return the root node of the only YAML document in the file at `path`.

    The error for an empty file names `example`. A pipe, as in `--config.file <(command)`, has
    `pipe_timeout` seconds to end.

    Raises ConfigError: no such file, too large, not UTF-8, not YAML, empty, several documents.
    """
    source = str(path)
    nodes = _nodes(_decode(_read(path, pipe_timeout), source), source)
    if not nodes:
        raise _error(source, f"the file is empty: see {example}")
    return _single(nodes, source)


def _read(path: Path, pipe_timeout: float | None) -> bytes:
    try:
        content = read_file_or_pipe(path, MAX_BYTES + 1, timeout=pipe_timeout)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise _error(str(path), f"cannot read the file: {reason}") from None
    if len(content) > MAX_BYTES:
        text = f"the file is larger than {MAX_BYTES >> 20} MiB: divide it between exporters"
        raise _error(str(path), text)
    return content


def _decode(content: bytes, source: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _error(source, "not UTF-8 text: save the file as UTF-8", line) from None


def _nodes(text: str, source: str) -> list[yaml.Node]:
    try:
        # The C loader overruns the stack on deeply nested lists; this one raises.
        return list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except RecursionError:
        raise _error(source, "nested too deeply: the deepest key has three levels") from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        problem, line = _format_yaml_error(error, text)
        raise _error(source, f"not YAML: {problem}", line) from None


def _format_yaml_error(error: Exception, text: str) -> tuple[str, int | None]:
    """Return PyYAML's message as one line, and its line; without the excerpt, perhaps a secret."""
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        message = ", ".join(part for part in (error.context, error.problem) if part)
        if _HIDES_CLIENTS.search(text):  # an alias may be the unquoted name of a client
            message = re.sub(r"(alias|anchor|tag handle) '[^']*'", r"\1", message)
        return re.sub(r"\s+", " ", message), mark.line + 1 if mark else None
    if isinstance(error, yaml.reader.ReaderError):
        return str(error.reason), text.count("\n", 0, error.position) + 1
    # PyYAML fails on an escape such as \UFFFFFFFF, and on a version of many digits.
    return "an escape or a number is too large", None


def _single(nodes: list[yaml.Node], source: str) -> yaml.Node:
    if len(nodes) > 1:
        line = nodes[1].start_mark.line + 1
        raise _error(source, "a second document begins: keep one, without ---", line)
    return nodes[0]


def _error(source: str, text: str, line: int | None = None) -> ConfigError:
    return ConfigError((Problem(source=source, text=text, line=line),))
