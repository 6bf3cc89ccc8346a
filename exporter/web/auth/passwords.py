"""Credentials of HTTP basic authentication (RFC 7617), checked against bcrypt hashes.

bcrypt is slow by design: one check at a time runs, in a thread, and verified credentials are
cached. `check_queue` has the order of the checks. An unknown user costs the same check, so that the
response time does not disclose which users exist.
"""

import base64
import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from exporter.aio import run_in_daemon_thread
from exporter.secret import Secret
from exporter.web.auth.check_queue import CheckQueue

CACHE_SIZE = 256
"""Most verified credentials in the cache; the least recently used are dropped first."""

_BCRYPT_MAX_BYTES = 72
"""Bytes of a password that Go's and Apache's bcrypt use; Python's refuses longer passwords."""


class Credentials(msgspec.Struct, frozen=True):
    """A user and the bytes of a password, as a request has them: not verified."""

    user: str
    password: bytes

    def __repr__(self) -> str:
        """Hide the user as well: people enter passwords as user names by mistake."""
        return "Credentials(***)"


def read_credentials(headers: Sequence[str]) -> Credentials | None:
    """Parse the values of `Authorization`; None unless they are one user and password."""
    if len(headers) != 1:
        return None
    scheme, _, token = headers[0].strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(token.strip(), validate=True)
        user, colon, password = decoded.partition(b":")
        return Credentials(user.decode(), password) if colon else None
    except ValueError:  # neither base64 nor UTF-8
        return None


class PasswordChecker:
    """Checks credentials; its cache has keyed digests, no passwords."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._verified: OrderedDict[bytes, None] = OrderedDict()
        self._queue = CheckQueue()

    async def verify(
        self,
        users: Mapping[str, Secret],
        credentials: Credentials,
        *,
        peer: str = "",
        is_abandoned: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Return whether the user exists and has this password.

        Args:
            users: the hashes of the passwords, by user.
            credentials: what the request has.
            peer: whose request it is; checks are fair to the peers.
            is_abandoned: returns whether the answer is no longer needed.

        Raises:
            TooManyPending: too many checks are pending.
        """
        attempt = self._attempt(users, credentials)
        if self._is_cached(attempt):
            return True
        async with self._queue.acquire(peer, is_abandoned):
            # A pending check of the same credentials may have verified them meanwhile.
            verified = self._is_cached(attempt) or await self._check(attempt)
            self._queue.record(peer, verified=verified)
            return verified

    def close(self) -> None:
        """Check no more passwords: the exporter ends."""
        self._queue.close()

    async def _check(self, attempt: "_Attempt") -> bool:
        matches = await run_in_daemon_thread(lambda: _matches(attempt.password, attempt.hashed))
        if not (matches and attempt.is_user):
            return False
        self._verified[attempt.digest] = None
        if len(self._verified) > CACHE_SIZE:
            self._verified.popitem(last=False)
        return True

    def _attempt(self, users: Mapping[str, Secret], credentials: Credentials) -> "_Attempt":
        dummy = self._dummy_hash(users, credentials.user)
        hashed = users.get(credentials.user, dummy).reveal().encode()
        return _Attempt(
            digest=self._digest(credentials.user.encode(), credentials.password, hashed),
            password=credentials.password,
            hashed=hashed,
            is_user=credentials.user in users,
        )

    def _dummy_hash(self, users: Mapping[str, Secret], user: str) -> Secret:
        """Return the hash of one of the users, always the same one for the same unknown user.

        Unknown users take as long as users do, also where the costs of the hashes differ.
        """
        number = int.from_bytes(self._digest(user.encode()))
        return list(users.values())[number % len(users)]

    def _is_cached(self, attempt: "_Attempt") -> bool:
        if not attempt.is_user or attempt.digest not in self._verified:
            return False
        self._verified.move_to_end(attempt.digest)
        return True

    def _digest(self, *parts: bytes) -> bytes:
        framed = b"".join(len(part).to_bytes(8) + part for part in parts)
        return hashlib.blake2b(framed, key=self._key, digest_size=32).digest()


class _Attempt(NamedTuple):
    """A password, the hash to check it against, and a keyed digest of user, password and hash."""

    digest: bytes
    password: bytes
    hashed: bytes
    is_user: bool


def _matches(password: bytes, hashed: bytes) -> bool:
    import bcrypt  # noqa: PLC0415 -- half a MiB, for configurations with users

    try:
        return bcrypt.checkpw(password[:_BCRYPT_MAX_BYTES], hashed)
    except ValueError:
        return False
