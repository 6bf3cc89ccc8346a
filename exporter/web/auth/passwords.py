"""Whether a user has a password.

The work of bcrypt takes long by design: one check at a time runs, in a thread, and what was right
once is remembered. For whoever is no user the same work is done, so that nobody learns from the
time it takes which users there are.
"""

import asyncio
import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from typing import NamedTuple

import bcrypt

from exporter.aio import run_in_daemon_thread
from exporter.secret import Secret
from exporter.web.auth.credentials import Credentials

CACHE_SIZE = 256
"""Passwords that are remembered; the one that was used longest ago goes first."""

MAX_PENDING = 32
"""Checks that may wait for their turn."""

_BCRYPT_READS = 72
"""Bytes of a password that count, by Go's and Apache's bcrypt; Python's refuses longer ones."""


class TooManyPending(Exception):
    """So many passwords wait to be checked that one more would not be answered in time."""


class PasswordChecker:
    """Checks passwords against hashes; no password is kept, only a keyed digest of it."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._key = secrets.token_bytes(32)
        self._right: OrderedDict[bytes, None] = OrderedDict()
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def are_right(self, users: Mapping[str, Secret], credentials: Credentials) -> bool:
        """Tell whether there is such a user and the password is theirs.

        Raises TooManyPending.
        """
        claim = self._claim(users, credentials)
        if self._is_remembered(claim):
            return True
        if self._waiting >= MAX_PENDING:
            raise TooManyPending
        self._waiting += 1
        try:
            async with self._turn:
                # Several requests may have waited for the answer to the first of them.
                return self._is_remembered(claim) or await self._check(claim)
        finally:
            self._waiting -= 1

    async def _check(self, claim: "_Claim") -> bool:
        matches = await run_in_daemon_thread(lambda: _matches(claim.password, claim.hashed))
        if not (matches and claim.is_user):
            return False
        self._right[claim.token] = None
        if len(self._right) > CACHE_SIZE:
            self._right.popitem(last=False)
        return True

    def _claim(self, users: Mapping[str, Secret], credentials: Credentials) -> "_Claim":
        decoy = self._decoy(users, credentials.user)
        hashed = users.get(credentials.user, decoy).reveal().encode()
        return _Claim(
            token=self._digest(credentials.user.encode(), credentials.password, hashed),
            password=credentials.password,
            hashed=hashed,
            is_user=credentials.user in users,
        )

    def _decoy(self, users: Mapping[str, Secret], user: str) -> Secret:
        """Return the hash of some user, always the same one for the same name.

        Strangers take as long as users do, also where hashes differ in cost.
        """
        number = int.from_bytes(self._digest(user.encode()))
        return list(users.values())[number % len(users)]

    def _is_remembered(self, claim: "_Claim") -> bool:
        if not claim.is_user or claim.token not in self._right:
            return False
        self._right.move_to_end(claim.token)
        return True

    def _digest(self, *parts: bytes) -> bytes:
        framed = b"".join(len(part).to_bytes(8) + part for part in parts)
        return hashlib.blake2b(framed, key=self._key, digest_size=32).digest()


class _Claim(NamedTuple):
    """A password to check, and against which hash; `token` stands for all of it."""

    token: bytes
    password: bytes
    hashed: bytes
    is_user: bool


def _matches(password: bytes, hashed: bytes) -> bool:
    try:
        return bcrypt.checkpw(password[:_BCRYPT_READS], hashed)
    except ValueError:
        return False
