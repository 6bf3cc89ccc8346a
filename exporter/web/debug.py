"""The text of `/probe?debug=true`: the commands of a management session and their last replies.

It has no secrets. VPN clients are shown only if `/metrics` shows all of them, too. No reply of a
daemon whose clients are private is shown: any line may name one.
"""

from collections.abc import Iterator, Sequence

from exporter.config.schema import ClientsConfig
from exporter.management.commands import Command
from exporter.management.values import clean_bytes
from exporter.state.daemon import DaemonState
from exporter.transport.history import MAX_LINE_LENGTH, CommandHistory, HistoryEntry

_CLIENT_ROWS = (b"CLIENT_LIST", b"ROUTING_TABLE")
"""First words of the rows that name clients, in the status formats 2 and 3."""


def render_debug(
    daemon: DaemonState, history: CommandHistory, clients: ClientsConfig, *, now: float
) -> str:
    """Return the text; `now` is the event loop's time."""
    return "".join(f"{line}\n" for line in _lines(daemon, history, clients, now=now))


def _lines(
    daemon: DaemonState, history: CommandHistory, clients: ClientsConfig, *, now: float
) -> Iterator[str]:
    yield f"daemon: {daemon.name}"
    yield f"up: {f'yes, by {daemon.source.value}' if daemon.up else 'no'}"
    if daemon.down_reason is not None:
        yield f"down: {daemon.down_reason.value}: {daemon.down_message}"
    yield f"sessions: {daemon.management_connects}, polls: {daemon.polls}"
    if not daemon.has_management:
        yield "No management interface is configured, only a status file."
        return
    if daemon.pass_through:
        yield "pass-through: yes, another management client answers"
    for command, message in daemon.failed_commands.messages(daemon.privacy).items():
        yield f"failed: {command.text}: {message}"
    counts = sorted(history.notification_counts.items())
    messages = ", ".join(f"{keyword} {count}" for keyword, count in counts)
    yield f"real-time messages in this session (text not stored): {messages or 'none'}"
    yield ""
    if not history.entries:
        yield "No command was sent in this session yet."
    for entry in history.entries:
        yield f"> {entry.command.text}    ({now - entry.ended:.1f} s ago)"
        yield from _reply(entry, _visible_lines(entry, daemon, clients))


def _visible_lines(entry: HistoryEntry, daemon: DaemonState, clients: ClientsConfig) -> list[bytes]:
    """Return the lines of a reply that may be shown."""
    shows_clients = clients.series and clients.info
    if not daemon.privacy.shows_raw_text:
        return []
    if entry.command is Command.STATUS_1 and not shows_clients:
        return []
    return [line for line in entry.lines if shows_clients or not line.startswith(_CLIENT_ROWS)]


def _reply(entry: HistoryEntry, visible: Sequence[bytes]) -> Iterator[str]:
    for line in visible:
        # Tabs separate the fields of status format 3: a row can be copied.
        fields = [clean_bytes(field, MAX_LINE_LENGTH) for field in line.split(b"\t")]
        yield "< " + "\t".join(fields)
    seconds = entry.milliseconds / 1000
    if not entry.line_count:
        yield f"< (no complete reply after {seconds:.3f} s)"
        return
    omitted = entry.line_count - len(visible)
    if omitted:
        yield f"< ({omitted} more lines)"
    yield f"  ({entry.line_count} lines in {seconds:.3f} s)"
