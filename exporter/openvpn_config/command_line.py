"""The options that a service manager adds on OpenVPN's command line.

They are written in OpenVPN's own syntax, and the specifiers of a systemd unit are known: `%i` is
the instance, `%t` is /run, `%%` is a percent sign.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from exporter.openvpn_config import lexer, options
from exporter.openvpn_config.directives import Directive, without_dashes
from exporter.openvpn_config.errors import Location, SyntaxProblem

Words = tuple[str, ...]
"""An option and its arguments."""

_RUNTIME_DIRECTORY = "/run"
_SPECIFIER = re.compile("%(.?)", re.DOTALL)


def parse(text: str) -> tuple[Words, ...]:
    """Return the options as written: each begins with `--`, or at the beginning of a line.

    Raises:
        ValueError: OpenVPN refuses them, or a specifier is unknown; the text is one sentence.
    """
    groups: list[list[str]] = []
    for line in text.splitlines():
        for index, word in enumerate(lexer.split(line, limit=None)):
            if index == 0 or word.startswith("--"):
                groups.append([word])
            else:
                groups[-1].append(word)
    parsed = tuple(map(tuple, groups))
    try:
        options.select(directives(parsed, "instance", Path()))
    except SyntaxProblem as error:
        raise ValueError(error.text) from None
    return parsed


def directives(groups: Sequence[Words], instance: str, file: Path) -> tuple[Directive, ...]:
    """Return the options of one instance; `file` is its configuration."""
    expanded = ([_expand(word, instance) for word in group] for group in groups)
    return tuple(
        Directive(without_dashes(name), tuple(arguments), Location(file))
        for name, *arguments in expanded
    )


def has_config(groups: Sequence[Words]) -> bool:
    """Return whether the options say where the configuration file is read."""
    return any(without_dashes(group[0]) == "config" for group in groups)


def _expand(word: str, instance: str) -> str:
    values = {"i": instance, "I": instance, "t": _RUNTIME_DIRECTORY, "%": "%"}

    def value(specifier: re.Match[str]) -> str:
        if specifier[1] not in values:
            raise ValueError(f"{specifier[0]} is unknown: use %i for the instance, %% for %")
        return values[specifier[1]]

    return _SPECIFIER.sub(value, word)
