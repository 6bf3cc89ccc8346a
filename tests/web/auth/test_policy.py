import asyncio
import logging
import os
import threading
from pathlib import Path

import pytest

from exporter.config import ConfigError
from exporter.web.auth import PolicyFile
from exporter.web.auth.policy import CHECK_INTERVAL
from exporter.web.web_config import ALLOW_ALL
from tests.fake_daemon import TEST_TIMEOUT
from tests.web.certificates import HASH, Authority

ALICE = f"basic_auth_users: {{alice: {HASH}}}\n"
BOB = f"basic_auth_users: {{robert: {HASH}}}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "web.yaml"
    path.write_text(ALICE)
    return path


async def load_policy(path: Path, check_interval: float = 0.0) -> PolicyFile:
    """Load off the event loop, as the program does."""
    return await asyncio.to_thread(PolicyFile, path, check_interval=check_interval)


def write(path: Path, text: str | None) -> None:
    if text is None:
        path.unlink()
    else:
        path.write_text(text)


def replace_keeping_size_and_time(path: Path, text: str) -> None:
    """Replace a file by another of the same size and time."""
    other = path.with_suffix(".new")
    other.write_text(text)
    status = path.stat()
    assert status.st_size == len(text)
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(path)


async def users(policy: PolicyFile) -> list[str]:
    await policy.refresh()
    return list(policy.current.users)


async def test_without_a_file_all_requests_are_allowed() -> None:
    policy = PolicyFile()
    await policy.refresh()
    assert policy.current is ALLOW_ALL


async def test_a_changed_file_is_reloaded(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    policy = await load_policy(file)
    assert await users(policy) == ["alice"]
    write(file, BOB)
    with caplog.at_level(logging.INFO):
        assert await users(policy) == ["robert"]
        assert await users(policy) == ["robert"]
    assert caplog.messages == ["web configuration reloaded"]
    assert vars(caplog.records[0])["fields"] == {"file": file}


async def test_a_replaced_file_is_reloaded(file: Path) -> None:
    policy = await load_policy(file)
    replace_keeping_size_and_time(file, ALICE.replace("alice", "carol"))
    assert await users(policy) == ["carol"]


async def test_an_unchanged_file_is_not_reloaded(file: Path) -> None:
    policy = await load_policy(file)
    before = policy.current
    await policy.refresh()
    assert policy.current is before


@pytest.mark.parametrize("broken", ["", "basic_auth_users: {alice: hunter2}\n", None])
async def test_an_invalid_file_changes_nothing_and_is_logged_once(
    file: Path, caplog: pytest.LogCaptureFixture, broken: str | None
) -> None:
    policy = await load_policy(file)
    write(file, broken)
    for _ in range(3):
        assert await users(policy) == ["alice"]
    assert caplog.messages == ["web configuration reload failed, keeping the previous one"]
    (record,) = caplog.records
    assert str(file) in str(vars(record)["fields"]["problem"])
    assert "hunter2" not in str(vars(record))


async def test_a_corrected_file_is_reloaded_and_the_next_failure_is_logged(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    policy = await load_policy(file)
    for text, expected in (("x", "alice"), (BOB, "robert"), ("x", "robert")):
        write(file, text)
        assert await users(policy) == [expected]
    assert len(caplog.messages) == 2


async def test_a_renewed_certificate_is_reloaded_with_its_key(tmp_path: Path) -> None:
    authority = Authority()
    authority.write(tmp_path, "web", "localhost")
    file = tmp_path / "web.yaml"
    write(file, "tls_server_config: {cert_file: web.crt, key_file: web.key}\n")
    policy = await load_policy(file)
    before = policy.current.tls
    # Half of a renewal: the new certificate has another key.
    key = (tmp_path / "web.key").read_text()
    authority.write(tmp_path, "web", "localhost")
    new_key = (tmp_path / "web.key").read_text()
    (tmp_path / "web.key").write_text(key)
    await policy.refresh()
    assert policy.current.tls is before
    (tmp_path / "web.key").write_text(new_key)
    await policy.refresh()
    assert policy.current.tls is not before


async def test_a_missing_certificate_is_loaded_when_it_appears(tmp_path: Path, file: Path) -> None:
    policy = await load_policy(file)
    write(file, "tls_server_config: {cert_file: web.crt, key_file: web.key}\n")
    await policy.refresh()
    assert policy.current.tls is None
    Authority().write(tmp_path, "web", "localhost")
    await policy.refresh()
    assert policy.current.tls is not None


async def test_the_files_are_checked_once_an_interval(file: Path) -> None:
    policy = await load_policy(file, CHECK_INTERVAL)
    assert await users(policy) == ["alice"]
    write(file, BOB)
    assert await users(policy) == ["alice"]
    policy._next_check -= CHECK_INTERVAL
    assert await users(policy) == ["robert"]


async def test_a_file_system_that_hangs_delays_requests_by_the_timeout_only(
    file: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = await load_policy(file, CHECK_INTERVAL)
    released, calls = threading.Event(), []

    def hang(*_: object) -> None:
        calls.append(file)
        assert released.wait(TEST_TIMEOUT)

    monkeypatch.setattr("exporter.web.auth.policy.FILE_TIMEOUT", 0.01)
    monkeypatch.setattr("exporter.web.auth.policy._load_changed", hang)
    try:
        assert await asyncio.gather(*(users(policy) for _ in range(5))) == [["alice"]] * 5
        assert len(calls) == 1
    finally:
        released.set()
    assert caplog.messages == ["web configuration reload failed, keeping the previous one"]
    assert str(file) in str(vars(caplog.records[0])["fields"]["problem"])


async def test_a_pipe_in_place_of_the_file_ends_in_time(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = await load_policy(file)
    monkeypatch.setattr("exporter.web.auth.policy.PIPE_TIMEOUT", 0.01)
    write(file, None)
    os.mkfifo(file)
    assert await users(policy) == ["alice"]
    write(file, None)
    write(file, BOB)
    assert await users(policy) == ["robert"]


async def test_concurrent_requests_share_one_check(file: Path) -> None:
    policy = await load_policy(file, CHECK_INTERVAL)
    write(file, BOB)
    await asyncio.gather(*(policy.refresh() for _ in range(5)))
    assert list(policy.current.users) == ["robert"]


def test_a_file_that_is_invalid_at_the_start_is_an_error(file: Path) -> None:
    write(file, "x: y\n")
    with pytest.raises(ConfigError, match=r"web\.yaml:1: x: is an unknown key"):
        PolicyFile(file)
