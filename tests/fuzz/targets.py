"""Fuzz targets: what must hold for any bytes that a daemon or a tool sends.

A target takes bytes and raises an exception if its property does not hold. Any fuzzer can call
it; the recordings under `tests/data/transcripts` are the seed corpus.
"""

import asyncio
import re
import zlib
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from exporter.config.share import ShareConfig, SharedEvent
from exporter.management import replies
from exporter.management.batches import run_batches
from exporter.management.commands import Command, ReplyKind
from exporter.management.errors import ProtocolError, ReplyError
from exporter.management.messages import (
    ErrorReply,
    Message,
    MultilineReply,
    Notification,
    SuccessReply,
)
from exporter.management.notifications import parse_notification
from exporter.management.protocol import LINE_COST, LINE_LIMIT, ManagementProtocol
from exporter.management.server.commands import CommandError
from exporter.management.server.protocol import READ_SIZE, Request, ServerProtocol
from exporter.management.server.replies import error
from exporter.management.status import StatusReader, parse_status
from exporter.monitor.reply_cache import CachedReply
from exporter.monitor.shared_session import FetchedReply, SharedFacts, SharedSession
from exporter.sharing.commands import ToolCommands
from tests.management.buffered import buffered

T = TypeVar("T")
Result = TypeVar("Result")

REPLY_LIMIT = 2048
# One reply, the line that breaks its cap, an incomplete line, and a block of variables.
BUFFER_LIMIT = REPLY_LIMIT + 2 * (LINE_LIMIT + LINE_COST)

_END = re.compile(rb"^END\r?\n", re.MULTILINE)


def fuzz_protocol(data: bytes) -> None:
    """Any bytes give messages or `ProtocolError`, the same ones in pieces of any size."""
    size = 1 + zlib.crc32(data) % 64
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    whole, in_pieces = receive_all([data]), receive_all(pieces)
    if whole.failed or in_pieces.failed:  # an error may come before the messages of its piece
        shared = min(len(whole.messages), len(in_pieces.messages))
        assert whole.messages[:shared] == in_pieces.messages[:shared]
    else:
        assert whole.messages == in_pieces.messages
    for message in in_pieces.messages:
        parse_message(message)


def fuzz_status(data: bytes) -> None:
    """Any statuses, each ended by `END`, read the same whether or not earlier ones are known."""
    reader = StatusReader()
    for reply in _END.split(data):
        lines = reply.splitlines()
        assert result_or_error(reader.read, lines) == result_or_error(parse_status, lines)


def fuzz_sharing(data: bytes) -> None:
    """Any bytes of a tool are answered in whole lines, and the daemon gets listed commands only."""
    shared = RecordedSession()
    protocol = ServerProtocol(management_version=5)
    commands = ToolCommands(shared, lambda: SHARE)
    received = data
    while not protocol.closed:
        while (event := protocol.next_event()) is not None:
            if isinstance(event, Request):
                protocol.reply(reply_or_error(commands, event.words))
        output = protocol.output()
        assert output.count(b"\n") == output.count(b"\r\n")
        assert output.endswith(b"\r\n") or not output
        if received:
            protocol.receive(received[:READ_SIZE])
            received = received[READ_SIZE:]
        else:
            protocol.receive_eof()
    assert shared.sent <= SENDABLE


TARGETS: dict[str, Callable[[bytes], None]] = {
    "protocol": fuzz_protocol,
    "status": fuzz_status,
    "sharing": fuzz_sharing,
}

SENDABLE = frozenset(
    {
        *(b"version\n", b"pid\n", b"state\n", b"state all\n", b"log all\n", b"status 1\n"),
        *(b"status 3\n", b"load-stats\n", b"verb\n", b"hold\n"),
    }
)
"""All bytes that a tool can cause to be sent to a daemon."""

LOOP = asyncio.new_event_loop()

SHARE = ShareConfig(listen=(), events=tuple(SharedEvent))


class RecordedSession(SharedSession):
    """A session whose daemon answers each command at once; `sent` has what it was sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: set[bytes] = set()
        self.open(SharedFacts(5, realtime=frozenset({"STATE", "LOG"})), wake=lambda: None)

    async def fetch(self, command: Command) -> FetchedReply | None:
        self.sent.add(ManagementProtocol().send_command(command))
        reply = (
            SuccessReply(command.text.encode())
            if command.reply is ReplyKind.LINE
            else MultilineReply((b"TITLE\tx", b"y"))
        )
        return FetchedReply(CachedReply(command, reply), forwarded=True)


def reply_or_error(commands: ToolCommands, words: Sequence[str]) -> bytes:
    """Return the reply to a command."""
    try:
        return bytes(LOOP.run_until_complete(commands.reply(words)))
    except CommandError as refused:
        return error(str(refused))


class Received(NamedTuple):
    messages: list[Message]
    failed: bool


def receive_all(pieces: Sequence[bytes]) -> Received:
    """Return the messages of a session that comes in these pieces."""
    protocol = ManagementProtocol(reply_limit=REPLY_LIMIT)
    messages: list[Message] = []
    failed = False
    try:
        for piece in pieces:
            messages += protocol.receive_data(piece)
            assert buffered(protocol) <= BUFFER_LIMIT
    except ProtocolError:
        failed = True
    messages += protocol.receive_eof()
    assert buffered(protocol) == 0
    return Received(messages, failed)


def parse_message(message: Message) -> None:
    """Parse a message in every way in which the exporter may parse it."""
    match message:
        case Notification():
            parse_notification(message)
        case MultilineReply(lines):
            for parse in (
                parse_status,
                replies.parse_version,
                replies.parse_states,
                lambda lines: run_batches(replies.parse_log_cache(lines)),
            ):
                result_or_error(parse, lines)
        case SuccessReply(text) | ErrorReply(text):
            for parse_line in (
                replies.parse_pid,
                replies.parse_verb,
                replies.parse_hold,
                replies.parse_load_stats,
            ):
                result_or_error(parse_line, text)
        case _:
            pass


def result_or_error(parse: Callable[[T], Result], text: T) -> Result | str:
    """Return what `parse` makes of a text; of its errors, `ReplyError` alone is right."""
    try:
        return parse(text)
    except ReplyError as error:
        return str(error)
