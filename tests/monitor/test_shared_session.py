"""The session as other management clients use it, without a daemon."""

import asyncio
import sys

import pytest

from exporter.management.commands import Command
from exporter.management.errors import ReplyError, ReplyTimeout
from exporter.management.messages import (
    ErrorReply,
    MultilineReply,
    Notification,
    Reply,
    SuccessReply,
)
from exporter.management.replies import MAX_LOG_LINES
from exporter.monitor import shared_session
from exporter.monitor.reply_cache import COMMA, CachedReply
from exporter.monitor.shared_session import SharedFacts, SharedSession

LIVE = SharedFacts(5, realtime=frozenset({"STATE", "LOG"}))
PID = SuccessReply(b"pid=1")


class RecordingTool:
    def __init__(self) -> None:
        self.realtime = frozenset({"STATE", "LOG"})
        self.lines: list[bytes] = []
        self.ends = 0

    def on_lines(self, lines: bytes) -> None:
        self.lines.append(lines)

    def on_close(self) -> None:
        self.ends += 1


async def opened(facts: SharedFacts = LIVE, *, max_age: float = 60.0) -> SharedSession:
    """Return a session with a daemon; a tool has asked for a reply before."""
    shared = SharedSession()
    shared.share(max_age)
    assert await shared.fetch(Command.PID) is None
    shared.open(facts, lambda: None)
    return shared


class Sender:
    """Sends commands: each gets the reply, or raises the error."""

    def __init__(self, shared: SharedSession, outcome: Reply | Exception) -> None:
        self._shared = shared
        self._outcome = outcome
        self.sent: list[Command] = []

    async def send(self, command: Command) -> Reply:
        self.sent.append(command)
        await asyncio.sleep(0)
        if isinstance(self._outcome, Exception):
            raise self._outcome
        self._shared.record(command, self._outcome)
        return self._outcome

    async def run(self, *, is_due: bool = False) -> None:
        await self._shared.send_requests(self.send, is_due=lambda: is_due)


async def waiting(
    shared: SharedSession, *commands: Command
) -> list[asyncio.Task[CachedReply | None]]:
    """Start to fetch these replies."""

    async def fetch(command: Command) -> CachedReply | None:
        fetched = await shared.fetch(command)
        return fetched.cached if fetched else None

    tasks = [asyncio.create_task(fetch(command)) for command in commands]
    await asyncio.sleep(0)
    return tasks


async def until_expired(shared: SharedSession, command: Command) -> None:
    """Record a reply, and wait until it is dropped."""
    shared.record(command, PID)
    assert shared.has(command)
    while shared.has(command):  # noqa: ASYNC110 -- no event is set
        await asyncio.sleep(0)


class TestFetch:
    async def test_a_reply_is_kept_whatever_it_was_sent_for(self) -> None:
        shared = await opened()
        shared.record(Command.PID, PID)
        fetched = await shared.fetch(Command.PID)
        assert fetched is not None
        assert not fetched.forwarded
        assert await fetched.cached.encode() == b"SUCCESS: pid=1\r\n"

    async def test_only_what_holds_for_the_session_is_kept_until_a_tool_asks(self) -> None:
        """The histories of all daemons are read at the start, and most have no tools."""
        shared = SharedSession()
        shared.share(60.0)
        shared.open(LIVE, lambda: None)
        for command in Command:
            shared.record(command, PID)
        kept = {command for command in Command if shared.has(command)}
        assert kept == {Command.PID, Command.VERSION}
        (task,) = await waiting(shared, Command.HOLD)
        await Sender(shared, PID).run()
        assert await task is not None
        shared.record(Command.VERB, PID)
        assert shared.has(Command.VERB)

    async def test_nothing_is_kept_unless_it_is_shared(self) -> None:
        shared = SharedSession()
        shared.record(Command.PID, PID)
        assert not shared.has(Command.PID)
        shared.share(60.0)
        shared.record(Command.PID, PID)
        assert shared.has(Command.PID)
        shared.share(None)
        assert not shared.has(Command.PID)

    async def test_an_old_reply_is_dropped_and_a_newer_one_stays(self) -> None:
        shared = await opened(max_age=0.0)
        shared.record(Command.HOLD, PID)
        shared.share(60.0)
        shared.record(Command.HOLD, PID)
        shared.share(0.0)
        await until_expired(shared, Command.VERB)
        assert shared.has(Command.HOLD)

    async def test_what_holds_for_the_whole_session_stays_but_behind_a_pass_through(self) -> None:
        shared = await opened(max_age=0.0)
        shared.record(Command.PID, PID)
        shared.record(Command.VERSION, PID)
        await until_expired(shared, Command.VERB)
        assert shared.has(Command.PID)
        assert shared.has(Command.VERSION)
        await until_expired(await opened(SharedFacts(5), max_age=0.0), Command.PID)

    async def test_one_command_serves_all_that_wait(self) -> None:
        shared = await opened()
        tasks = await waiting(shared, Command.PID, Command.PID, Command.VERB)
        sender = Sender(shared, PID)
        await sender.run()
        assert sender.sent == [Command.PID, Command.VERB]
        assert None not in await asyncio.gather(*tasks)

    async def test_a_poll_comes_first_and_serves_what_it_has_asked_for(self) -> None:
        shared = await opened()
        (task,) = await waiting(shared, Command.STATUS_3)
        sender = Sender(shared, PID)
        await sender.run(is_due=True)
        assert sender.sent == []
        shared.record(Command.STATUS_3, MultilineReply((b"x",)))
        reply = await task
        assert reply is not None
        assert reply.entries == (b"x",)

    async def test_a_command_that_had_to_let_a_poll_pass_is_sent_after_it(self) -> None:
        shared, woken = await opened(), []
        await waiting(shared, Command.PID)
        await Sender(shared, PID).run(is_due=True)
        shared.open(LIVE, lambda: woken.append(True))
        assert woken

    async def test_a_reply_of_another_form_is_none(self) -> None:
        shared = await opened()
        (task,) = await waiting(shared, Command.PID)
        await Sender(shared, ReplyError("another form")).run()
        assert await task is None

    async def test_a_timeout_is_passed_on_and_the_end_is_none(self) -> None:
        shared = await opened()
        (task,) = await waiting(shared, Command.PID)
        with pytest.raises(ReplyTimeout):
            await Sender(shared, ReplyTimeout("late")).run()
        shared.close()
        assert await task is None
        assert await shared.fetch(Command.PID) is None

    async def test_a_guest_that_leaves_takes_no_reply_from_another(self) -> None:
        shared = await opened()
        leaving, staying = await waiting(shared, Command.PID, Command.PID)
        leaving.cancel()
        await Sender(shared, PID).run()
        assert await staying is not None

    async def test_a_command_that_timed_out_is_not_sent_again_soon(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shared = await opened()
        (task,) = await waiting(shared, Command.LOG_ALL)
        with pytest.raises(ReplyTimeout):
            await Sender(shared, ReplyTimeout("late")).run()
        shared.close()
        shared.open(LIVE, lambda: None)
        assert await task is None
        assert await shared.fetch(Command.LOG_ALL) is None
        monkeypatch.setattr(shared_session, "TIMEOUT_PAUSE", 0.0)
        (task,) = await waiting(shared, Command.PID)
        with pytest.raises(ReplyTimeout):
            await Sender(shared, ReplyTimeout("late")).run()
        shared.close()
        shared.open(LIVE, lambda: None)
        while shared._timed_out != {Command.LOG_ALL}:  # noqa: ASYNC110 -- no event is set
            await asyncio.sleep(0)
        (task,) = await waiting(shared, Command.PID)
        await Sender(shared, PID).run()
        assert await task is not None

    async def test_a_status_that_does_not_end_is_not_asked_for(self) -> None:
        shared = await opened(SharedFacts(5, unanswered=frozenset({Command.STATUS_3})))
        assert await shared.fetch(Command.STATUS_3) is None


class TestRealTime:
    async def test_tools_get_what_is_shared(self) -> None:
        shared, tool = await opened(), RecordingTool()
        shared.attach(tool)
        for keyword in ("STATE", "LOG", "FATAL", "PASSWORD", "CLIENT", "INFO"):
            shared.notify(Notification(keyword, b"x"))
        await asyncio.sleep(0)
        assert tool.lines == [b">STATE:x\r\n>LOG:x\r\n>FATAL:x\r\n"]
        shared.notify(Notification("LOG", b"y"))
        shared.close()
        assert tool.lines[1:] == [b">LOG:y\r\n"]
        shared.notify(Notification("FATAL", b"x"))
        await asyncio.sleep(0)
        assert tool.lines[1:] == [b">LOG:y\r\n"]
        assert tool.ends == 1
        shared.detach(tool)
        shared.close()
        assert tool.ends == 1

    async def test_the_lines_of_one_read_are_passed_on_at_once(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shared, tool, flushes = await opened(), RecordingTool(), 0

        def flush() -> None:
            nonlocal flushes
            flushes += 1
            SharedSession.flush(shared)

        monkeypatch.setattr(shared, "flush", flush)
        shared.attach(tool)
        for _ in range(2):
            for _ in range(3):
                shared.notify(Notification("LOG", b"y"))
            await asyncio.sleep(0)
        assert tool.lines == [b">LOG:y\r\n" * 3] * 2
        assert flushes == 2

    async def test_tools_end_whose_messages_do_not_come_any_more(self) -> None:
        shared, tool, other = await opened(), RecordingTool(), RecordingTool()
        other.realtime = frozenset({"STATE"})
        shared.attach(tool)
        shared.attach(other)
        shared.open(SharedFacts(5, realtime=frozenset({"STATE"})), lambda: None)
        assert (tool.ends, other.ends) == (1, 0)

    async def test_a_history_goes_on(self) -> None:
        shared = await opened()
        shared.record(Command.STATE, MultilineReply((b"1",)))
        shared.record(Command.STATE_ALL, MultilineReply((b"0", b"1")))
        shared.notify(Notification("STATE", b"2"))
        entries = {}
        for command in (Command.STATE, Command.STATE_ALL):
            fetched = await shared.fetch(command)
            assert fetched is not None
            entries[command] = fetched.cached.entries
        assert entries == {Command.STATE: (b"2",), Command.STATE_ALL: (b"0", b"1", b"2")}


class TestCachedReply:
    def test_a_history_has_as_many_entries_as_the_daemon_keeps(self) -> None:
        states = CachedReply(Command.STATE_ALL, MultilineReply((b"x",) * 99))
        states.add(b"y")
        states.add(b"z")
        assert states.entries == (*(b"x",) * 98, b"y", b"z")
        log = CachedReply(Command.LOG_ALL, MultilineReply((b"x",) * 1000))
        log.add(b"y")
        assert log.entries == (*(b"x",) * 999, b"y")
        longest = CachedReply(Command.LOG_ALL, MultilineReply((b"x",) * (MAX_LOG_LINES + 1)))
        assert len(longest.entries) == MAX_LOG_LINES
        status = CachedReply(Command.STATUS_3, MultilineReply((b"x",) * (MAX_LOG_LINES + 1)))
        assert len(status.entries) == MAX_LOG_LINES + 1

    def test_a_flood_of_log_lines_is_not_kept(self) -> None:
        log = CachedReply(Command.LOG_ALL, MultilineReply((b"x",) * 10))
        first = bytes([1, 2, 3])
        references = sys.getrefcount(first)
        log.add(first)
        for _ in range(250):
            log.add(b"y")
        assert sys.getrefcount(first) == references
        assert log.entries == (b"y",) * 250

    async def test_status_2_is_status_3_with_commas(self) -> None:
        reply = CachedReply(Command.STATUS_3, MultilineReply((b"TITLE\tx", b"a\tb")))
        assert await reply.encode(COMMA) == b"TITLE,x\r\na,b\r\nEND\r\n"
        assert await reply.encode() == b"TITLE\tx\r\na\tb\r\nEND\r\n"
        statistics = CachedReply(Command.STATUS_3, MultilineReply((b"OpenVPN STATISTICS\tx",)))
        assert await statistics.encode(COMMA) == b"OpenVPN STATISTICS\tx\r\nEND\r\n"

    async def test_a_long_reply_is_encoded_once(self) -> None:
        reply = CachedReply(Command.STATUS_3, MultilineReply((b"x" * 100,) * 10_000))
        first, second = await asyncio.gather(reply.encode(), reply.encode())
        assert first is second
        assert first == b"x" * 100 + b"\r\n" + first[102:]
        assert len(first) == 10_000 * 102 + 5

    async def test_an_error(self) -> None:
        reply = CachedReply(Command.STATUS_3, ErrorReply(b"no"))
        assert await reply.encode() == b"ERROR: no\r\n"
        assert reply.entries == ()


@pytest.mark.parametrize("at", ["before", "while"])
async def test_what_tools_wait_for_ends_with_the_share(at: str) -> None:
    """Else its command would be sent again and again: no reply is kept any more."""
    shared, wakes = await opened(), list[None]()
    sender = Sender(shared, PID)
    (task,) = await waiting(shared, Command.PID)
    if at == "before":
        shared.share(None)
        await sender.run()
    else:
        running = asyncio.create_task(sender.run())
        await asyncio.sleep(0)
        shared.share(None)
        await running
    assert await task is None
    assert len(sender.sent) == (at == "while")
    (late,) = await waiting(shared, Command.PID)
    assert await late is None
    shared.open(LIVE, lambda: wakes.append(None))
    assert not wakes
