"""The certificates that the CA has issued, and those of the connected clients."""

from collections.abc import Generator
from typing import NamedTuple

from exporter.certificates.issued import CertificateState, IssuedCertificates
from exporter.config.durations import parse_duration
from exporter.config.pki import EXPIRY_WINDOWS
from exporter.management.batches import row_batches
from exporter.metrics.families.certificates import path_label
from exporter.metrics.family import LabelledValues, PerClientSamples, Samples, gauge
from exporter.state.daemon import DaemonState

_MAX_INVALID = 100
"""Clients with an invalid certificate that have a series; there should be none."""

_SHOWN_AFTER_EXPIRY = 30 * 86_400
"""Seconds for which the series of a name stays after the expiry of its certificate."""

_ISSUED_STATES = (CertificateState.VALID, CertificateState.EXPIRED, CertificateState.REVOKED)


class _IssuedList(NamedTuple):
    """The certificates of a daemon's clients at `now`, and the label of their list."""

    file: str
    issued: IssuedCertificates
    now: float


def _issued_list(daemon: DaemonState) -> _IssuedList | None:
    """Return the certificates of the daemon's clients; None if it has none, or they are unknown."""
    pki = daemon.client_certificates.pki
    if pki is None or pki.issued is None or daemon.modes.is_tunnel:
        return None
    return _IssuedList(path_label(pki.source.path), pki.issued, pki.now)


def _list_inputs(daemon: DaemonState) -> object:
    return daemon.client_certificates.pki, daemon.modes.is_tunnel


def _counts(daemon: DaemonState) -> dict[tuple[str, ...], float] | None:
    found = _issued_list(daemon)
    if found is None:
        return None
    counts = found.issued.counts(found.now)
    return {(found.file, state.value): counts[state] for state in _ISSUED_STATES}


def _expiring(daemon: DaemonState) -> dict[tuple[str, ...], float] | None:
    found = _issued_list(daemon)
    if found is None:
        return None
    return {
        (found.file, window): found.issued.expiring(found.now, parse_duration(window))
        for window in EXPIRY_WINDOWS
    }


def _soonest(daemon: DaemonState) -> Samples:
    found = _issued_list(daemon)
    soonest = found.issued.soonest_expiry(found.now) if found else None
    return None if found is None or soonest is None else {found.file: soonest}


def _not_after(daemon: DaemonState) -> Generator[None, None, LabelledValues]:
    found, shown = _issued_list(daemon), dict[str, float]()
    config, limit = daemon.target.pki, daemon.target.clients.limit
    if found is None or config is None or not config.series or not daemon.privacy.shows_clients:
        return shown
    for batch in row_batches(found.issued.name_expiries(found.now - _SHOWN_AFTER_EXPIRY)):
        shown |= {daemon.privacy.name(name): not_after for name, not_after in batch}
        if len(shown) >= limit:
            break
        yield
    return dict(list(shown.items())[:limit])


def _by_state(daemon: DaemonState) -> Samples:
    counts = daemon.client_certificates.counts
    if counts is None or daemon.modes.is_tunnel:
        return None
    return {state.value: counts[state] for state in CertificateState}


def _invalid(daemon: DaemonState) -> Generator[None, None, LabelledValues]:
    found: dict[tuple[str, ...], float] = {}
    if not daemon.privacy.shows_clients:
        return found
    clients = list(daemon.client_certificates.invalid.items())
    for wanted in (CertificateState.REVOKED, CertificateState.EXPIRED):
        for batch in row_batches(clients):
            for (name, state), sessions in batch:
                if state is wanted and len(found) < _MAX_INVALID:
                    found[daemon.privacy.name(name), state.value] = sessions
            yield
    return found


FAMILIES = (
    gauge(
        "openvpn_issued_certificates",
        "Certificates that the CA has issued, by state; a revoked one stays revoked after its "
        "expiry.",
        _counts,
        labels=("file", "state"),
        common=True,
        while_up=False,
        inputs=_list_inputs,
    ),
    gauge(
        "openvpn_issued_certificates_expiring",
        "Names whose last valid certificate expires within this time.",
        _expiring,
        labels=("file", "within"),
        common=True,
        while_up=False,
        inputs=_list_inputs,
    ),
    gauge(
        "openvpn_issued_certificates_next_expiry_timestamp_seconds",
        "Unix time at which the next name is left without a valid certificate.",
        _soonest,
        labels=("file",),
        common=True,
        while_up=False,
        inputs=_list_inputs,
    ),
    gauge(
        "openvpn_issued_certificate_not_after_timestamp_seconds",
        "Unix time of the expiry of the last valid certificate of a name, until 30 days after it; "
        "with 'series' of 'pki', 'clients.limit' series at most.",
        PerClientSamples(_not_after),
        labels=("common_name",),
        while_up=False,
        inputs=lambda daemon: (
            daemon.client_certificates.names_revision,
            daemon.modes.is_tunnel,
        ),
    ),
    gauge(
        "openvpn_server_clients_by_certificate",
        "Connected clients by the state of their certificate; unknown if the CA has issued none "
        "with their serial number or name.",
        _by_state,
        labels=("state",),
        common=True,
        inputs=lambda daemon: (daemon.client_certificates.counts, daemon.modes.is_tunnel),
    ),
)

CLIENTS = (
    gauge(
        "openvpn_server_client_invalid_certificate_sessions",
        "Current sessions of a client with a revoked or expired certificate; 100 series at most.",
        PerClientSamples(_invalid),
        labels=("common_name", "state"),
        inputs=lambda daemon: daemon.client_certificates.invalid,
    ),
)
"""Enabled by `clients.series`."""
