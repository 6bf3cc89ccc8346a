"""The certificates that a CA has issued, as one value.

It does not depend on the time: expiry is computed from the dates whenever it is asked for, in no
more than the time of a binary search. Times are in seconds since the epoch.
"""

import enum
import heapq
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec

from exporter.management.batches import row_batches

_SORT_SIZE = 10_000
"""Values that are sorted in one call: some milliseconds."""

_T = TypeVar("_T", int, tuple[int, str])


class CertificateState(enum.StrEnum):
    """Whether a certificate is accepted at a moment.

    A revoked one stays revoked after its date. `UNKNOWN`: it is not one of those that are known.
    """

    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


class IssuedCertificate(msgspec.Struct, frozen=True, gc=False):
    """One certificate; `common_name` is the name that OpenVPN shows, "" if it has none."""

    common_name: str
    serial: int
    not_after: int
    revoked: bool

    def state(self, now: float) -> CertificateState:
        """Return its state at `now`."""
        if self.revoked:
            return CertificateState.REVOKED
        return CertificateState.VALID if self.not_after >= now else CertificateState.EXPIRED


class IssuedCertificates:
    """All certificates of one CA, by serial number and by name."""

    def __init__(self, certificates: Iterable[IssuedCertificate] = ()) -> None:
        """No step of it holds the interpreter's lock for long: it runs in a thread."""
        self._by_serial: dict[int, IssuedCertificate] = {}
        self._until: dict[str, int] = {}
        """The expiry of each name: that of the certificate, not revoked, that expires last."""
        self._revoked_names: set[str] = set()
        self._revoked = 0
        expiries: list[int] = []
        for certificate in certificates:
            name, not_after = certificate.common_name, certificate.not_after
            self._add_serial(certificate)
            if certificate.revoked:
                self._revoked += 1
                self._revoked_names.add(name)
                continue
            expiries.append(not_after)
            if name and not_after > self._until.get(name, -1):
                self._until[name] = not_after
        self._expiries = _sorted(expiries)
        by_expiry = _sorted([(not_after, name) for name, not_after in self._until.items()])
        self._name_expiries: Sequence[int] = [not_after for not_after, _ in by_expiry]
        self._names: Sequence[str] = [name for _, name in by_expiry]

    def _add_serial(self, certificate: IssuedCertificate) -> None:
        """Add a certificate; two CAs may have used one number: then the one in force counts."""
        known = self._by_serial.get(certificate.serial)
        if known is None or (known.revoked, -known.not_after) > (
            certificate.revoked,
            -certificate.not_after,
        ):
            self._by_serial[certificate.serial] = certificate

    def __len__(self) -> int:
        """Return the number of certificates."""
        return self._revoked + len(self._expiries)

    def counts(self, now: float) -> Mapping[CertificateState, int]:
        """Return the number of certificates in each state at `now`."""
        expired = bisect_left(self._expiries, now)
        return {
            CertificateState.VALID: len(self._expiries) - expired,
            CertificateState.EXPIRED: expired,
            CertificateState.REVOKED: self._revoked,
        }

    def state(self, name: str, serial: int | None, now: float) -> CertificateState:
        """Return the state of a client's certificate at `now`.

        Without a serial number, any valid certificate of the name makes it valid: a certificate
        that was issued again is no reason to suspect the client.
        """
        if serial is not None:
            certificate = self._by_serial.get(serial)
            return certificate.state(now) if certificate else CertificateState.UNKNOWN
        until = self._until.get(name)
        if until is not None and until >= now:
            return CertificateState.VALID
        if name in self._revoked_names:
            return CertificateState.REVOKED
        return CertificateState.UNKNOWN if until is None else CertificateState.EXPIRED

    def soonest_expiry(self, now: float) -> int | None:
        """Return the first expiry of a name from `now` on; None if no name is valid."""
        index = bisect_left(self._name_expiries, now)
        return self._name_expiries[index] if index < len(self._name_expiries) else None

    def next_change(self, now: float) -> int | None:
        """Return the last moment until which all states stay as they are at `now`, if any."""
        index = bisect_left(self._expiries, now)
        return self._expiries[index] if index < len(self._expiries) else None

    def expiring(self, now: float, seconds: float) -> int:
        """Return how many names that are valid at `now` are no more `seconds` later."""
        after = bisect_left(self._name_expiries, now + seconds)
        return after - bisect_left(self._name_expiries, now)

    def valid_names(self, now: float) -> Sequence[str]:
        """Return the names with a valid certificate at `now`, the first to expire first."""
        return self._names[bisect_left(self._name_expiries, now) :]

    def name_expiries(self, since: float) -> Iterator[tuple[str, int]]:
        """Yield each name that expires at `since` or later, and its expiry, the soonest first."""
        for index in range(bisect_left(self._name_expiries, since), len(self._names)):
            yield self._names[index], self._name_expiries[index]


def _sorted(values: Sequence[_T]) -> list[_T]:
    """Sort in batches: a single call would not let another thread run meanwhile."""
    return list(heapq.merge(*map(sorted, row_batches(values, _SORT_SIZE))))
