"""The parameters of `state` and `log`: `on`, `off`, `all`, a number, or two of them."""

from collections.abc import Iterator, Sequence

import msgspec

from exporter.management.server.commands import atoi
from exporter.management.server.replies import error, multiline, success

_SWITCHES = {"on": True, "off": False}


class Switch(msgspec.Struct, frozen=True):
    """Turn the real-time messages on or off."""

    on: bool


class Show(msgspec.Struct, frozen=True):
    """Show the newest `count` entries, or all of them."""

    count: int | None


class Invalid(msgspec.Struct, frozen=True):
    """A parameter that is none of these."""


HistoryAction = Switch | Show | Invalid


def history_actions(words: Sequence[str]) -> Iterator[HistoryAction]:
    """Yield what a `state` or `log` command asks for: its first two parameters, left to right."""
    for parameter in words[1:3] or ("1",):
        if parameter in _SWITCHES:
            yield Switch(_SWITCHES[parameter])
        elif parameter == "all":
            yield Show(None)
        else:
            count = atoi(parameter)
            yield Show(count) if count > 0 else Invalid()


def history_reply(name: str, action: HistoryAction, entries: Sequence[bytes]) -> bytes:
    """Return the reply of the command `name`, given all entries, the oldest first."""
    match action:
        case Switch(on=on):
            return success(f"real-time {name} notification set to {'ON' if on else 'OFF'}")
        case Show(count=count):
            return multiline(entries if count is None else entries[-count:])
        case Invalid():
            return error(f"{name} parameter must be 'on' or 'off' or some number n or 'all'")
