"""What was said between us and a daemon, as text: the answer to `debug=true`.

No secret is in it. VPN clients are shown only where `/metrics` shows all of them as well, and no
reply of a daemon whose clients are private: any line may name one.
"""

from collections.abc import Iterator, Sequence

from exporter.config.schema import ClientsConfig
from exporter.management.commands import Command
from exporter.management.values import clean_bytes
from exporter.state.daemon import DaemonState
from exporter.transport.history import LENGTH, CommandHistory, HistoryEntry

_ROWS = (b"CLIENT_LIST", b"ROUTING_TABLE")
"""What rows of clients begin with, in the formats 2 and 3."""


def render_debug(
    record: DaemonState, dialogue: CommandHistory, clients: ClientsConfig, *, now: float
) -> str:
    """Return what is known of the session; `now` is the event loop's time."""
    return "".join(f"{line}\n" for line in _lines(record, dialogue, clients, now=now))


def _lines(
    record: DaemonState, dialogue: CommandHistory, clients: ClientsConfig, *, now: float
) -> Iterator[str]:
    yield f"daemon: {record.name}"
    yield f"up: {f'yes, by {record.source.value}' if record.up else 'no'}"
    if record.down_reason is not None:
        yield f"down: {record.down_reason.value}: {record.down_message}"
    yield f"sessions: {record.management_connects}, polls: {record.polls}"
    if not record.has_management:
        yield "There is no management interface, only a status file: nothing is asked."
        return
    heard = ", ".join(f"{source} {count}" for source, count in sorted(dialogue.heard.items()))
    yield f"real-time messages of this session (their text is not kept): {heard or 'none'}"
    yield ""
    if not dialogue.exchanges:
        yield "Nothing was asked in this session yet."
    for exchange in dialogue.exchanges:
        yield f"> {exchange.command.text}    ({now - exchange.ended:.1f} s ago)"
        yield from _reply(exchange, _shown(exchange, record, clients))


def _shown(exchange: HistoryEntry, record: DaemonState, clients: ClientsConfig) -> list[bytes]:
    """Return the lines of a reply that may be shown."""
    shows_clients = clients.series and clients.info
    if exchange.command is Command.LOG_ALL or not record.privacy.shows_raw_text:
        return []
    if exchange.command is Command.STATUS_1 and not shows_clients:
        return []
    return [line for line in exchange.lines if shows_clients or not _tells_of_clients(line)]


def _reply(exchange: HistoryEntry, shown: Sequence[bytes]) -> Iterator[str]:
    for line in shown:
        yield f"< {clean_bytes(line, LENGTH)}"
    if not exchange.line_count:
        yield f"< (no complete reply after {exchange.seconds:.3f} s)"
        return
    left_out = exchange.line_count - len(shown)
    if left_out:
        yield f"< ({left_out} more lines)"
    yield f"  ({exchange.line_count} lines in {exchange.seconds:.3f} s)"


def _tells_of_clients(line: bytes) -> bool:
    return line.startswith(_ROWS)
