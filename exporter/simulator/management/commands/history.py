"""The commands about what was: `state` and `log`, with their real-time switches."""

from collections.abc import Sequence

from exporter.simulator.daemon.daemon import Daemon
from exporter.simulator.management.commands.command import (
    Command,
    Need,
    Reply,
    Words,
    number,
    require,
)


def _state(daemon: Daemon, words: Words) -> Reply:
    for parameter in words[1:3] or ("1",):
        if parameter in _SWITCH:
            daemon.realtime_flags.state = _SWITCH[parameter]
        yield from _answer("state", parameter, daemon.states)


def _log(daemon: Daemon, words: Words) -> Reply:
    require(words, 1, Need.AT_LEAST)
    for parameter in words[1:3]:
        if parameter in _SWITCH:
            daemon.realtime_flags.log = _SWITCH[parameter]
        yield from _answer("log", parameter, daemon.log_buffer.lines)


def _answer(what: str, parameter: str, lines: Sequence[str]) -> Reply:
    if parameter in _SWITCH:
        yield f"SUCCESS: real-time {what} notification set to {parameter.upper()}"
        return
    count = len(lines) if parameter == "all" else number(parameter)
    if count <= 0 and parameter != "all":
        yield (f"ERROR: {what} parameter must be 'on' or 'off' or some number n or 'all'")
        return
    yield from list(lines)[max(0, len(lines) - count) :]
    yield "END"


_SWITCH = {"on": True, "off": False}

COMMANDS: dict[str, Command] = {
    "state": _state,
    "log": _log,
}
