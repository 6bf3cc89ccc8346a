"""Events between polls, each counted once.

Real-time messages count as they arrive. At the start of a session the daemon's state history and
log cache fill the gap since the last session. Until a history has been read, states and log lines
that arrive in real time are in it as well, and count there only.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Generator, Hashable, Iterator, Sequence
from typing import Generic, TypeVar

from exporter.management import prompts
from exporter.management.batches import batches
from exporter.management.commands import Command
from exporter.management.log_lines import (
    ClientEnd,
    ConnectLine,
    EventLine,
    is_management_line,
    parse_connect,
    parse_line,
    severity,
)
from exporter.management.login_lines import parse_login
from exporter.management.notifications import (
    KEYWORDS,
    Fatal,
    LogLine,
    ParsedNotification,
    PasswordFailed,
    StateChange,
)
from exporter.management.reconnect_reasons import reconnect_reason
from exporter.management.state import State, StateName
from exporter.management.values import OTHER
from exporter.state.failures import FailureLines
from exporter.state.logged_logins import LoggedLogins

_LINE_BATCH = 500
"""Lines that are counted at once: ten milliseconds."""

_LINE_BATCH_BYTES = 64 * 1024
"""Characters of these lines; one takes up to 150 ns."""

_MAX_STATES = 100
_MAX_LINES = 300

_T = TypeVar("_T", bound=Hashable)


class Events:
    """The event counters, by label value; one that was not counted yet takes no memory."""

    def __init__(
        self,
        on_connect_line: Callable[[ConnectLine], None],
        on_connect_history: Callable[[Sequence[ConnectLine]], Generator[None, None, None]],
        logins: LoggedLogins,
        *,
        is_trace: Callable[[str, str], bool] = lambda _client, _line: False,
    ) -> None:
        """`on_connect_line` gets each real-time log line that shows a connected client.

        `on_connect_history` gets all of those that are new in a history. `logins` gets the logins
        that are in the log. `is_trace` returns whether a line, about this client if any, is about a
        probe of the exporter, and counts as no event.
        """
        self.messages: Counter[str] = Counter()
        self.transitions: Counter[str] = Counter()
        self.reconnects: Counter[str] = Counter()
        self.log_messages: Counter[str] = Counter()
        self.log_events: Counter[str] = Counter()
        self.password_failures: Counter[str] = Counter()
        self.prompts: Counter[str] = Counter()
        self.fatal_errors = 0
        self._on_connect_line = on_connect_line
        self._on_connect_history = on_connect_history
        self._logins = logins
        self._is_trace = is_trace
        self._states = SeenEntries[State](_MAX_STATES)
        self._lines = SeenEntries[LogLine](_MAX_LINES)
        self._failures = FailureLines()
        self._states_read = False
        self._lines_read = False

    def on_connect(self) -> None:
        """Record a new session: its histories are read first."""
        self._states_read = False
        self._lines_read = False

    def on_restart(self) -> None:
        """Record that the daemon's process restarted: its histories are empty."""
        self._states.restart()
        self._lines.restart()

    def on_history_missing(self, command: Command) -> None:
        """Record that a history can't be read: what arrives in real time counts from now on."""
        self._states_read |= command is Command.STATE_ALL
        self._lines_read |= command is Command.LOG_ALL

    def add_state_history(self, history: Sequence[State]) -> Sequence[State]:
        """Count the reply to `state all`, oldest entry first; return the entries that are new."""
        new = self._states.unseen(history)
        for state in new:
            self._count_state(state)
        self._states_read = True
        return new

    def add_log_history(self, history: Sequence[LogLine]) -> Generator[None, None, None]:
        """Count the reply to `log all`, oldest line first, yielding after each batch of lines."""
        for batch in _line_batches(history):
            for line in batch:
                hash(line)  # its text keeps its own: the next time is quick
            yield
        is_first = not self._lines.initialised
        new = self._lines.unseen(history)
        self._lines_read = True
        for batch in _line_batches(history if is_first else ()):  # no event of it counts
            for line in batch:
                self._record_login(line, parse_line(line))
            yield
        connects: list[ConnectLine] = []
        for batch in _line_batches(new):
            connects += [connect for line in batch if (connect := self._count_line(line))]
            yield
        yield from self._on_connect_history(connects)

    def count_message(self, keyword: str) -> None:
        """Count one real-time message by its keyword alone."""
        self.messages[keyword if keyword in KEYWORDS else OTHER] += 1

    def add(self, keyword: str, notification: ParsedNotification) -> None:
        """Count one real-time message."""
        self.count_message(keyword)
        match notification:
            case StateChange(state=state) if self._states_read:
                self._states.add(state)
                self._count_state(state)
            case LogLine() as line if self._lines_read:
                self._lines.add(line)
                if connect := self._count_line(line):
                    self._on_connect_line(connect)
            case Fatal():
                self.fatal_errors += 1
            case PasswordFailed(kind=kind):
                self.password_failures[prompts.password_kind(kind)] += 1
            case _:
                prompt = prompts.blocking_prompt(notification)
                if prompt is not None and prompt.prompt_kind in prompts.PROMPT_KINDS:
                    self.prompts[prompt.prompt_kind] += 1

    def _count_state(self, state: State) -> None:
        self.transitions[state.name.value] += 1
        if state.name is StateName.RECONNECTING:
            self.reconnects[reconnect_reason(state.description)] += 1

    def _count_line(self, line: LogLine) -> ConnectLine | None:
        """Count a line; return the connected client that it shows."""
        if is_management_line(line):
            return None
        self.log_messages[severity(line).value] += 1
        parsed = parse_line(line)
        if isinstance(parsed, ClientEnd):
            self._failures.forget(parsed.client)
        elif parsed is not None and not (
            self._is_trace(parsed.client, line.text) or self._is_repeated(parsed, line.time)
        ):
            self.log_events[parsed.event.name] += 1
        self._record_login(line, parsed)
        return parse_connect(line)

    def _record_login(self, line: LogLine, parsed: EventLine | ClientEnd | None) -> None:
        """Record the login in a line, or that a client was rejected or has gone."""
        login = parse_login(line)
        if login is not None:
            self._logins.add(login)
        elif isinstance(parsed, ClientEnd):
            self._logins.remove(parsed.client)
        elif parsed is not None and parsed.failure is not None:
            self._logins.reject(parsed.client, line.time)

    def _is_repeated(self, parsed: EventLine, time: int) -> bool:
        """Return whether the failure in a line is counted by an earlier line."""
        failure = parsed.failure
        return failure is not None and self._failures.is_repeated(parsed.client, failure, time)


class SeenEntries(Generic[_T]):
    """The last entries of a stream that were counted, as hashes.

    The daemon keeps the end of two streams, states (100 entries) and log lines (250 by default),
    and replies with it; in between, entries arrive one by one. Entries have no numbers and a
    resolution of one second, and several may be equal: a history is aligned with what was seen.
    """

    def __init__(self, limit: int) -> None:
        """Keep the last `limit` entries, more if the daemon's history is longer."""
        self._limit = limit
        self._seen = array("q")  # a deque takes more, even while it is empty
        self.initialised = False
        """Whether a history was read."""

    def add(self, entry: _T) -> None:
        """Record an entry that arrived in real time."""
        self._add((hash(entry),))

    def unseen(self, history: Sequence[_T]) -> Sequence[_T]:
        """Return the entries of the daemon's history that are new.

        The first history is the past: nothing of it is new.
        """
        hashes = [hash(entry) for entry in history]
        seen = list(self._seen)
        complete = len(seen) < self._limit
        known = overlap(seen, hashes, complete=complete) if self.initialised else len(history)
        self._limit = max(self._limit, len(hashes))
        self._add(hashes if not self.initialised else hashes[known:])
        self.initialised = True
        return history[known:]

    def restart(self) -> None:
        """Record that the daemon's process restarted: all of its next history is new."""
        del self._seen[:]

    def _add(self, hashes: Sequence[int]) -> None:
        self._seen.extend(hashes)
        del self._seen[: -self._limit]


def overlap(seen: Sequence[object], history: Sequence[object], *, complete: bool = True) -> int:
    """Return how many entries at the start of `history` are the last ones of `seen`.

    Of several alignments the longest counts: an entry too few rather than one counted twice.
    Unless `seen` is the `complete` stream so far, it may lie inside the history.
    """
    if not seen:
        return 0
    longest = min(len(seen), len(history)) if complete else len(history)
    lengths = _match_lengths(seen[::-1], history[::-1])
    for end in range(longest, 0, -1):
        if lengths[len(history) - end] >= min(len(seen), end):
            return end
    return 0


def _match_lengths(pattern: Sequence[object], text: Sequence[object]) -> Sequence[int]:
    """Return for each position of `text` how many entries of `pattern` begin there.

    This is the Z-algorithm: all comparisons together are linear.
    """
    joined = [*pattern, object(), *text]  # an object that equals no entry ends the pattern
    lengths = [0] * len(joined)
    start = end = 0  # the match that reaches farthest so far
    for position in range(1, len(joined)):
        length = min(end - position, lengths[position - start]) if position < end else 0
        while position + length < len(joined) and joined[length] == joined[position + length]:
            length += 1
        lengths[position] = length
        if position + length > end:
            start, end = position, position + length
    return lengths[len(pattern) + 1 :]


def _line_batches(lines: Sequence[LogLine]) -> Iterator[Sequence[LogLine]]:
    return batches(
        lines,
        lambda batch: sum(len(line.text) for line in batch),
        rows=_LINE_BATCH,
        limit=_LINE_BATCH_BYTES,
    )
