"""What happened between polls, counted once each.

Real-time messages count as they come. What a gap between two sessions hid is filled in from the
daemon's state history and log cache when the next session begins; until they have been read,
states and log lines that come by themselves stand in them as well, and only count there.
"""

from collections import Counter
from collections.abc import Callable, Sequence

from exporter.management import prompts
from exporter.management.log_events import LOG_EVENTS
from exporter.management.log_lines import (
    ConnectLine,
    Severity,
    is_management_line,
    match_event,
    parse_connect,
    severity,
)
from exporter.management.notifications import (
    KEYWORDS,
    Fatal,
    LogLine,
    ParsedNotification,
    PasswordFailed,
    StateChange,
)
from exporter.management.state import RECONNECT_REASONS, State, StateName, reconnect_reason
from exporter.management.values import OTHER
from exporter.state import seen_entries

_STATES_KEPT = 100
_LINES_KEPT = 300


class Events:
    """The counters; every known label value is there from the start."""

    def __init__(self, announce: Callable[[ConnectLine], None]) -> None:
        """Begin with nothing counted; clients that the log says were let in go to `announce`."""
        self.messages = _zeros([*sorted(KEYWORDS), OTHER])
        self.transitions = _zeros([name.value for name in StateName])
        self.reconnects = _zeros(RECONNECT_REASONS)
        self.log_messages = _zeros([level.value for level in Severity])
        self.log_events = _zeros([event.name for event in LOG_EVENTS])
        self.password_failures = _zeros([*prompts.PASSWORD_KINDS, OTHER])
        self.prompts = _zeros(prompts.PROMPT_KINDS)
        self.fatal_errors = 0
        self._on_connect_line = announce
        self._states = seen_entries.SeenEntries[State](_STATES_KEPT)
        self._lines = seen_entries.SeenEntries[LogLine](_LINES_KEPT)
        self._states_caught_up = False
        self._lines_caught_up = False

    def on_connect(self) -> None:
        """Note a new session: its histories come first."""
        self._states_caught_up = False
        self._lines_caught_up = False

    def on_restart(self) -> None:
        """Note that the daemon's process is another one than in the last session."""
        self._states.restart()
        self._lines.restart()

    def add_state_history(self, history: Sequence[State]) -> Sequence[State]:
        """Take the reply to `state all`, oldest entry first; return the entries that are new."""
        new = self._states.unseen(history)
        for state in new:
            self._count_state(state)
        self._states_caught_up = True
        return new

    def add_log_history(self, cache: Sequence[LogLine]) -> None:
        """Take the reply to `log all`, oldest line first."""
        for line in self._lines.unseen(cache):
            self._count_line(line)
        self._lines_caught_up = True

    def add(self, source: str, reading: ParsedNotification) -> None:
        """Take one real-time message."""
        self.messages[source if source in KEYWORDS else OTHER] += 1
        match reading:
            case StateChange(state=state) if self._states_caught_up:
                self._states.add(state)
                self._count_state(state)
            case LogLine() as line if self._lines_caught_up:
                self._lines.add(line)
                self._count_line(line)
            case Fatal():
                self.fatal_errors += 1
            case PasswordFailed(kind=kind):
                self.password_failures[prompts.password_kind(kind)] += 1
            case _:
                self._count_prompt(reading)

    def _count_prompt(self, reading: ParsedNotification) -> None:
        reason = prompts.blocking_prompt(reading)
        if reason is not None and reason.prompt_kind in self.prompts:
            self.prompts[reason.prompt_kind] += 1

    def _count_state(self, state: State) -> None:
        self.transitions[state.name.value] += 1
        if state.name is StateName.RECONNECTING:
            self.reconnects[reconnect_reason(state.description)] += 1

    def _count_line(self, line: LogLine) -> None:
        if is_management_line(line):
            return
        self.log_messages[severity(line).value] += 1
        event = match_event(line)
        if event is not None:
            self.log_events[event.name] += 1
        client = parse_connect(line)
        if client is not None:
            self._on_connect_line(client)


def _zeros(values: Sequence[str]) -> Counter[str]:
    return Counter(dict.fromkeys(values, 0))
