"""What was said between us and a daemon, as text: the answer to `debug=true`.

No secret is in it. VPN clients are shown only where `/metrics` shows all of them as well, and no
reply of a daemon whose clients are private: any line may name one.
"""

from collections.abc import Iterator, Sequence

from exporter.config.schema import ClientsConfig
from exporter.management.commands import Command
from exporter.management.values import clean_bytes
from exporter.state.daemon import DaemonState
from exporter.transport.history import MAX_LINE_LENGTH, CommandHistory, HistoryEntry

_ROWS = (b"CLIENT_LIST", b"ROUTING_TABLE")
"""What rows of clients begin with, in the formats 2 and 3."""


def render_debug(
    record: DaemonState, history: CommandHistory, clients: ClientsConfig, *, now: float
) -> str:
    """Return what is known of the session; `now` is the event loop's time."""
    return "".join(f"{line}\n" for line in _lines(record, history, clients, now=now))


def _lines(
    record: DaemonState, history: CommandHistory, clients: ClientsConfig, *, now: float
) -> Iterator[str]:
    yield f"daemon: {record.name}"
    yield f"up: {f'yes, by {record.source.value}' if record.up else 'no'}"
    if record.down_reason is not None:
        yield f"down: {record.down_reason.value}: {record.down_message}"
    yield f"sessions: {record.management_connects}, polls: {record.polls}"
    if not record.has_management:
        yield "There is no management interface, only a status file: nothing is asked."
        return
    counts = sorted(history.notification_counts.items())
    messages = ", ".join(f"{keyword} {count}" for keyword, count in counts)
    yield f"real-time messages of this session (their text is not kept): {messages or 'none'}"
    yield ""
    if not history.entries:
        yield "Nothing was asked in this session yet."
    for entry in history.entries:
        yield f"> {entry.command.text}    ({now - entry.ended:.1f} s ago)"
        yield from _reply(entry, _shown(entry, record, clients))


def _shown(entry: HistoryEntry, record: DaemonState, clients: ClientsConfig) -> list[bytes]:
    """Return the lines of a reply that may be shown."""
    shows_clients = clients.series and clients.info
    if entry.command is Command.LOG_ALL or not record.privacy.shows_raw_text:
        return []
    if entry.command is Command.STATUS_1 and not shows_clients:
        return []
    return [line for line in entry.lines if shows_clients or not _tells_of_clients(line)]


def _reply(entry: HistoryEntry, shown: Sequence[bytes]) -> Iterator[str]:
    for line in shown:
        yield f"< {clean_bytes(line, MAX_LINE_LENGTH)}"
    if not entry.line_count:
        yield f"< (no complete reply after {entry.seconds:.3f} s)"
        return
    left_out = entry.line_count - len(shown)
    if left_out:
        yield f"< ({left_out} more lines)"
    yield f"  ({entry.line_count} lines in {entry.seconds:.3f} s)"


def _tells_of_clients(line: bytes) -> bool:
    return line.startswith(_ROWS)
