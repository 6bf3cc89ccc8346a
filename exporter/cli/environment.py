"""Environment variables in place of flags, for containers.

The variable of `--web.listen-address` is OPENVPN_EXPORTER_WEB_LISTEN_ADDRESS. Flags of a single
command have the command in front: that of `check --connect` is OPENVPN_EXPORTER_CHECK_CONNECT.
"""

import argparse
import logging
import re
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from exporter.cli.subcommand import UsageError
from exporter.log import Level, event
from exporter.management.values import clean

PREFIX = "OPENVPN_EXPORTER_"

SEPARATOR = ","
"""Between the values of a flag that can be repeated."""

_SERVICE_LINK = re.compile(
    rf"{PREFIX}(.+_)?(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT(_\d+_[A-Z]+(_(PROTO|PORT|ADDR))?)?)"
)
"""Variables that Kubernetes sets for a Service whose name begins with openvpn-exporter."""

_NAME_LIMIT = 100

_log = logging.getLogger(__name__)


class Exclusive(msgspec.Struct, frozen=True):
    """Flags that are not allowed together, none of `first` with any of `second`, by their `dest`.

    `remedy`: what to do instead.
    """

    first: Collection[str]
    second: Collection[str]
    remedy: str

    def excludes(self, dest: str, other: str) -> bool:
        """Return whether the two flags are not allowed together."""
        return (dest in self.first and other in self.second) or (
            dest in self.second and other in self.first
        )


class Sources(msgspec.Struct, frozen=True):
    """The variables that set a flag, by flag; those that another flag overrides, with that flag."""

    variables: Mapping[str, str] = {}
    overridden: Mapping[str, str] = {}

    def note(self) -> str:
        """Return the variables in use, for an error about flags; empty if there are none."""
        names = ", ".join(self.variables.values())
        return f" (environment variables in use: {names})" if names else ""


def variable_names(parser: argparse.ArgumentParser, command: str) -> Mapping[str, str]:
    """Return the variable of each flag of the command, by flag."""
    return {_option(flag): _variable(flag, command) for flag in _flags(parser)}


def add_variables_to_help(parser: argparse.ArgumentParser, command: str) -> None:
    """Add its variable to the help of each flag."""
    for flag in _flags(parser):
        flag.help = f"{flag.help} [{_variable(flag, command)}]"


def parse_flags(
    parser: argparse.ArgumentParser,
    arguments: Sequence[str],
    *,
    command: str,
    environ: Mapping[str, str],
    exclusive: Sequence[Exclusive] = (),
) -> tuple[argparse.Namespace, Sources]:
    """Return the flags of a command line; those that it does not have, from their variables.

    A flag in the command line wins over its own variable, and over those of the flags that it
    excludes. An empty variable counts as not set.

    Raises:
        UsageError: a variable is invalid, or flags exclude each other.
        SystemExit: the command line is invalid; the reason is printed.
    """
    flags = _flags(parser)
    parsed = parser.parse_args(arguments, _unset(flags))
    given = {flag.dest: _option(flag) for flag in flags if _is_set(parsed, flag)}
    names = dict(given)
    variables: dict[str, str] = {}
    overridden: dict[str, str] = {}
    for flag in flags:
        name = _variable(flag, command)
        if flag.dest in given or not (text := environ.get(name)):
            continue
        if winner := _excluding(flag.dest, given, exclusive):
            overridden[name] = winner
            continue
        setattr(parsed, flag.dest, _value(parser, flag, name=name, text=text))
        if _is_set(parsed, flag):
            names[flag.dest] = variables[_option(flag)] = name
    _check(names, exclusive)
    for flag in flags:
        if not _is_set(parsed, flag):
            setattr(parsed, flag.dest, flag.default)
    return parsed, Sources(variables, overridden)


def log_overridden(sources: Sources) -> None:
    """Warn of each variable that a flag overrides, but its own."""
    for name, flag in sources.overridden.items():
        event(_log, Level.WARN, "environment variable overridden", variable=name, flag=flag)


def unknown_variables(environ: Mapping[str, str], known: Iterable[str]) -> Sequence[str]:
    """Return the variables of this prefix that are set, but are neither known nor Kubernetes'."""
    known = frozenset(known)
    return [
        name
        for name, text in sorted(environ.items())
        if name.startswith(PREFIX) and text and name not in known and not is_service_link(name)
    ]


def log_unknown(names: Iterable[str], known: Sequence[str]) -> None:
    """Warn of each variable, without its value, with the known one that was meant."""
    import difflib  # noqa: PLC0415 -- only for errors

    for name in names:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"write {close[0]}" if close else "openvpn-exporter --help lists the variables"
        variable = clean(name, _NAME_LIMIT)
        event(_log, Level.WARN, "unknown environment variable", variable=variable, hint=hint)


def is_service_link(name: str) -> bool:
    """Return whether Kubernetes sets a variable of this name for a Service."""
    return _SERVICE_LINK.fullmatch(name) is not None


def _flags(parser: argparse.ArgumentParser) -> Sequence[argparse.Action]:
    """Return all flags but --help and --version."""
    actions = parser._actions  # noqa: SLF001 -- argparse has no public list of its flags
    return [
        action
        for action in actions
        if action.option_strings and action.default != argparse.SUPPRESS
    ]


def _option(flag: argparse.Action) -> str:
    return flag.option_strings[0]


def _variable(flag: argparse.Action, command: str) -> str:
    name = _option(flag).removeprefix("--")
    scope = "" if "." in name else f"{command}_"
    return PREFIX + re.sub("[.-]", "_", f"{scope}{name}").upper()


def _unset(flags: Iterable[argparse.Action]) -> argparse.Namespace:
    """Return a namespace in which argparse does not set the defaults of the flags."""
    return argparse.Namespace(**{flag.dest: None for flag in flags})


def _is_set(parsed: argparse.Namespace, flag: argparse.Action) -> bool:
    return getattr(parsed, flag.dest) is not None


def _value(
    parser: argparse.ArgumentParser, flag: argparse.Action, *, name: str, text: str
) -> object:
    """Return what the flag would set with the values of its variable; None if nothing.

    Raises UsageError.
    """
    if flag.nargs == 0:
        arguments = _switch(flag, name, text)
    elif isinstance(flag, argparse._AppendAction):  # noqa: SLF001 -- argparse has no public name
        values = [value.strip() for value in text.split(SEPARATOR)]
        arguments = [f"{_option(flag)}={value}" for value in values if value]
    else:
        arguments = [f"{_option(flag)}={text}"]
    exit_on_error, parser.exit_on_error = parser.exit_on_error, False
    try:
        parsed = parser.parse_args(arguments, _unset([flag]))
    except argparse.ArgumentError as error:
        raise UsageError(f"environment variable {name}: {error.message}") from None
    finally:
        parser.exit_on_error = exit_on_error
    return getattr(parsed, flag.dest)


def _switch(flag: argparse.Action, name: str, text: str) -> list[str]:
    """Return the arguments for a flag without a value."""
    if text not in {"true", "false"}:
        raise UsageError(f"environment variable {name}: {text!r} is not valid: true or false")
    return [_option(flag)] if text == "true" else []


def _excluding(dest: str, given: Mapping[str, str], exclusive: Iterable[Exclusive]) -> str | None:
    """Return a given flag that is not allowed together with this one."""
    pairs = ((pair, other) for pair in exclusive for other in given)
    return next((given[other] for pair, other in pairs if pair.excludes(dest, other)), None)


def _check(names: Mapping[str, str], exclusive: Iterable[Exclusive]) -> None:
    """Raise UsageError if two of these flags or variables exclude each other."""
    for pair in exclusive:
        first = [names[dest] for dest in pair.first if dest in names]
        second = [names[dest] for dest in pair.second if dest in names]
        if first and second:
            both = f"{' and '.join(first)} is not allowed with {' and '.join(second)}"
            raise UsageError(f"{both}: {pair.remedy}")
