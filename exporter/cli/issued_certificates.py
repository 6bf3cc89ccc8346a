"""The issued certificates of `check`: a table of their lists, and who has an invalid one."""

import datetime
from collections.abc import Iterator, Sequence

from exporter.certificates.issued import CertificateState
from exporter.certificates.pki import PkiState
from exporter.cli.output import table
from exporter.state.daemon import DaemonState

_HEADS = ("issued certificates", "valid", "expired", "revoked", "next expiry", "problem")
_STATES = (CertificateState.VALID, CertificateState.EXPIRED, CertificateState.REVOKED)
_DAY = 86_400
_MAX_NAMES = 10


def format_lists(lists: Sequence[PkiState]) -> str:
    """Return the lists as a table, "" without any."""
    return f"\n{table(_HEADS, [_row(pki) for pki in lists])}" if lists else ""


def _row(pki: PkiState) -> Sequence[str]:
    problem = pki.problem.value if pki.problem else ""
    if pki.issued is None:
        return str(pki.source.path), "", "", "", "", problem
    counts = pki.issued.counts(pki.now)
    soonest = pki.issued.soonest_expiry(pki.now)
    return (
        str(pki.source.path),
        *(str(counts[state]) for state in _STATES),
        "" if soonest is None else _date(soonest, pki.now),
        problem,
    )


def _date(moment: float, now: float) -> str:
    date = datetime.datetime.fromtimestamp(moment, datetime.UTC)
    return f"{date:%Y-%m-%d}, in {(moment - now) / _DAY:.0f} d"


def format_invalid(daemon: DaemonState) -> Iterator[str]:
    """Yield a line for the clients with revoked certificates, and one for those with expired."""
    counts = daemon.client_certificates.counts or {}
    for state in (CertificateState.REVOKED, CertificateState.EXPIRED):
        if not counts.get(state):
            continue
        names = [
            daemon.privacy.name(name)
            for name, found in daemon.client_certificates.invalid
            if found is state and daemon.privacy.shows_clients
        ]
        more = [f"and {len(names) - _MAX_NAMES} more"] * (len(names) > _MAX_NAMES)
        shown = ", ".join([*sorted(names)[:_MAX_NAMES], *more])
        yield (
            f"{daemon.name}: {counts[state]} connected with {_ARTICLES[state]} {state} certificate"
            + (f": {shown}" if shown else "")
        )


_ARTICLES = {CertificateState.REVOKED: "a", CertificateState.EXPIRED: "an"}
