"""The certificates of a server's clients, compared with those that the CA has issued.

A client's serial number is known from `>CLIENT:ESTABLISHED`: no status and no log line of an
accepted client has it. A client that connected before the exporter, or to a daemon that is polled
only, is known by its common name.
"""

import contextlib
from collections import Counter
from collections.abc import Generator, Mapping

from exporter.certificates.issued import CertificateState
from exporter.certificates.pki import PkiState
from exporter.management.batches import row_batches
from exporter.management.values import parse_time
from exporter.state.client_session import ClientSession
from exporter.state.session_keys import SessionKey, id_key
from exporter.state.sessions import SessionTracker

_UNSEEN_LIMIT = 10_000
"""Serial numbers kept until a status shows their clients; the oldest are dropped."""

_DAY = 86_400

_MAX_SERIAL_DIGITS = 80

_INVALID = frozenset({CertificateState.REVOKED, CertificateState.EXPIRED})


class ClientCertificates:
    """The states of the certificates of the connected clients of one daemon."""

    def __init__(self) -> None:
        self.pki: PkiState | None = None
        """What is known of the issued certificates; None if they are not configured."""
        self.counts: Mapping[CertificateState, int] | None = None
        """The sessions by the state of their certificate; None while that is unknown."""
        self.invalid: Mapping[tuple[str, CertificateState], int] = {}
        """The sessions with a revoked or expired certificate, by identity and state."""
        self.names_revision = 0
        """Changes with the names and the expiry of their certificates, and each day."""
        self.invalid_sessions: Mapping[SessionKey, CertificateState] = {}
        """The same by session."""
        self._serials: dict[SessionKey, int] = {}
        self._unseen_serials: dict[SessionKey, int] = {}
        self._counted: object = None
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
            self._counted = None  # a status may have shown the client already
            if len(self._unseen_serials) > _UNSEEN_LIMIT:
                del self._unseen_serials[next(iter(self._unseen_serials))]

    def update(self, sessions: SessionTracker, now: float) -> Generator[None, None, None]:
        """Compare the sessions of the last status, yielding after each batch.

        It does nothing unless a session began or ended, the certificates were read again, or one of
        them has expired.
        """
        issued = self.pki.issued if self.pki is not None else None
        if issued is None:
            self._clear()
            return
        counted = sessions.changes, issued
        if counted == self._counted and (self._valid_until is None or now <= self._valid_until):
            return
        counts = Counter(dict.fromkeys(CertificateState, 0))
        invalid: Counter[tuple[str, CertificateState]] = Counter()
        invalid_sessions: dict[SessionKey, CertificateState] = {}
        serials: dict[SessionKey, int] = {}
        for batch in row_batches(sessions.current):
            for session in batch:
                serial = self._known_serial(session)
                if serial is not None:
                    serials[session.key] = serial
                state = issued.state(session.last_row.common_name, serial, now)
                counts[state] += 1
                if state in _INVALID:
                    invalid[session.name, state] += 1
                    invalid_sessions[session.key] = state
            yield
        for key in serials:
            self._unseen_serials.pop(key, None)
        self._serials = serials
        self.counts, self.invalid = counts, invalid
        self.invalid_sessions = invalid_sessions
        self._counted, self._valid_until = counted, issued.next_change(now)

    def _known_serial(self, session: ClientSession) -> int | None:
        serial = self._serials.get(session.key)
        return self._unseen_serials.get(session.key) if serial is None else serial

    def _clear(self) -> None:
        self.counts, self.invalid, self.invalid_sessions = None, {}, {}
        self._counted = self._valid_until = None


def _serial(env: Mapping[str, str]) -> int:
    """Return the serial number of the client's certificate; raises ValueError if there is none."""
    text = env.get("tls_serial_hex_0", "").replace(":", "")  # 2.3 and later
    base = 16
    if not text:
        text, base = env.get("tls_serial_0", ""), 10
    if len(text) > _MAX_SERIAL_DIGITS or not (text.isascii() and text.isalnum()):
        raise ValueError("no serial number")
    return int(text, base)
