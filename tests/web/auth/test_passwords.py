import asyncio
import threading
from collections.abc import Iterator
from typing import NamedTuple

import bcrypt
import pytest

from exporter.secret import Secret
from exporter.web.auth import passwords
from exporter.web.auth.credentials import Credentials
from exporter.web.auth.passwords import CACHE_SIZE, MAX_PENDING, PasswordChecker, TooManyPending
from tests.web.certificates import HASH, PASSWORD

USERS = {"alice": Secret(HASH)}
RIGHT = Credentials("alice", PASSWORD.encode())
WRONG = Credentials("alice", b"wrong")
STRANGER = Credentials("mallory", PASSWORD.encode())


class Checks:
    """The checks of bcrypt that were made; `gate` holds them up while it is not set."""

    def __init__(self) -> None:
        self.hashes: list[bytes] = []
        self.running = 0
        self.most = 0
        self.threads: set[int] = set()
        self.gate = threading.Event()
        self.gate.set()

    def check(self, password: bytes, hashed: bytes) -> bool:
        self.threads.add(threading.get_ident())
        self.running += 1
        self.most = max(self.most, self.running)
        self.hashes.append(hashed)
        self.gate.wait(20)
        self.running -= 1
        return bcrypt.checkpw(password, hashed)


class _Bcrypt(NamedTuple):
    checkpw: object


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Checks]:
    checks = Checks()
    monkeypatch.setattr(passwords, "bcrypt", _Bcrypt(checkpw=checks.check))
    yield checks
    checks.gate.set()


async def test_a_password_is_right_or_wrong(checks: Checks) -> None:
    known = PasswordChecker()
    assert await known.are_right(USERS, RIGHT)
    assert not await known.are_right(USERS, WRONG)
    assert not await known.are_right(USERS, Credentials("alice", b""))


async def test_a_right_one_is_checked_once_and_a_wrong_one_each_time(checks: Checks) -> None:
    known = PasswordChecker()
    for _ in range(3):
        assert await known.are_right(USERS, RIGHT)
    assert len(checks.hashes) == 1
    for _ in range(3):
        assert not await known.are_right(USERS, WRONG)
    assert len(checks.hashes) == 4


async def test_a_stranger_costs_a_check_even_with_a_users_password(checks: Checks) -> None:
    known = PasswordChecker()
    assert await known.are_right(USERS, RIGHT)
    for count in (2, 3):
        assert not await known.are_right(USERS, STRANGER)
        assert len(checks.hashes) == count


async def test_strangers_cost_what_users_cost_where_hashes_differ(checks: Checks) -> None:
    dear = bcrypt.hashpw(b"x", bcrypt.gensalt(5)).decode()
    users = {"alice": Secret(HASH), "bob": Secret(dear)}
    known = PasswordChecker()
    for number in range(40):
        assert not await known.are_right(users, Credentials(f"stranger {number}", b"x"))
    assert set(checks.hashes) == {HASH.encode(), dear.encode()}
    checks.hashes.clear()
    for _ in range(3):
        assert not await known.are_right(users, STRANGER)
    assert len(set(checks.hashes)) == 1


async def test_a_new_hash_or_no_user_any_more_ends_what_was_remembered(checks: Checks) -> None:
    known = PasswordChecker()
    assert await known.are_right(USERS, RIGHT)
    changed = {"alice": Secret(bcrypt.hashpw(b"new", bcrypt.gensalt(4)).decode())}
    assert not await known.are_right(changed, RIGHT)
    assert not await known.are_right({"bob": Secret(HASH)}, RIGHT)


async def test_checks_run_one_at_a_time_and_off_the_loop(checks: Checks) -> None:
    known = PasswordChecker()
    asked = [known.are_right(USERS, Credentials("alice", b"%d" % n)) for n in range(8)]
    assert not any(await asyncio.gather(*asked))
    assert checks.most == 1
    assert threading.get_ident() not in checks.threads


async def test_who_waits_for_the_same_answer_shares_it(checks: Checks) -> None:
    known = PasswordChecker()
    assert all(await asyncio.gather(*(known.are_right(USERS, RIGHT) for _ in range(8))))
    assert len(checks.hashes) == 1


async def test_a_crowd_is_sent_away_while_known_users_come_in(checks: Checks) -> None:
    known = PasswordChecker()
    assert await known.are_right(USERS, RIGHT)
    checks.gate.clear()
    waiting = [
        asyncio.create_task(known.are_right(USERS, Credentials("alice", b"%d" % number)))
        for number in range(MAX_PENDING)
    ]
    await asyncio.sleep(0)
    with pytest.raises(TooManyPending):
        await known.are_right(USERS, WRONG)
    assert await known.are_right(USERS, RIGHT)
    checks.gate.set()
    assert not any(await asyncio.gather(*waiting))
    assert not await known.are_right(USERS, WRONG)


async def test_only_so_many_are_remembered_and_the_oldest_goes(
    checks: Checks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "check", lambda _password, _hashed: True)
    monkeypatch.setattr(passwords, "bcrypt", _Bcrypt(checkpw=lambda _password, _hashed: True))
    users = {f"user {number}": Secret(HASH) for number in range(CACHE_SIZE + 1)}
    known = PasswordChecker()
    first, *others = (Credentials(user, b"x") for user in users)
    for credentials in (first, *others[:-1], first, others[-1]):
        assert await known.are_right(users, credentials)
    monkeypatch.setattr(passwords, "bcrypt", _Bcrypt(checkpw=lambda _password, _hashed: False))
    assert await known.are_right(users, first)
    assert not await known.are_right(users, others[0])
    assert await known.are_right(users, others[1])


@pytest.mark.parametrize("length", [72, 73, 200])
async def test_long_passwords_count_as_far_as_bcrypt_reads(length: int) -> None:
    hashed = bcrypt.hashpw(b"p" * 72, bcrypt.gensalt(4)).decode()
    users = {"alice": Secret(hashed)}
    known = PasswordChecker()
    assert await known.are_right(users, Credentials("alice", b"p" * length))
    assert not await known.are_right(users, Credentials("alice", b"p" * 71))


async def test_no_password_is_kept(checks: Checks) -> None:
    known = PasswordChecker()
    assert await known.are_right(USERS, RIGHT)
    assert PASSWORD not in repr(vars(known))
