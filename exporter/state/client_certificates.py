"""The certificates of a server's clients, compared with those that the CA has issued.

A client's serial number is known from `>CLIENT:ESTABLISHED`: no status and no log line of an
accepted client has it. A client that connected before the exporter, or to a daemon that is polled
only, is known by its common name.
"""

import contextlib
import functools
from collections import Counter
from collections.abc import Container, Generator, Mapping
from types import MappingProxyType
from typing import TypeVar

from exporter.certificates.issued import CertificateState, IssuedCertificates
from exporter.certificates.pki import PkiState
from exporter.management.batches import MAX_ROWS, row_batches
from exporter.management.values import parse_time
from exporter.state.client_session import ClientSession
from exporter.state.oldest import drop_oldest
from exporter.state.session_keys import SessionKey, id_key
from exporter.state.sessions import SessionTracker

_UNSEEN_LIMIT = 10_000
"""Serial numbers kept until a status shows their clients; the oldest are dropped."""

_DAY = 86_400

_MAX_SERIAL_DIGITS = 80

_T = TypeVar("_T")

_NONE: Mapping[tuple[str, CertificateState], int] = MappingProxyType({})

_INVALID = frozenset({CertificateState.REVOKED, CertificateState.EXPIRED})


class ClientCertificates:
    """The states of the certificates of the connected clients of one daemon."""

    __slots__ = (
        "_changes",
        "_compared",
        "_has_new_serial",
        "_issued",
        "_not_valid",
        "_serials",
        "_unseen_serials",
        "_valid_until",
        "counts",
        "invalid",
        "names_revision",
        "pki",
    )

    def __init__(self) -> None:
        self.pki: PkiState | None = None
        """What is known of the issued certificates; None if they are not configured."""
        self.counts: Mapping[CertificateState, int] | None = None
        """The sessions by the state of their certificate; None while that is unknown."""
        self.invalid: Mapping[tuple[str, CertificateState], int] = _NONE
        """The sessions with a revoked or expired certificate, by identity and state."""
        self.names_revision = 0
        """Changes with the names and the expiry of their certificates, and each day."""
        self._serials: dict[SessionKey, int] = {}
        self._unseen_serials: dict[SessionKey, int] = {}
        self._has_new_serial = False
        self._compared: set[SessionKey] = set()
        self._not_valid: dict[SessionKey, tuple[str, CertificateState]] = {}
        """Identity and state of the compared sessions whose certificate is not valid."""
        self._issued: IssuedCertificates | None = None
        self._changes: int | None = None
        self._valid_until: float | None = None

    def set_pki(self, pki: PkiState) -> None:
        """Record what is known of the issued certificates."""
        old, self.pki = self.pki, pki
        if old is None or old.issued is not pki.issued or old.now // _DAY != pki.now // _DAY:
            self.names_revision += 1

    def add_established(self, client_id: int, env: Mapping[str, str]) -> None:
        """Record the serial number among the variables of `>CLIENT:ESTABLISHED`, if it has one."""
        with contextlib.suppress(ValueError):
            key = id_key(client_id, parse_time(env.get("time_unix", "")))
            self._unseen_serials[key] = _serial(env)
            self._has_new_serial = True
            drop_oldest(self._unseen_serials, _UNSEEN_LIMIT)

    def update(self, sessions: SessionTracker, now: float) -> Generator[None, None, None]:
        """Compare the sessions of the last status, yielding after each batch.

        Without a change it does nothing. If sessions began or ended, only those that began are
        compared; if the certificates were read again, or one of them has expired, all of them.
        """
        issued = self.pki.issued if self.pki is not None else None
        if issued is None:
            self._clear()
            return
        is_expired = self._valid_until is not None and now > self._valid_until
        if issued is not self._issued or is_expired:
            self._compared, self._not_valid, self._changes = set(), {}, None
        if self._has_new_serial:  # also of a client that a status has shown already
            self._has_new_serial, self._changes = False, None
            self._compared.difference_update(self._unseen_serials)
        if sessions.changes != self._changes:
            yield from self._update(sessions, issued, now)

    def _update(
        self, sessions: SessionTracker, issued: IssuedCertificates, now: float
    ) -> Generator[None, None, None]:
        changes = sessions.changes
        keys: set[SessionKey] = set()
        began: list[ClientSession] = []
        for batch in row_batches(sessions.current):
            keys.update([session.key for session in batch])
            began += [session for session in batch if session.key not in self._compared]
            yield
        for batch in row_batches(began):
            for session in batch:
                self._compare(session, issued, now)
            yield
        # The row of a session may be missing in a single status, or unreadable.
        yield from _drop_others(self._serials, sessions)
        yield from _drop_others(self._not_valid, keys)
        compared, self._compared = self._compared, keys
        self._issued, self._changes = issued, changes
        self._valid_until = issued.next_change(now)
        yield from self._sum_up()
        while compared:  # it takes long to free many at once
            for _ in range(min(len(compared), MAX_ROWS)):
                compared.pop()
            yield

    def _compare(self, session: ClientSession, issued: IssuedCertificates, now: float) -> None:
        key = session.key
        serial = self._unseen_serials.pop(key, None)
        if serial is None:
            serial = self._serials.get(key)
        else:
            self._serials[key] = serial
        state = issued.state(session.last_row.common_name, serial, now)
        self._not_valid.pop(key, None)
        if state is not CertificateState.VALID:
            self._not_valid[key] = session.name, state

    def _sum_up(self) -> Generator[None, None, None]:
        states: Counter[CertificateState] = Counter()
        invalid: Counter[tuple[str, CertificateState]] = Counter()
        for batch in row_batches(self._not_valid.values()):
            for name, state in batch:
                states[state] += 1
                if state in _INVALID:
                    invalid[name, state] += 1
            yield
        states[CertificateState.VALID] = len(self._compared) - len(self._not_valid)
        self.counts = _counts(*(states[state] for state in CertificateState))
        self.invalid = invalid or _NONE

    def invalid_state(self, key: SessionKey) -> CertificateState | None:
        """Return the state of a session's certificate if it is revoked or expired, else None."""
        _, state = self._not_valid.get(key, ("", None))
        return state if state in _INVALID else None

    def _clear(self) -> None:
        self.counts, self.invalid = None, _NONE
        self._compared, self._not_valid, self._issued = set(), {}, None


@functools.lru_cache(maxsize=256)
def _counts(*numbers: int) -> Mapping[CertificateState, int]:
    """Return numbers by state; most small daemons have the same."""
    return dict(zip(CertificateState, numbers, strict=True))


def _drop_others(
    values: dict[SessionKey, _T], keys: Container[SessionKey]
) -> Generator[None, None, None]:
    """Drop the values of all other keys, yielding after each batch."""
    others: list[SessionKey] = []
    for batch in row_batches(values):
        others += [key for key in batch if key not in keys]
        yield
    for key in others:
        del values[key]


def _serial(env: Mapping[str, str]) -> int:
    """Return the serial number of the client's certificate; raises ValueError if there is none."""
    text = env.get("tls_serial_hex_0", "").replace(":", "")  # 2.3 and later
    base = 16
    if not text:
        text, base = env.get("tls_serial_0", ""), 10
    if len(text) > _MAX_SERIAL_DIGITS or not (text.isascii() and text.isalnum()):
        raise ValueError("no serial number")
    return int(text, base)
