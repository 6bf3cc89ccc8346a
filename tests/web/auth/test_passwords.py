import asyncio
import base64
import sys
import threading
from collections.abc import Iterator
from typing import NamedTuple

import bcrypt
import pytest

from exporter.secret import Secret
from exporter.web.auth.check_queue import MAX_PENDING, TooManyPending
from exporter.web.auth.passwords import (
    CACHE_SIZE,
    Credentials,
    PasswordChecker,
    read_credentials,
)
from tests.web.certificates import HASH, PASSWORD

USERS = {"alice": Secret(HASH)}
RIGHT = Credentials("alice", PASSWORD.encode())
WRONG = Credentials("alice", b"wrong")
UNKNOWN_USER = Credentials("mallory", PASSWORD.encode())


class Checks:
    """Counts the calls of bcrypt; a call waits until `released` is set."""

    def __init__(self) -> None:
        self.hashes: list[bytes] = []
        self.running = 0
        self.most_running = 0
        self.threads: set[int] = set()
        self.released = threading.Event()
        self.released.set()

    def check(self, password: bytes, hashed: bytes) -> bool:
        self.threads.add(threading.get_ident())
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        self.hashes.append(hashed)
        self.released.wait(20)
        self.running -= 1
        return bcrypt.checkpw(password, hashed)


class _Bcrypt(NamedTuple):
    checkpw: object


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Checks]:
    checks = Checks()
    monkeypatch.setitem(sys.modules, "bcrypt", _Bcrypt(checkpw=checks.check))
    yield checks
    checks.released.set()


async def test_a_password_is_verified_or_rejected(checks: Checks) -> None:
    checker = PasswordChecker()
    assert await checker.verify(USERS, RIGHT)
    assert not await checker.verify(USERS, WRONG)
    assert not await checker.verify(USERS, Credentials("alice", b""))


async def test_a_verified_password_is_cached_and_a_wrong_one_is_not(checks: Checks) -> None:
    checker = PasswordChecker()
    for _ in range(3):
        assert await checker.verify(USERS, RIGHT)
    assert len(checks.hashes) == 1
    for _ in range(3):
        assert not await checker.verify(USERS, WRONG)
    assert len(checks.hashes) == 4


async def test_an_unknown_user_costs_a_check_even_with_a_users_password(checks: Checks) -> None:
    checker = PasswordChecker()
    assert await checker.verify(USERS, RIGHT)
    for count in (2, 3):
        assert not await checker.verify(USERS, UNKNOWN_USER)
        assert len(checks.hashes) == count


async def test_unknown_users_cost_what_users_cost_where_hashes_differ(checks: Checks) -> None:
    costly = bcrypt.hashpw(b"x", bcrypt.gensalt(5)).decode()
    users = {"alice": Secret(HASH), "bob": Secret(costly)}
    checker = PasswordChecker()
    for number in range(40):
        assert not await checker.verify(users, Credentials(f"unknown {number}", b"x"))
    assert set(checks.hashes) == {HASH.encode(), costly.encode()}
    checks.hashes.clear()
    for _ in range(3):
        assert not await checker.verify(users, UNKNOWN_USER)
    assert len(set(checks.hashes)) == 1


async def test_a_changed_hash_or_a_removed_user_invalidates_the_cache(checks: Checks) -> None:
    checker = PasswordChecker()
    assert await checker.verify(USERS, RIGHT)
    changed = {"alice": Secret(bcrypt.hashpw(b"new", bcrypt.gensalt(4)).decode())}
    assert not await checker.verify(changed, RIGHT)
    assert not await checker.verify({"bob": Secret(HASH)}, RIGHT)


async def test_checks_run_one_at_a_time_and_off_the_loop(checks: Checks) -> None:
    checker = PasswordChecker()
    attempts = [checker.verify(USERS, Credentials("alice", b"%d" % n)) for n in range(8)]
    assert not any(await asyncio.gather(*attempts))
    assert checks.most_running == 1
    assert threading.get_ident() not in checks.threads


async def test_concurrent_checks_of_the_same_credentials_share_one(checks: Checks) -> None:
    checker = PasswordChecker()
    assert all(await asyncio.gather(*(checker.verify(USERS, RIGHT) for _ in range(8))))
    assert len(checks.hashes) == 1


async def test_too_many_pending_checks_are_refused_while_cached_users_pass(checks: Checks) -> None:
    checker = PasswordChecker()
    assert await checker.verify(USERS, RIGHT)
    checks.released.clear()
    pending = [
        asyncio.create_task(checker.verify(USERS, Credentials("alice", b"%d" % number)))
        for number in range(MAX_PENDING)
    ]
    await asyncio.sleep(0)
    with pytest.raises(TooManyPending):
        await checker.verify(USERS, WRONG)
    assert await checker.verify(USERS, RIGHT)
    checks.released.set()
    assert not any(await asyncio.gather(*pending))
    assert not await checker.verify(USERS, WRONG)


async def test_the_cache_is_limited_and_drops_the_least_recently_used(
    checks: Checks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "check", lambda _password, _hashed: True)
    monkeypatch.setitem(sys.modules, "bcrypt", _Bcrypt(checkpw=lambda _password, _hashed: True))
    users = {f"user {number}": Secret(HASH) for number in range(CACHE_SIZE + 1)}
    checker = PasswordChecker()
    first, *others = (Credentials(user, b"x") for user in users)
    for credentials in (first, *others[:-1], first, others[-1]):
        assert await checker.verify(users, credentials)
    monkeypatch.setitem(sys.modules, "bcrypt", _Bcrypt(checkpw=lambda _password, _hashed: False))
    assert await checker.verify(users, first)
    assert not await checker.verify(users, others[0])
    assert await checker.verify(users, others[1])


@pytest.mark.parametrize("length", [72, 73, 200])
async def test_bytes_beyond_the_limit_of_bcrypt_are_ignored(length: int) -> None:
    hashed = bcrypt.hashpw(b"p" * 72, bcrypt.gensalt(4)).decode()
    users = {"alice": Secret(hashed)}
    checker = PasswordChecker()
    assert await checker.verify(users, Credentials("alice", b"p" * length))
    assert not await checker.verify(users, Credentials("alice", b"p" * 71))


async def test_a_hash_that_bcrypt_refuses_matches_no_password() -> None:
    users = {"alice": Secret(HASH.replace("$04$", "$99$"))}
    assert not await PasswordChecker().verify(users, RIGHT)


async def test_a_peer_with_failures_is_behind_others(checks: Checks) -> None:
    checker = PasswordChecker()
    assert not await checker.verify(USERS, WRONG, peer="guesses")
    checks.released.clear()
    running = asyncio.create_task(checker.verify(USERS, WRONG))
    await asyncio.sleep(0)
    ended: list[str] = []

    async def verify(peer: str, credentials: Credentials) -> None:
        await checker.verify(USERS, credentials, peer=peer)
        ended.append(peer)

    pending = [
        asyncio.create_task(verify("guesses", Credentials("alice", b"guess"))),
        asyncio.create_task(verify("new", RIGHT)),
    ]
    await asyncio.sleep(0)
    checks.released.set()
    await asyncio.gather(running, *pending)
    assert ended == ["new", "guesses"]


async def test_the_digests_in_the_cache_are_keyed(checks: Checks) -> None:
    digests = set[bytes]()
    for checker in (PasswordChecker(), PasswordChecker()):
        assert await checker.verify(USERS, RIGHT)
        digests.update(checker._verified)
    assert len(digests) == 2


async def test_no_password_is_stored(checks: Checks) -> None:
    checker = PasswordChecker()
    assert await checker.verify(USERS, RIGHT)
    assert PASSWORD not in repr(vars(checker))


def basic(content: bytes) -> str:
    return f"Basic {base64.b64encode(content).decode()}"


@pytest.mark.parametrize(
    ("content", "credentials"),
    [
        (b"alice:secret", Credentials("alice", b"secret")),
        (b"alice:a:b", Credentials("alice", b"a:b")),
        (b":", Credentials("", b"")),
        ("jürgen:ü".encode(), Credentials("jürgen", "ü".encode())),
        (b"alice:\xff", Credentials("alice", b"\xff")),
    ],
)
def test_user_and_password_are_parsed(content: bytes, credentials: Credentials) -> None:
    assert read_credentials([basic(content)]) == credentials


def test_the_scheme_is_case_insensitive() -> None:
    header = basic(b"alice:secret").replace("Basic ", " bASIC  ")
    assert read_credentials([header]) == Credentials("alice", b"secret")


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [""],
        ["Basic"],
        ["Basic !!!!"],
        ["Basic YWxpY2U6!c2VjcmV0"],
        ["Basic YWxpY2U6c2VjcmV0ü"],
        [basic(b"alice")],
        [basic(b"\xff:secret")],
        [basic(b"alice:secret").replace("Basic", "Bearer")],
        [basic(b"alice:secret"), basic(b"bob:secret")],
    ],
)
def test_any_other_header_has_no_credentials(headers: list[str]) -> None:
    assert read_credentials(headers) is None


def test_credentials_are_never_printed() -> None:
    assert f"{Credentials('alice', b'secret')!r}" == "Credentials(***)"
