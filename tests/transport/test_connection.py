"""Commands, replies and real-time messages of an open session, over a real socket."""

import asyncio
from collections import Counter
from collections.abc import Generator, Iterable

import pytest

from exporter.management.batches import MAX_LINES
from exporter.management.commands import Command
from exporter.management.errors import ManagementError, ProtocolError, ReplyTimeout, SessionClosed
from exporter.management.messages import (
    ErrorReply,
    Message,
    MultilineReply,
    Notification,
    Reply,
    SuccessReply,
)
from exporter.management.protocol import ManagementProtocol
from exporter.transport.connection import Connection
from tests.fake_daemon import REPLIES, STATUS_1, STATUS_3, TEST_TIMEOUT, FakeSession
from tests.transport.sessions import SHORT, ended, session

HOLD = b"SUCCESS: hold=0"
LOAD_STATS = b"SUCCESS: nclients=1,bytesin=3005,bytesout=3148"
LOG = b">LOG:1795404638,I,a line"


async def ask(connection: Connection, command: Command) -> Reply:
    async with asyncio.timeout(TEST_TIMEOUT):
        return await connection.request(command)


async def request_timeout(connection: Connection, daemon: FakeSession, command: Command) -> None:
    """Send a request that gets no complete reply in time."""
    with pytest.raises(ReplyTimeout):
        await ask(connection, command)
    assert await daemon.read_line() == command.text.encode()


async def test_every_command_gets_its_reply() -> None:
    async with session() as (connection, daemon):
        for command in set(Command) - {Command.QUIT}:
            asking = asyncio.create_task(ask(connection, command))
            line = await daemon.read_line()
            daemon.send_lines(*REPLIES[line])
            match await asking:
                case SuccessReply(text=text):
                    assert REPLIES[line] == (b"SUCCESS: " + text,)
                case MultilineReply(lines=lines):
                    assert REPLIES[line] == (*lines, b"END")
                case ErrorReply():
                    pytest.fail("nothing failed")


async def test_an_error_is_a_reply_to_any_command() -> None:
    async with session() as (connection, daemon):
        for command in (Command.STATUS_3, Command.PID):
            asking = asyncio.create_task(ask(connection, command))
            await daemon.read_line()
            daemon.send_lines(b"ERROR: not now")
            assert await asking == ErrorReply(b"not now")


@pytest.mark.parametrize(
    ("command", "reply"), [(Command.PID, STATUS_3), (Command.STATUS_3, (HOLD,))]
)
async def test_a_reply_of_another_form_is_a_protocol_error(
    command: Command, reply: tuple[bytes, ...]
) -> None:
    async with session() as (connection, daemon):
        asking = asyncio.create_task(ask(connection, command))
        await daemon.read_line()
        daemon.send_lines(*reply)
        with pytest.raises(ProtocolError, match=command.text):
            await asking


async def test_requests_of_several_tasks_are_sent_one_at_a_time_in_their_order() -> None:
    async with session() as (connection, daemon):
        commands = [Command.LOAD_STATS, Command.STATUS_3, Command.PID, Command.HOLD, Command.VERB]
        asking = [asyncio.create_task(ask(connection, command)) for command in commands]
        for command in commands:
            line = await daemon.read_line()
            assert line == command.text.encode()
            # No other command comes before this one is answered.
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.02):
                    await daemon.read_line()
            daemon.send_lines(*REPLIES[line])
        replies = await asyncio.gather(*asking)
    assert replies[0] == SuccessReply(b"nclients=1,bytesin=3005,bytesout=3148")
    assert replies[1] == MultilineReply(STATUS_3[:-1])
    assert replies[2:] == [
        SuccessReply(b"pid=4711"),
        SuccessReply(b"hold=0"),
        SuccessReply(b"verb=3"),
    ]


async def test_messages_before_within_and_after_a_reply_reach_every_subscriber_in_order() -> None:
    first: list[Notification] = []
    second: asyncio.Queue[Notification] = asyncio.Queue()
    async with session() as (connection, daemon):
        connection.subscribe(first.append)
        connection.subscribe(second.put_nowait)
        daemon.send_lines(b">LOG:0,,between replies")
        asking = asyncio.create_task(ask(connection, Command.STATUS_3))
        await daemon.read_line()
        daemon.send_lines(b">LOG:1,,before", STATUS_3[0], b">LOG:2,,within", *STATUS_3[1:])
        daemon.send_lines(b">LOG:3,,after")
        assert await asking == MultilineReply(STATUS_3[:-1])
        payloads = [(await second.get()).payload for _ in range(4)]
    assert payloads == [b"0,,between replies", b"1,,before", b"2,,within", b"3,,after"]
    assert [notification.payload for notification in first] == payloads


async def test_notifications_are_read_without_a_request() -> None:
    noticed: asyncio.Queue[Notification] = asyncio.Queue()
    async with session() as (connection, daemon):
        connection.subscribe(noticed.put_nowait)
        for number in range(3):
            daemon.send_lines(b">ECHO:%d,x" % number)
            async with asyncio.timeout(TEST_TIMEOUT):
                assert (await noticed.get()).payload == b"%d,x" % number


async def test_a_burst_of_messages_yields_to_other_tasks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("exporter.aio._TURN", 0)
    monkeypatch.setattr("exporter.transport.connection._MAX_MESSAGES", 10)
    turn, heard, all_heard = 0, Counter[int](), asyncio.Event()

    async def count_turns() -> None:
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    def subscriber(_: Notification) -> None:
        heard[turn] += 1
        if heard.total() == 1000:
            all_heard.set()

    async with session() as (connection, daemon):
        connection.subscribe(subscriber)
        counting = asyncio.create_task(count_turns())
        daemon.send_lines(*[LOG] * 1000)
        async with asyncio.timeout(TEST_TIMEOUT):
            await all_heard.wait()
        counting.cancel()
    assert max(heard.values()) == 10


async def longest_turn(sent: bytes, last: bytes) -> Counter[str]:
    """Return the most lines and bytes that a subscriber gets in one pass of the event loop."""
    turn, heard, all_heard = 0, dict[int, Counter[str]](), asyncio.Event()

    async def count_turns() -> None:
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    def subscriber(message: Notification) -> None:
        size = len(message.payload)
        heard.setdefault(turn, Counter()).update(messages=1, size=size)
        if last in message.payload:
            all_heard.set()

    async with session() as (connection, daemon):
        connection.subscribe(subscriber)
        counting = asyncio.create_task(count_turns())
        daemon.send_bytes(sent)
        daemon.send_lines(b">LOG:1,," + last)
        async with asyncio.timeout(TEST_TIMEOUT):
            await all_heard.wait()
        counting.cancel()
    return Counter(
        {name: max(each[name] for each in heard.values()) for name in ("messages", "size")}
    )


async def test_long_messages_yield_to_other_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exporter.aio._TURN", 0)
    line = b">LOG:1,," + b"x" * 16_000 + b"\r\n"
    assert (await longest_turn(line * 200, b"the end"))["size"] <= 64 * 1024


async def test_empty_lines_yield_to_other_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes, done = [], asyncio.Event()
    receive = ManagementProtocol.receive_data

    def record(
        protocol: ManagementProtocol, data: bytes, line_ends: int | None = None
    ) -> list[Message]:
        sizes.append(data.count(b"\n"))
        return receive(protocol, data, line_ends)

    monkeypatch.setattr(ManagementProtocol, "receive_data", record)
    async with session() as (connection, daemon):
        connection.subscribe(lambda _: done.set())
        daemon.send_bytes(b"\n" * 500_000)
        daemon.send_lines(LOG)
        async with asyncio.timeout(TEST_TIMEOUT):
            await done.wait()
        assert connection.pop_unparsed() == 500_000
    assert max(sizes) <= MAX_LINES


async def test_lines_that_are_no_reply_and_no_log_line_are_reported() -> None:
    done, lines, sizes = asyncio.Event(), 0, 0

    def count(number: int, size: int) -> None:
        nonlocal lines, sizes
        lines, sizes = lines + number, sizes + size

    async with session() as (connection, daemon):
        connection.on_other_lines = count
        connection.subscribe(lambda message: done.set() if message.keyword == "FATAL" else None)
        asking = asyncio.create_task(ask(connection, Command.STATUS_3))
        await daemon.read_line()
        daemon.send_lines(*[LOG] * 10, *STATUS_3)
        await asking
        assert lines == 0
        daemon.send_lines(
            b"", b">CLIENT:ENV,a=b", b"SUCCESS: x", b"one", b"two", b"END", b">FATAL:x"
        )
        async with asyncio.timeout(TEST_TIMEOUT):
            await done.wait()
    assert lines == 6
    assert sizes == len(b">CLIENT:ENV,a=bSUCCESS: xonetwo>FATAL:x")


async def test_an_exception_of_a_subscriber_ends_the_session_and_is_reported() -> None:
    def stumble(_: Notification) -> None:
        raise ZeroDivisionError

    async with session() as (connection, daemon):
        connection.subscribe(stumble)
        asking = asyncio.create_task(ask(connection, Command.PID))
        await daemon.read_line()
        daemon.send_lines(LOG)
        with pytest.raises(ZeroDivisionError):
            await asking
        await ended(connection)
        assert isinstance(connection.error, ZeroDivisionError)


async def test_unsolicited_replies_are_counted_as_unparsed() -> None:
    noticed: asyncio.Queue[Notification] = asyncio.Queue()
    async with session() as (connection, daemon):
        connection.subscribe(noticed.put_nowait)
        daemon.send_lines(b"SUCCESS: pid=1", b"ERROR: what", *STATUS_3, LOG)
        await noticed.get()  # all of it has been read
        assert connection.pop_unparsed() == 3
        asking = asyncio.create_task(ask(connection, Command.PID))
        await daemon.read_line()
        daemon.send_lines(b"SUCCESS: pid=4711")
        assert await asking == SuccessReply(b"pid=4711")
        assert connection.pop_unparsed() == 0


async def test_unexpected_lines_are_counted_once() -> None:
    noticed: asyncio.Queue[Notification] = asyncio.Queue()
    async with session() as (connection, daemon):
        connection.subscribe(noticed.put_nowait)
        daemon.send_lines(b"", b">no colon", b"half", b"a listing", b"SUCCESS: pid=1", LOG)
        await noticed.get()
        assert connection.pop_unparsed() == 5
        assert connection.pop_unparsed() == 0


@pytest.mark.parametrize("cut", [b"SUCCESS: pid=47", b"SUCCESS: pid=4711"])
async def test_a_line_cut_by_the_end_of_the_session_is_no_reply(cut: bytes) -> None:
    async with session() as (connection, daemon):
        asking = asyncio.create_task(ask(connection, Command.PID))
        await daemon.read_line()
        daemon.send_bytes(cut)
        daemon.close()
        with pytest.raises(SessionClosed):
            await asking
        assert connection.pop_unparsed() == 1


@pytest.mark.parametrize("end", [b"", b"EN", b"END"])
async def test_a_multiline_reply_cut_by_the_end_of_the_session_is_no_reply(end: bytes) -> None:
    async with session() as (connection, daemon):
        asking = asyncio.create_task(ask(connection, Command.STATUS_3))
        await daemon.read_line()
        daemon.send_lines(*STATUS_3[:-1])
        daemon.send_bytes(end)
        daemon.close()
        with pytest.raises(SessionClosed):
            await asking
        assert connection.pop_unparsed() == len(STATUS_3) - 1 + bool(end)


async def test_a_reset_ends_the_session_as_a_close_does() -> None:
    async with session() as (connection, daemon):
        asking = asyncio.create_task(ask(connection, Command.STATUS_3))
        await daemon.read_line()
        daemon.reset()
        with pytest.raises(SessionClosed):
            await asking


async def test_a_request_that_waits_for_another_fails_at_the_end_of_the_session() -> None:
    async with session() as (connection, daemon):
        asking = [asyncio.create_task(ask(connection, Command.PID)) for _ in range(3)]
        await daemon.read_line()
        daemon.close()
        ends = await asyncio.gather(*asking, return_exceptions=True)
        assert [type(end) for end in ends] == [SessionClosed] * 3
        with pytest.raises(SessionClosed):
            await ask(connection, Command.PID)
        assert daemon.received == [b"pid"]


async def test_the_end_of_the_session_is_known_without_a_request() -> None:
    async with session() as (connection, daemon):
        assert connection.error is None
        daemon.close()
        await ended(connection)
        assert isinstance(connection.error, SessionClosed)


async def test_on_reply_is_called_between_the_messages_around_the_reply() -> None:
    seen: list[object] = []

    def on_reply(reply: Reply) -> Generator[None, None, None]:
        yield
        seen.append(reply)
        yield

    async with session() as (connection, daemon):
        connection.subscribe(lambda notification: seen.append(notification.payload))
        asking = asyncio.create_task(connection.request(Command.HOLD, on_reply=on_reply))
        await daemon.read_line()
        daemon.send_lines(b">LOG:1,,before", HOLD, b">LOG:2,,after")
        reply = await asking
    assert seen == [b"1,,before", reply, b"2,,after"]


async def test_on_reply_is_not_called_for_a_request_that_has_timed_out() -> None:
    noticed: asyncio.Queue[Notification] = asyncio.Queue()
    seen: list[Reply] = []

    def on_reply(reply: Reply) -> Iterable[None]:
        seen.append(reply)
        return ()

    async with session(deadline=SHORT) as (connection, daemon):
        connection.subscribe(noticed.put_nowait)
        with pytest.raises(ReplyTimeout):
            await connection.request(Command.HOLD, on_reply=on_reply)
        await daemon.read_line()
        daemon.send_lines(HOLD, LOG)
        await noticed.get()
        assert seen == []


async def test_exceeding_a_limit_ends_the_session() -> None:
    async with session() as (connection, daemon):
        asking = asyncio.create_task(ask(connection, Command.PID))
        await daemon.read_line()
        daemon.send_bytes(b"x" * 100_000)
        with pytest.raises(ProtocolError):
            await asking
        assert isinstance(connection.error, ProtocolError)


async def test_a_reply_after_its_timeout_answers_no_other_request() -> None:
    async with session(deadline=SHORT) as (connection, daemon):
        await request_timeout(connection, daemon, Command.HOLD)
        daemon.send_lines(HOLD)
        resynchronising = asyncio.create_task(connection.resynchronise())
        assert await daemon.read_line() == b"pid"
        daemon.send_lines(b"SUCCESS: pid=4711")
        await resynchronising
        asking = asyncio.create_task(ask(connection, Command.VERB))
        await daemon.read_line()
        daemon.send_lines(b"SUCCESS: verb=4")
        assert await asking == SuccessReply(b"verb=4")
        assert connection.pop_unparsed() == 0


async def test_a_multiline_reply_without_end_is_dropped_when_pid_is_answered() -> None:
    async with session(deadline=SHORT) as (connection, daemon):
        asking = asyncio.create_task(ask(connection, Command.STATUS_3))
        await daemon.read_line()
        daemon.send_lines(*STATUS_3[:3])
        with pytest.raises(ReplyTimeout):
            await asking
        resynchronising = asyncio.create_task(connection.resynchronise())
        assert await daemon.read_line() == b"pid"
        daemon.send_lines(b"SUCCESS: pid=4711")
        await resynchronising
        asking = asyncio.create_task(ask(connection, Command.STATUS_1))
        assert await daemon.read_line() == b"status 1"
        daemon.send_lines(*STATUS_1)
        assert await asking == MultilineReply(STATUS_1[:-1])
        assert connection.pop_unparsed() == 3


async def test_late_replies_to_pid_do_not_answer_the_next_pid() -> None:
    async with session(deadline=SHORT) as (connection, daemon):
        await request_timeout(connection, daemon, Command.STATUS_3)
        for _ in range(3):
            with pytest.raises(ReplyTimeout):
                await connection.resynchronise()
            assert await daemon.read_line() == b"pid"
        resynchronising = asyncio.create_task(connection.resynchronise())
        assert await daemon.read_line() == b"pid"
        # The daemon resumes and answers all commands.
        daemon.send_lines(*STATUS_3, *[b"SUCCESS: pid=%d" % number for number in range(4)])
        await resynchronising
        asking = asyncio.create_task(ask(connection, Command.PID))
        await daemon.read_line()
        daemon.send_lines(b"SUCCESS: pid=4711")
        assert await asking == SuccessReply(b"pid=4711")


async def test_resynchronising_waits_for_the_last_pid() -> None:
    noticed: asyncio.Queue[Notification] = asyncio.Queue()
    async with session(deadline=SHORT) as (connection, daemon):
        connection.subscribe(noticed.put_nowait)
        await request_timeout(connection, daemon, Command.PID)
        resynchronising = asyncio.create_task(connection.resynchronise())
        await daemon.read_line()
        daemon.send_lines(b"SUCCESS: pid=1", LOG)
        await noticed.get()
        assert not resynchronising.done()
        daemon.send_lines(b"SUCCESS: pid=2")
        await resynchronising


async def test_a_late_reply_and_a_timeout_after_it_leave_nothing_pending() -> None:
    async with session(deadline=SHORT) as (connection, daemon):
        for _ in range(2):
            await request_timeout(connection, daemon, Command.LOAD_STATS)
            with pytest.raises(ReplyTimeout):
                await connection.resynchronise()
            assert await daemon.read_line() == b"pid"
            daemon.send_lines(LOAD_STATS, b"SUCCESS: pid=1")
            resynchronising = asyncio.create_task(connection.resynchronise())
            assert await daemon.read_line() == b"pid"
            daemon.send_lines(b"SUCCESS: pid=2")
            await resynchronising
        assert connection.pop_unparsed() == 0


async def test_the_reply_to_a_cancelled_request_answers_no_other() -> None:
    async with session() as (connection, daemon):
        given_up = asyncio.create_task(ask(connection, Command.HOLD))
        assert await daemon.read_line() == b"hold"
        given_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given_up
        asking = asyncio.create_task(ask(connection, Command.VERB))
        assert await daemon.read_line() == b"verb"
        daemon.send_lines(HOLD, b"SUCCESS: verb=4")
        assert await asking == SuccessReply(b"verb=4")


async def test_a_reply_that_comes_as_its_request_is_cancelled_is_dropped() -> None:
    noticed: asyncio.Queue[Notification] = asyncio.Queue()
    async with session() as (connection, daemon):
        connection.subscribe(noticed.put_nowait)
        given_up = asyncio.create_task(ask(connection, Command.HOLD))
        assert await daemon.read_line() == b"hold"
        given_up.cancel()
        daemon.send_lines(HOLD, LOG)
        await noticed.get()
        asking = asyncio.create_task(ask(connection, Command.VERB))
        assert await daemon.read_line() == b"verb"
        daemon.send_lines(b"SUCCESS: verb=4")
        assert await asking == SuccessReply(b"verb=4")


async def test_a_request_cancelled_before_it_is_sent_is_not_sent() -> None:
    async with session() as (connection, daemon):
        first = asyncio.create_task(ask(connection, Command.HOLD))
        assert await daemon.read_line() == b"hold"
        second = asyncio.create_task(ask(connection, Command.PID))
        await asyncio.sleep(0)
        second.cancel()
        daemon.send_lines(HOLD)
        await first
        third = asyncio.create_task(ask(connection, Command.VERB))
        assert await daemon.read_line() == b"verb"
        daemon.send_lines(b"SUCCESS: verb=3")
        assert await third == SuccessReply(b"verb=3")


async def test_errors_name_the_address() -> None:
    async with session(deadline=SHORT) as (connection, _):
        with pytest.raises(ManagementError, match=f"^{connection.peer}: "):
            await ask(connection, Command.PID)


async def test_no_task_waits_for_the_next_bytes() -> None:
    """With its frames it would take 1 KiB for each daemon."""
    before = asyncio.all_tasks()
    async with session() as (connection, daemon):
        asking = asyncio.create_task(ask(connection, Command.PID))
        await daemon.read_line()
        daemon.send_lines(b"SUCCESS: pid=4711")
        assert await asking == SuccessReply(b"pid=4711")
        assert not [
            task for task in asyncio.all_tasks() - before if task.get_name().startswith("read ")
        ]
