import asyncio
import threading
from pathlib import Path

import pytest

from exporter.aio import SingleFlight
from exporter.certificates import pki_watch
from exporter.certificates.issued import IssuedCertificates
from exporter.certificates.pki import PkiSource, PkiState
from exporter.certificates.pki_watch import PkiWatch
from exporter.certificates.source import FileProblem
from tests.certificates.test_index import ALICE


@pytest.fixture
def source(tmp_path: Path) -> PkiSource:
    path = tmp_path / "index.txt"
    path.write_bytes(ALICE + b"\n")
    return PkiSource(path)


async def test_list_is_checked_at_each_interval_with_the_time(
    source: PkiSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pki_watch, "INTERVAL", 0.0)
    times = iter([1.0, 2.0, 3.0])
    watch = PkiWatch(source, clock=lambda: next(times))
    assert watch.state == PkiState(source, 1.0)
    states: asyncio.Queue[PkiState] = asyncio.Queue()
    running = asyncio.create_task(watch.run(states.put_nowait))
    first, second = await states.get(), await states.get()
    running.cancel()
    assert (first.now, second.now) == (2.0, 3.0)
    assert first.issued is not None
    assert first.issued is second.issued


async def test_list_that_hangs_is_unreadable_and_keeps_what_was_read(
    source: PkiSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads, released = 0, threading.Event()
    before, after = IssuedCertificates(), IssuedCertificates()

    def read() -> tuple[IssuedCertificates, None]:
        nonlocal reads
        reads += 1
        if reads == 1:
            return before, None
        released.wait()
        return after, None

    watch = PkiWatch(source)
    monkeypatch.setattr(watch, "_read", SingleFlight(read))
    assert (await watch.check()).issued is before
    monkeypatch.setattr(watch, "_timeout", 0.01)
    for _ in range(3):
        state = await watch.check()
        assert (state.issued, state.problem) == (before, FileProblem.UNREADABLE)
    assert reads == 2  # one thread hangs, and no other is started
    released.set()
    monkeypatch.setattr(watch, "_timeout", None)
    state = await watch.check()
    assert (state.issued, state.problem) == (after, None)


async def test_no_thread_is_a_problem_and_no_crash(
    source: PkiSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_thread(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", no_thread)
    state = await PkiWatch(source).check()
    assert (state.issued, state.problem) == (None, FileProblem.UNREADABLE)
