"""How one daemon is, in one word, and what is wrong with it."""

import enum

import msgspec

from exporter.management.state import StateName
from exporter.state.daemon import DaemonState

PROBLEM_LIMIT = 400
"""Characters of a problem at most: the peer's own words are part of it."""


class Severity(enum.StrEnum):
    """How urgent a daemon is: the order of the page, and the name of a colour."""

    DOWN = "down"
    TROUBLED = "troubled"
    AWAITED = "awaited"
    WELL = "well"


class DaemonSummary(msgspec.Struct, frozen=True):
    """How one daemon is.

    `word` is for people; `problem` is one sentence with what to do, "" where nothing is wrong;
    `reason` is the value of `openvpn_down_reason`, "" where that is all 0.
    """

    mood: Severity
    word: str
    problem: str = ""
    reason: str = ""


def summarise(record: DaemonState) -> DaemonSummary:
    """Return how the daemon of a record is."""
    if record.down_reason is not None:
        mood, word = (Severity.TROUBLED, _state(record)) if record.up else (Severity.DOWN, "down")
        return DaemonSummary(mood, word, _short(record.down_message), record.down_reason.value)
    if not record.up:
        return DaemonSummary(Severity.AWAITED, "not reached yet")
    if record.state is not None and record.state.name is not StateName.CONNECTED:
        return DaemonSummary(Severity.TROUBLED, _state(record))
    return DaemonSummary(Severity.WELL, _state(record))


def _state(record: DaemonState) -> str:
    return record.state.name.value if record.state else "up"


def _short(text: str) -> str:
    return text if len(text) <= PROBLEM_LIMIT else f"{text[: PROBLEM_LIMIT - 1]}…"
