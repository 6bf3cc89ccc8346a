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


async def following(path: Path, check_interval: float = 0.0) -> PolicyFile:
    """Begin as the program does, off the loop."""
    return await asyncio.to_thread(PolicyFile, path, check_interval=check_interval)


def write(path: Path, text: str | None) -> None:
    if text is None:
        path.unlink()
    else:
        path.write_text(text)


def put_in_the_place_of(path: Path, text: str) -> None:
    """Replace a file by another of the same size and time."""
    other = path.with_suffix(".new")
    other.write_text(text)
    status = path.stat()
    assert status.st_size == len(text)
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(path)


async def users(rules: PolicyFile) -> list[str]:
    await rules.refresh()
    return list(rules.policy.users)


async def test_without_a_file_everybody_is_let_in() -> None:
    rules = PolicyFile()
    await rules.refresh()
    assert rules.policy is ALLOW_ALL


async def test_a_changed_file_is_another_policy(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rules = await following(file)
    assert await users(rules) == ["alice"]
    write(file, BOB)
    with caplog.at_level(logging.INFO):
        assert await users(rules) == ["robert"]
        assert await users(rules) == ["robert"]
    assert caplog.messages == ["web configuration has changed"]


async def test_a_file_that_takes_anothers_place_is_seen(file: Path) -> None:
    rules = await following(file)
    put_in_the_place_of(file, ALICE.replace("alice", "carol"))
    assert await users(rules) == ["carol"]


async def test_what_has_not_changed_is_not_read_again(file: Path) -> None:
    rules = await following(file)
    before = rules.policy
    await rules.refresh()
    assert rules.policy is before


@pytest.mark.parametrize("broken", ["", "basic_auth_users: {alice: hunter2}\n", None])
async def test_a_broken_file_changes_nothing_and_is_told_once(
    file: Path, caplog: pytest.LogCaptureFixture, broken: str | None
) -> None:
    rules = await following(file)
    write(file, broken)
    for _ in range(3):
        assert await users(rules) == ["alice"]
    assert caplog.messages == ["web configuration stays as it was"]
    (record,) = caplog.records
    assert str(file) in str(vars(record)["fields"]["problem"])
    assert "hunter2" not in str(vars(record))


async def test_a_mended_file_counts_and_breaking_it_again_is_told_again(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rules = await following(file)
    for text, expected in (("x", "alice"), (BOB, "robert"), ("x", "robert")):
        write(file, text)
        assert await users(rules) == [expected]
    assert len(caplog.messages) == 2


async def test_a_renewed_certificate_is_another_context(tmp_path: Path) -> None:
    authority = Authority()
    authority.write(tmp_path, "web", "localhost")
    file = tmp_path / "web.yaml"
    write(file, "tls_server_config: {cert_file: web.crt, key_file: web.key}\n")
    rules = await following(file)
    before = rules.policy.tls
    # Half of a renewal: the new certificate has another key.
    key = (tmp_path / "web.key").read_text()
    authority.write(tmp_path, "web", "localhost")
    new_key = (tmp_path / "web.key").read_text()
    (tmp_path / "web.key").write_text(key)
    await rules.refresh()
    assert rules.policy.tls is before
    (tmp_path / "web.key").write_text(new_key)
    await rules.refresh()
    assert rules.policy.tls is not before


async def test_a_file_that_was_missing_is_found_when_it_comes(tmp_path: Path, file: Path) -> None:
    rules = await following(file)
    write(file, "tls_server_config: {cert_file: web.crt, key_file: web.key}\n")
    await rules.refresh()
    assert rules.policy.tls is None
    Authority().write(tmp_path, "web", "localhost")
    await rules.refresh()
    assert rules.policy.tls is not None


async def test_the_files_are_looked_at_once_in_a_while(file: Path) -> None:
    rules = await following(file, CHECK_INTERVAL)
    assert await users(rules) == ["alice"]
    write(file, BOB)
    assert await users(rules) == ["alice"]
    rules._next_check -= CHECK_INTERVAL
    assert await users(rules) == ["robert"]


async def test_a_file_system_that_hangs_keeps_nobody_waiting(
    file: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = await following(file, CHECK_INTERVAL)
    released, looks = threading.Event(), []

    def hang(*_: object) -> None:
        looks.append(file)
        assert released.wait(TEST_TIMEOUT)

    monkeypatch.setattr("exporter.web.auth.policy.PATIENCE", 0.01)
    monkeypatch.setattr("exporter.web.auth.policy._changed", hang)
    try:
        assert await asyncio.gather(*(users(rules) for _ in range(5))) == [["alice"]] * 5
        assert len(looks) == 1
    finally:
        released.set()
    assert caplog.messages == ["web configuration stays as it was"]


async def test_all_who_ask_at_once_wait_for_the_same_look(file: Path) -> None:
    rules = await following(file, CHECK_INTERVAL)
    write(file, BOB)
    await asyncio.gather(*(rules.refresh() for _ in range(5)))
    assert list(rules.policy.users) == ["robert"]


def test_a_file_that_is_wrong_from_the_start_is_refused(file: Path) -> None:
    write(file, "x: y\n")
    with pytest.raises(ConfigError, match=r"web\.yaml:1: x: is not a key here"):
        PolicyFile(file)
