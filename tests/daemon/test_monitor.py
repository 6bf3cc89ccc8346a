"""A monitor at work: each state of a daemon is made over a real socket."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from exporter.daemon import monitor as monitor_module
from exporter.daemon.monitor import PATIENCE
from exporter.daemon.poll import STATUS_1_POLLS
from exporter.daemon.record import Record
from exporter.management.commands import Command
from exporter.management.endpoint import Endpoint, ListenEndpoint, TcpEndpoint, UnixEndpoint
from exporter.management.errors import DownReason
from exporter.management.state import StateName
from tests.daemon.journal import Journal
from tests.daemon.watching import SHORT, monitor, running, watching
from tests.peers import (
    ANSWERS,
    GREETING,
    PROMPT,
    SAFETY,
    STATUS_1,
    STATUS_3,
    Peer,
    Visit,
    dial_in,
    free_port,
    peer,
)

NOT_IN_THIS_MODE = b"ERROR: The 'status' command is not supported by the current daemon mode"


async def is_down(endpoint: Endpoint, journal: Journal, *, timeout: float = SAFETY) -> DownReason:
    """Watch until the first failure; return the reason, which the record must have as well."""
    async with watching(endpoint, timeout=timeout) as record:
        said = await journal.reads_down()
        assert not record.up
        assert not record.management_up
        assert record.down_reason is not None
        assert record.down_reason.value == said
        assert record.down_message
        return record.down_reason


async def polled_times(daemon: Peer, times: int) -> None:
    visit = await daemon.greeted()
    await visit.polls(times)


# Up.


async def test_a_daemon_that_answers_is_up(journal: Journal) -> None:
    async with peer() as daemon, watching(daemon.endpoint) as record:
        visit = await daemon.greeted()
        await visit.polls(3)
        assert (record.up, record.management_up, record.down_reason) == (True, True, None)
        assert record.connects == 1
        assert record.polls >= 2
        assert record.state is not None
        assert record.state.name is StateName.CONNECTED
        assert record.ledger.received_bytes == 3005
    assert journal.messages.count("daemon is up") == 1
    assert "daemon is down" not in journal.messages


async def test_a_unix_socket_is_watched_as_well(tmp_path: Path, journal: Journal) -> None:
    async with peer(tmp_path / "office.sock") as daemon, watching(daemon.endpoint) as record:
        await polled_times(daemon, 2)
        assert record.up


async def test_what_a_daemon_introduces_itself_with_is_asked_once_a_session() -> None:
    async with peer() as daemon, watching(daemon.endpoint):
        visit = await daemon.greeted()
        await visit.polls(4)
        once = {b"version", b"pid", b"verb", b"hold", b"state on", b"state all"}
        assert {line: visit.heard.count(line) for line in once} == dict.fromkeys(once, 1)


async def test_a_real_time_message_changes_the_state_between_polls() -> None:
    async with peer() as daemon, watching(daemon.endpoint) as record:
        visit = await daemon.greeted()
        await visit.polls(1)
        visit.says(b">STATE:1795405990,RECONNECTING,ping-restart,,,,,")
        await visit.polls(2)
        assert record.state is not None
        assert record.state.name is StateName.RECONNECTING


async def test_the_state_is_asked_for_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor_module, "STATE_INTERVAL", 0.0)
    async with peer() as daemon, watching(daemon.endpoint):
        visit = await daemon.greeted()
        await visit.polls(3)
        assert visit.heard.count(b"state") == 2
        assert visit.heard.count(b"state all") == 1


async def test_a_daemon_without_a_status_is_up_without_server_metrics() -> None:
    async with peer() as daemon, watching(daemon.endpoint) as record:
        visit = await daemon.greeted()
        await visit.polls(2, answers={**ANSWERS, b"status 3": (NOT_IN_THIS_MODE,)})
        await visit.answers(until=b"load-stats")
        assert record.up
        assert record.status is None
        assert record.poll_failures.total() == 0


async def test_lines_that_nobody_understands_are_counted() -> None:
    async with peer() as daemon, watching(daemon.endpoint) as record:
        visit = await daemon.greeted()
        await visit.polls(1)
        visit.says(b"SUCCESS: nobody asked")
        await visit.polls(2)
        assert record.unparsed_lines == 1


# Down, and why.


async def test_refused(journal: Journal) -> None:
    endpoint = TcpEndpoint("127.0.0.1", free_port())
    assert await is_down(endpoint, journal) is DownReason.REFUSED


async def test_not_found(tmp_path: Path, journal: Journal) -> None:
    endpoint = UnixEndpoint(str(tmp_path / "office.sock"))
    assert await is_down(endpoint, journal) is DownReason.NOT_FOUND


async def test_unreachable(journal: Journal) -> None:
    endpoint = TcpEndpoint("127.255.255.255", 7505)  # loopback's broadcast: no packet leaves
    assert await is_down(endpoint, journal) is DownReason.UNREACHABLE


async def test_a_port_to_listen_at_that_is_taken_is_unreachable(journal: Journal) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        endpoint = ListenEndpoint(*other.getsockname())
        assert await is_down(endpoint, journal) is DownReason.UNREACHABLE


@contextlib.asynccontextmanager
async def watched(
    journal: Journal, reason: str, *, timeout: float = SAFETY
) -> AsyncIterator[Visit]:
    """Give the first visit of a monitor that must find the daemon down for `reason`."""
    async with peer() as daemon, watching(daemon.endpoint, timeout=timeout) as record:
        yield await daemon.visit()
        assert await journal.reads_down() == reason
        assert record.down_reason is not None
        assert record.down_reason.value == reason
        assert not record.up


async def test_closed_before_a_byte_means_permission(journal: Journal) -> None:
    async with watched(journal, "permission") as visit:
        visit.hangs_up()


async def test_silent_after_accepting_means_busy(journal: Journal) -> None:
    async with watched(journal, "busy", timeout=SHORT):
        pass


async def test_silent_in_the_middle_of_a_session_means_timeout(journal: Journal) -> None:
    async with watched(journal, "timeout", timeout=SHORT) as visit:
        visit.says(GREETING)
        await visit.answers(until=b"load-stats")


async def test_a_password_without_a_file_means_auth(journal: Journal) -> None:
    async with watched(journal, "auth") as visit:
        visit.sends(PROMPT)


async def test_another_protocol_means_protocol(journal: Journal) -> None:
    async with watched(journal, "protocol") as visit:
        visit.says(b"SSH-2.0-OpenSSH_9.2p1 Debian-2")


async def test_a_reply_that_says_something_else_means_protocol(journal: Journal) -> None:
    async with watched(journal, "protocol") as visit:
        visit.says(GREETING)
        await visit.answers(until=b"load-stats")
        visit.says(b"SUCCESS: all is well")


async def test_an_end_in_the_middle_of_a_reply_means_closed(journal: Journal) -> None:
    async with watched(journal, "closed") as visit:
        visit.says(GREETING)
        await visit.answers(until=b"status 3")
        visit.says(*STATUS_3[:-1])
        visit.hangs_up()


async def test_an_end_between_polls_means_closed_at_once(journal: Journal) -> None:
    async with peer() as daemon, watching(daemon.endpoint, interval=3600) as record:
        visit = await daemon.greeted()
        await visit.polls(1)
        await journal.reads_up()
        visit.hangs_up()
        assert await journal.reads_down() == "closed"
        assert not record.up


async def test_last_words_are_part_of_the_reason(journal: Journal) -> None:
    async with peer() as daemon, watching(daemon.endpoint, interval=3600) as record:
        visit = await daemon.greeted()
        await visit.polls(1)
        visit.says(b">FATAL:Cannot open TUN/TAP dev /dev/net/tun")
        visit.hangs_up()
        await journal.reads_down()
        assert "Cannot open TUN/TAP dev" in record.down_message


async def test_nothing_of_a_reply_that_was_cut_counts(journal: Journal) -> None:
    async with watched(journal, "closed") as visit:
        visit.says(GREETING)
        await visit.answers(until=b"status 3")
        visit.says(*STATUS_3[:-1])
        visit.hangs_up()
    async with peer() as daemon, watching(daemon.endpoint) as record:
        visit = await daemon.greeted()
        await visit.answers(until=b"status 3")
        visit.says(*STATUS_3[:-1])
        visit.hangs_up()
        await journal.reads_down()
        assert record.ledger.received_bytes == 0
        assert record.traffic.received_bytes == 0
        assert record.status is None


# Back again.


async def test_a_daemon_that_comes_back_is_up_again(journal: Journal) -> None:
    async with peer() as daemon, watching(daemon.endpoint) as record:
        visit = await daemon.greeted()
        await visit.polls(2)
        visit.hangs_up()
        await journal.reads_down()
        visit = await daemon.greeted()
        await visit.polls(2)
        assert record.up
        assert record.connects == 2
        assert record.traffic.received_bytes == 3005
        assert journal.messages.count("daemon is up") == 2


async def test_a_change_of_state_is_one_line_however_many_attempts_it_takes(
    journal: Journal,
) -> None:
    async with peer() as daemon, watching(daemon.endpoint):
        visit = await daemon.greeted()
        await visit.polls(2)
        visit.hangs_up()
        assert await journal.reads_down() == "closed"
        for _ in range(10):
            visit = await daemon.visit()
            visit.hangs_up()
        assert await journal.reads_down() == "permission"
        visit = await daemon.greeted()
        await visit.polls(2)
    assert journal.messages.count("daemon is down") == 2
    assert journal.messages.count("daemon is up") == 2


async def test_a_daemon_that_fell_silent_and_speaks_again_is_up_on_the_same_session(
    journal: Journal,
) -> None:
    async with peer() as daemon, watching(daemon.endpoint, timeout=SHORT) as record:
        visit = await daemon.greeted()
        await visit.polls(1)
        await journal.reads_up()
        await visit.answers(until=b"load-stats")
        assert await journal.reads_down() == "timeout"
        assert not record.up
        assert await visit.hears() == b"pid"
        # It was frozen, and now says all that it was asked.
        visit.says(*ANSWERS[b"load-stats"], *ANSWERS[b"pid"])
        await visit.polls(2)
        assert record.up
        assert record.connects == 1
        assert daemon.nobody_waits


async def test_a_daemon_that_stays_silent_loses_its_session_in_the_end(journal: Journal) -> None:
    async with peer() as daemon, watching(daemon.endpoint, timeout=SHORT) as record:
        visit = await daemon.greeted()
        await visit.answers(until=b"load-stats")
        while (line := await visit.hears()) and line != b"quit":
            assert line == b"pid"
        assert visit.heard.count(b"pid") == 1 + PATIENCE
        visit = await daemon.greeted()
        await visit.polls(2)
        assert record.up
        assert record.poll_failures[DownReason.TIMEOUT] == 1 + PATIENCE


async def test_a_daemon_that_dialled_in_keeps_its_session_however_silent_it_is(
    journal: Journal,
) -> None:
    """It would exit if we left."""
    endpoint = ListenEndpoint("127.0.0.1", free_port())
    async with watching(endpoint, timeout=SHORT) as record:
        assert await journal.reads_down() == "not_found"  # it listens now
        async with dial_in(endpoint.host, endpoint.port) as visit:
            visit.says(GREETING)
            await visit.answers(until=b"load-stats")
            for _ in range(PATIENCE + 2):
                assert await visit.hears() == b"pid"
            visit.says(*ANSWERS[b"load-stats"], *ANSWERS[b"pid"] * (PATIENCE + 2))
            await visit.polls(2)
            assert record.up
            assert record.connects == 1


async def test_one_hung_daemon_of_fifty_delays_no_other() -> None:
    async with contextlib.AsyncExitStack() as stack:
        daemons = [await stack.enter_async_context(peer()) for _ in range(50)]
        records = [
            await stack.enter_async_context(watching(daemon.endpoint, timeout=600))
            for daemon in daemons
        ]
        hung = await daemons[0].greeted()
        await hung.answers(until=b"status 3")
        # Ten polls each, long before the hung one's deadline.
        await asyncio.gather(*(polled_times(daemon, 10) for daemon in daemons[1:]))
        assert all(record.polls >= 9 for record in records[1:])
        assert records[0].polls == 0


# Passwords.


def write(directory: Path, password: str) -> Path:
    path = directory / "office.password"
    path.write_text(f"{password}\n")
    return path


async def logs_in(daemon: Peer) -> Visit:
    visit = await daemon.visit()
    visit.sends(PROMPT)
    await visit.hears()
    visit.says(b"SUCCESS: password is correct", GREETING)
    return visit


async def test_the_password_comes_from_its_file(tmp_path: Path) -> None:
    path = write(tmp_path, "s3cret")
    async with peer() as daemon, watching(daemon.endpoint, password_file=path) as record:
        visit = await logs_in(daemon)
        await visit.polls(2)
        assert visit.heard[0] == b"s3cret"
        assert record.up


async def test_the_password_is_read_anew_for_each_session(tmp_path: Path) -> None:
    path = write(tmp_path, "old")
    async with peer() as daemon, watching(daemon.endpoint, password_file=path):
        visit = await logs_in(daemon)
        await visit.polls(1)
        write(tmp_path, "new")
        visit.hangs_up()
        visit = await logs_in(daemon)
        await visit.polls(1)
        assert visit.heard[0] == b"new"


async def test_a_wrong_password_is_tried_once_and_not_again(
    tmp_path: Path, journal: Journal
) -> None:
    path = write(tmp_path, "wrong")
    async with peer() as daemon, watching(daemon.endpoint, password_file=path) as record:
        visit = await daemon.visit()
        visit.sends(PROMPT)
        assert await visit.hears() == b"wrong"
        visit.sends(PROMPT)
        assert await journal.reads_down() == "auth"
        assert await visit.hears() == b""
        # In the time that another daemon, hanging up each time, is tried many times...
        async with peer() as other, watching(other.endpoint):
            for _ in range(50):
                (await other.visit()).hangs_up()
        # ...this one is not.
        assert daemon.nobody_waits
        assert record.down_reason is DownReason.AUTH
        assert visit.heard == [b"wrong"]


async def test_a_password_file_that_is_gone_says_so_without_taking_the_slot(
    tmp_path: Path, journal: Journal
) -> None:
    async with (
        peer() as daemon,
        watching(daemon.endpoint, password_file=tmp_path / "none") as record,
    ):
        assert await journal.reads_down() == "auth"
        assert str(tmp_path / "none") in record.down_message
        assert daemon.nobody_waits


# A status that never ends.


async def test_a_status_that_never_ends_is_answered_by_status_1_and_counted(
    journal: Journal,
) -> None:
    async with peer() as daemon, watching(daemon.endpoint, timeout=SHORT) as record:
        visit = await daemon.greeted()
        await visit.answers(until=b"status 3")
        visit.says(*STATUS_3[:4])
        await visit.answers(until=b"load-stats")  # the next poll, this one being complete
        assert record.up
        assert record.status_fallbacks == 1
        assert record.poll_failures.total() == 0
        assert record.ledger.received_bytes == 3005
        visit.says(*ANSWERS[b"load-stats"])
        await visit.answers(until=b"status 3")  # tried again later
        assert visit.heard.count(b"status 1") == 1 + STATUS_1_POLLS
        assert record.status_fallbacks == 1 + STATUS_1_POLLS
        warnings = [line for line in journal.lines if "status 3 does not end" in line]
        assert len(warnings) == 1
        visit.says(*STATUS_3)
        await visit.polls(1)
        assert record.status_fallbacks == 1 + STATUS_1_POLLS


# Leaving.


async def leaves_within_a_second(task: asyncio.Task[None]) -> None:
    task.cancel()
    async with asyncio.timeout(1):
        await asyncio.wait([task])
    assert task.cancelled()


async def test_between_polls_it_leaves_with_quit() -> None:
    async with peer() as daemon:
        watcher = asyncio.create_task(monitor(daemon.endpoint, interval=3600).run())
        visit = await daemon.greeted()
        await visit.polls(1)
        await leaves_within_a_second(watcher)
        assert await visit.hears() == b"quit"
        assert await visit.hears() == b""


async def test_in_the_middle_of_a_reply_it_reads_it_to_the_end_and_then_leaves() -> None:
    async with peer() as daemon:
        watcher = asyncio.create_task(monitor(daemon.endpoint).run())
        visit = await daemon.greeted()
        await visit.answers(until=b"status 3")
        visit.says(*STATUS_3[:5])
        leaving = asyncio.create_task(leaves_within_a_second(watcher))
        hearing = asyncio.create_task(visit.hears())
        await asyncio.wait([hearing], timeout=0.05)
        assert not hearing.done()
        visit.says(*STATUS_3[5:])
        assert await hearing == b"quit"
        await leaving


@pytest.mark.parametrize("silent_at", [b"version", b"load-stats", b"status 3"])
async def test_a_silent_daemon_is_left_within_a_second(silent_at: bytes) -> None:
    async with peer() as daemon:
        watcher = asyncio.create_task(monitor(daemon.endpoint).run())
        visit = await daemon.greeted()
        await visit.answers(until=silent_at)
        await leaves_within_a_second(watcher)
        assert await visit.hears() == b"quit"


async def test_a_peer_that_has_not_greeted_is_left_without_a_word() -> None:
    async with peer() as daemon:
        watcher = asyncio.create_task(monitor(daemon.endpoint).run())
        visit = await daemon.visit()
        await leaves_within_a_second(watcher)
        assert await visit.hears() == b""


async def test_a_monitor_that_waits_for_its_next_try_leaves_at_once(
    tmp_path: Path, journal: Journal
) -> None:
    path = tmp_path / "none"
    watcher = monitor(UnixEndpoint(str(tmp_path / "office.sock")), password_file=path)
    task = asyncio.create_task(watcher.run())
    await journal.reads_down()
    await leaves_within_a_second(task)


async def test_a_daemon_can_dial_in_no_more_once_the_monitor_has_left(journal: Journal) -> None:
    endpoint = ListenEndpoint("127.0.0.1", free_port())
    async with watching(endpoint, timeout=SHORT):
        await journal.reads_down()
    with pytest.raises(ConnectionRefusedError):
        async with dial_in(endpoint.host, endpoint.port):
            pass


# What must never happen.


async def test_a_bug_in_a_poll_ends_no_task(
    monkeypatch: pytest.MonkeyPatch, journal: Journal
) -> None:
    bugs = iter([ZeroDivisionError("a bug"), KeyError("another")])
    polled = Record.polled

    def stumble(record: Record, *args: object, **kwargs: object) -> None:
        for bug in bugs:
            raise bug
        polled(record, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(Record, "polled", stumble)
    async with peer() as daemon, watching(daemon.endpoint) as record:
        for _ in range(2):
            visit = await daemon.greeted()
            await visit.polls(1)
            assert await journal.reads_down() == "protocol"
        await polled_times(daemon, 2)
        assert record.up
    assert journal.messages.count("bug") == 2
    assert any("ZeroDivisionError" in line for line in journal.lines)


async def test_a_bug_in_taking_a_message_ends_no_task(
    monkeypatch: pytest.MonkeyPatch, journal: Journal
) -> None:
    def stumble(*_: object) -> None:
        raise ZeroDivisionError

    async with peer() as daemon, watching(daemon.endpoint) as record:
        visit = await daemon.greeted()
        await visit.polls(1)
        with monkeypatch.context() as patch:
            patch.setattr(Record, "noticed", stumble)
            visit.says(b">LOG:1795405990,,a line")
            assert await journal.reads_down() == "protocol"
        await polled_times(daemon, 2)
        assert record.up
    assert journal.messages.count("bug") == 1


async def test_nothing_but_read_only_commands_ever_leaves(tmp_path: Path, journal: Journal) -> None:
    """A whole life: a password, polls, a fallback, silence, an end, a second session."""
    path = write(tmp_path, "s3cret")
    async with (
        peer() as daemon,
        watching(daemon.endpoint, timeout=SHORT, password_file=path),
    ):
        visits = [await logs_in(daemon)]
        await visits[0].polls(2)
        await visits[0].answers(until=b"status 3")
        visits[0].says(*STATUS_3[:3])
        await visits[0].answers(until=b"status 1")
        visits[0].says(*STATUS_1)
        await visits[0].answers(until=b"load-stats")
        while await visits[0].hears():
            pass
        visits.append(await logs_in(daemon))
        await visits[1].polls(2)
    await drain(visits)
    allowed = {command.text.encode() for command in Command}
    for visit in visits:
        assert visit.heard[0] == b"s3cret"
        assert set(visit.heard[1:]) <= allowed
        assert visit.heard[-1] == b"quit"


async def drain(visits: Sequence[Visit]) -> None:
    for visit in visits:
        while await visit.hears():
            pass


async def test_no_secret_is_logged(tmp_path: Path, journal: Journal) -> None:
    """Neither the password nor what messages carry, at any level."""
    path = write(tmp_path, "hunter2")
    secrets = [
        b">PASSWORD:Auth-Token:hunter2-token",
        b">PASSWORD:Verification Failed: 'Auth' ['CRV1:R,E:hunter2-crv1:dXNlcg==:code?']",
        b">INFOMSG:WEB_AUTH::https://example.org/?hunter2-web",
        b">LOG:1795405990,,hunter2-log",
        b">ECHO:1795405990,hunter2-echo",
        b">CLIENT:ESTABLISHED,0",
        b">CLIENT:ENV,password=hunter2-env",
        b">CLIENT:ENV,END",
        b">NOBODY-KNOWS:hunter2-unknown",
        b"hunter2-row",
        b"END",
    ]
    async with peer() as daemon, watching(daemon.endpoint, password_file=path) as record:
        visit = await logs_in(daemon)
        await visit.polls(1)
        visit.says(*secrets)
        await visit.polls(2)
        visit.hangs_up()
        await journal.reads_down()
        visit = await daemon.visit()
        visit.sends(PROMPT)
        await visit.hears()
        visit.sends(PROMPT)
        await visit.hears()
        while await journal.reads_down() != "auth":
            pass
        assert "hunter2" not in record.down_message
    assert journal.lines
    assert not [line for line in journal.lines if "hunter2" in line]


async def test_a_monitor_runs_until_it_is_cancelled() -> None:
    async with (
        running(monitor(TcpEndpoint("127.0.0.1", free_port()))) as task,
        peer() as other,
        watching(other.endpoint),
    ):
        await polled_times(other, 5)
        assert not task.done()
