import asyncio
import gc
import os
import threading
import time
import tracemalloc
from pathlib import Path

import msgspec
import pytest

from exporter.config.schema import DaemonConfig
from exporter.config.target import Target
from exporter.management.errors import (
    EndpointNotFound,
    EndpointPermissionError,
    EndpointUnreachable,
    ManagementError,
    ProtocolError,
    ReplyTimeout,
)
from exporter.management.protocol import LINE_COST, LINE_LIMIT
from exporter.management.status import ServerStatus, parse_status
from exporter.monitor import status_file
from exporter.monitor.status_file import ContentAge, StatusFile
from exporter.monitor.status_file_poller import StatusFilePoller
from exporter.state.daemon import DaemonState
from tests.fake_daemon import TEST_TIMEOUT

CASES = Path(__file__).parents[1] / "data" / "cases"
WHOLE = b"TITLE\tOpenVPN\nTIME\tnow\t1\nEND\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "status.log"


def write(path: Path, content: bytes, *, age: float = 60) -> None:
    path.write_bytes(content)
    os.utime(path, (time.time() - age, time.time() - age))


def make_directory(path: Path) -> None:
    path.mkdir()


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def failure(path: Path, within: float = 10) -> ManagementError:
    with pytest.raises(ManagementError) as caught:
        await StatusFile(path, timeout=within).read()
    return caught.value


async def test_a_complete_file_is_its_lines(path: Path) -> None:
    write(path, WHOLE)
    lines = (await StatusFile(path, timeout=10).read()).lines
    assert lines == [b"TITLE\tOpenVPN", b"TIME\tnow\t1"]


async def test_a_replaced_file_is_read(path: Path) -> None:
    reader = StatusFile(path, timeout=10)
    write(path, b"old\nEND\n")
    await reader.read()
    other = path.with_suffix(".new")
    write(other, WHOLE)
    other.replace(path)
    assert (await reader.read()).lines[0] == b"TITLE\tOpenVPN"


async def test_a_modification_time_in_the_future_does_not_delay(path: Path) -> None:
    write(path, WHOLE, age=-3600)
    assert (await StatusFile(path, timeout=10).read()).lines


async def test_a_file_that_is_being_written_is_read_when_it_is_stable(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = status_file._read_file
    contents = [b"half\n", b"half\nmore\n", WHOLE]

    def written_meanwhile(path: Path) -> object:
        content = contents.pop(0)
        write(path, content, age=60 if content == WHOLE else 0)
        return take(path)

    monkeypatch.setattr(status_file, "_read_file", written_meanwhile)
    assert (await StatusFile(path, timeout=60).read()).lines[0] == b"TITLE\tOpenVPN"


def test_a_change_during_the_read_is_seen(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(path, WHOLE)
    fstat = os.fstat
    looks = 0

    def changing(descriptor: int) -> os.stat_result:
        nonlocal looks
        looks += 1
        if looks == 3:  # the last one, after reading
            write(path, WHOLE, age=30)
        return fstat(descriptor)

    monkeypatch.setattr(os, "fstat", changing)
    assert not status_file._read_file(path).stable
    assert status_file._read_file(path).stable


def test_a_fresh_change_is_seen(path: Path) -> None:
    write(path, WHOLE, age=0)
    assert not status_file._read_file(path).stable


async def test_a_file_that_is_never_stable_times_out(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(path, WHOLE)
    monkeypatch.setattr(status_file, "SETTLE_TIME", 0.001)
    take = status_file._read_file

    def restless(path: Path) -> object:
        write(path, WHOLE, age=0)
        return msgspec.structs.replace(take(path), stable=False)

    monkeypatch.setattr(status_file, "_read_file", restless)
    error = await failure(path, within=0.5)
    assert isinstance(error, ReplyTimeout)
    assert "written to without a pause" in str(error)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"TITLE\tOpenVPN\nTIME\tno", "no END"),
        (b"TITLE\tOpenVPN\nEND\nrest of the last one\nEND\n", "text after the END line"),
        (b"BACKEND\n", "no END"),
    ],
)
async def test_an_incomplete_file_is_an_error(path: Path, content: bytes, words: str) -> None:
    write(path, content)
    error = await failure(path)
    assert isinstance(error, ProtocolError)
    assert words in str(error)


@pytest.mark.parametrize(
    "content",
    [
        WHOLE.replace(b"\n", b"\r\n"),
        WHOLE.removesuffix(b"\n"),
        WHOLE + b"\n",
        WHOLE.replace(b"\n", b"\r\n") + b"\r\n\r\n",
    ],
    ids=["CRLF", "no last line end", "blank line", "CRLF and blank lines"],
)
async def test_line_ends_of_other_systems_and_copies_are_accepted(
    path: Path, content: bytes
) -> None:
    write(path, content)
    lines = (await StatusFile(path, timeout=10).read()).lines
    assert list(lines) == [b"TITLE\tOpenVPN", b"TIME\tnow\t1"]


@pytest.mark.parametrize(
    "name", ["crlf-format2.status", "no-final-newline.status", "blank-line-after-end.status"]
)
async def test_files_of_the_field_are_read(path: Path, name: str) -> None:
    write(path, (CASES / name).read_bytes())
    status = parse_status((await StatusFile(path, timeout=10).read()).lines)
    assert isinstance(status, ServerStatus)
    assert [(row.common_name, row.received_bytes) for row in status.clients] == [("ann", 61011660)]
    assert status.unparsed == 0


async def test_a_missing_file_is_an_error(path: Path) -> None:
    error = await failure(path)
    assert isinstance(error, EndpointNotFound)
    assert f"status {path}" in str(error)


async def test_a_missing_permission_is_explained(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(path: Path) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(status_file, "_read_file", denied)
    error = await failure(path)
    assert isinstance(error, EndpointPermissionError)
    assert "readable by the exporter's group" in str(error)


async def test_a_pipe_does_not_block(path: Path) -> None:
    os.mkfifo(path)
    assert "not a regular file" in str(await failure(path))


async def test_a_file_that_is_too_large_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(path, WHOLE)
    monkeypatch.setattr(status_file, "REPLY_LIMIT", len(WHOLE) - 1)
    assert "more than" in str(await failure(path))


async def test_a_hung_file_system_times_out(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = StatusFile(path, timeout=0.01)
    write(path, WHOLE)
    take, released, asked = status_file._read_file, threading.Event(), []

    def hanging(path: Path) -> object:
        asked.append(path)
        assert released.wait(TEST_TIMEOUT)
        return take(path)

    monkeypatch.setattr(status_file, "_read_file", hanging)
    for _ in range(3):
        with pytest.raises(ReplyTimeout):
            await file.read()
    assert asked == [path]  # one thread hangs there, not one more at each poll
    released.set()


async def test_a_file_of_newlines_costs_as_much_as_on_the_socket(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each line takes memory of its own: 64 MiB of newlines took 1.6 GB."""
    monkeypatch.setattr(status_file, "REPLY_LIMIT", 1000 * (LINE_COST + 1))
    write(path, b"\n" * 999 + b"END\n")
    assert "more lines" in str(await failure(path))
    write(path, b"TITLE\n" + b"\n" * 900 + b"END\n")
    assert len((await StatusFile(path, timeout=10).read()).lines) == 901


async def test_a_file_of_too_many_lines_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_file, "REPLY_LINE_LIMIT", 10)
    write(path, b"row\n" * 10 + b"END\n")
    assert "more lines" in str(await failure(path))


@pytest.mark.parametrize("end", [b"", b"\nEND\n"])
async def test_a_line_longer_than_on_the_socket_is_refused(path: Path, end: bytes) -> None:
    write(path, b"TITLE\n" + b"x" * (LINE_LIMIT + 1) + end)
    assert "a line of more than" in str(await failure(path))


async def test_lines_are_whole_wherever_the_pieces_end(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [b"row %d" % number for number in range(100)]
    write(path, b"\n".join([*rows, b"END", b""]))
    for piece in (1, 2, 7, 64):
        monkeypatch.setattr(status_file, "_PIECE", piece)
        assert (await StatusFile(path, timeout=10).read()).lines == rows


async def test_no_descriptor_stays_open_where_a_directory_is_in_its_place(path: Path) -> None:
    make_directory(path)
    assert isinstance(await failure(path), EndpointUnreachable)
    before = open_descriptors()
    for _ in range(5):
        await failure(path)
    assert open_descriptors() == before


@pytest.fixture
def unusable(path: Path) -> Path:
    path.write_bytes(b"a row without END\n" * 200_000)
    os.utime(path, (1_000_000_000, 1_000_000_000))
    return path


def _join_daemon_threads() -> None:
    for thread in threading.enumerate():
        if thread.daemon:
            thread.join(TEST_TIMEOUT)


async def test_an_unusable_file_is_not_kept_in_memory(unusable: Path) -> None:
    daemon = DaemonState(Target(DaemonConfig(name="office", status_file=unusable)))
    poller = StatusFilePoller(daemon)
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        await poller.poll()
        await asyncio.sleep(0)  # with Python 3.14 the pass that brings a result refers to it
        await asyncio.to_thread(_join_daemon_threads)
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        gc.enable()
    assert daemon.down is not None
    assert peak > 2_000_000
    assert kept < 500_000


async def test_the_content_has_a_digest_and_a_modification_time(path: Path) -> None:
    file = StatusFile(path, timeout=10)
    write(path, WHOLE, age=100)
    first = await file.read()
    assert first.written_at == pytest.approx(time.time() - 100, abs=5)
    write(path, WHOLE, age=50)
    assert (await file.read()).digest == first.digest
    write(path, WHOLE.replace(b"1", b"2"), age=100)
    assert (await file.read()).digest != first.digest


def look(age: ContentAge, digest: bytes, *, since_written: float, now: float) -> float:
    """Look at a file with a modification time `since_written` seconds ago."""
    return age.update(digest, written_at=5000.0 - since_written, clock=5000.0, now=now)


class TestContentAge:
    """The event loop's clock stands at 1000 at the first look."""

    def test_at_the_first_look_is_that_of_the_modification_time(self) -> None:
        age = ContentAge()
        assert look(age, b"a", since_written=70.0, now=1000.0) == 70
        assert look(age, b"a", since_written=70.0, now=1015.0) == 85

    def test_of_a_file_from_the_future_begins_at_0(self) -> None:
        age = ContentAge()
        assert look(age, b"a", since_written=-3600.0, now=1000.0) == 0
        assert look(age, b"a", since_written=-3585.0, now=1015.0) == 15

    def test_is_no_longer_than_the_time_since_the_last_look(self) -> None:
        """The clock was set forward, or the daemon's file system is another one's."""
        age = ContentAge()
        look(age, b"a", since_written=0.0, now=1000.0)
        assert look(age, b"b", since_written=9000.0, now=1015.0) == 15

    def test_is_that_of_the_modification_time_if_that_is_later(self) -> None:
        """The file was not read for a day, since the session was up."""
        age = ContentAge()
        look(age, b"a", since_written=0.0, now=1000.0)
        assert look(age, b"b", since_written=400.0, now=87_400.0) == 400

    def test_of_a_rewritten_file_with_the_same_content_goes_on(self) -> None:
        age = ContentAge()
        look(age, b"a", since_written=0.0, now=1000.0)
        assert look(age, b"a", since_written=0.0, now=1090.0) == 90

    def test_of_a_file_that_was_absent_is_no_longer_than_that(self) -> None:
        age = ContentAge()
        age.record_absent(1000.0)
        assert look(age, b"a", since_written=9000.0, now=1015.0) == 15
        assert age.absent_until == 1000
