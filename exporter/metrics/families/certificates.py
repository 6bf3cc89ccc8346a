"""The certificates and revocation lists in the daemon's own files."""

import operator
from pathlib import Path

from exporter.certificates.source import (
    Certificate,
    CertificateDirective,
    CertificateSource,
    FileProblem,
    RevocationList,
)
from exporter.management.values import clean
from exporter.metrics.family import Samples, gauge
from exporter.state.daemon import DaemonState

_PATH_LIMIT = 255
"""Characters of a path in a label."""


def _not_before(daemon: DaemonState) -> Samples:
    return {labels: entry.not_before for labels, entry in _certificates(daemon).items()}


def _not_after(daemon: DaemonState) -> Samples:
    return {labels: entry.not_after for labels, entry in _certificates(daemon).items()}


def _last_update(daemon: DaemonState) -> Samples:
    return {labels: crl.last_update for labels, (_, crl) in _newest_crls(daemon).items()}


def _next_update(daemon: DaemonState) -> Samples:
    return {labels: next_update for labels, (next_update, _) in _newest_crls(daemon).items()}


def _certificates(daemon: DaemonState) -> dict[tuple[str, ...], Certificate]:
    found: dict[tuple[str, ...], Certificate] = {}
    for file in daemon.certificates:
        for entry in file.entries:
            if isinstance(entry, Certificate):
                subject = entry.subject
                if (
                    file.source.directive is CertificateDirective.CERT
                ):  # that of a tunnel names a client
                    subject = daemon.privacy.name(subject)
                found[*_labels(file.source), subject, entry.serial] = entry
    return found


def _newest_crls(daemon: DaemonState) -> dict[tuple[str, ...], tuple[float, RevocationList]]:
    """Return each issuer's newest CRL and its `nextUpdate`: OpenVPN uses the one that is valid."""
    newest: dict[tuple[str, ...], tuple[float, RevocationList]] = {}
    for file in daemon.certificates:
        for entry in file.entries:
            if isinstance(entry, RevocationList) and entry.next_update is not None:
                labels = (path_label(file.source.path), entry.issuer)
                if labels not in newest or entry.next_update > newest[labels][0]:
                    newest[labels] = (entry.next_update, entry)
    return newest


def _problem(daemon: DaemonState) -> dict[tuple[str, ...], float]:
    problems = {_labels(file.source): file.problem for file in daemon.certificates}
    if (pki := daemon.client_certificates.pki) is not None and not daemon.modes.is_tunnel:
        problems[path_label(pki.source.path), "pki"] = pki.problem
    return {
        (*labels, problem.value): int(found is problem)
        for labels, found in problems.items()
        for problem in FileProblem
    }


def _labels(source: CertificateSource) -> tuple[str, str]:
    return path_label(source.path), source.directive.value


def path_label(path: Path) -> str:
    """Return the label value for a path."""
    return clean(str(path), _PATH_LIMIT)


def _problem_inputs(daemon: DaemonState) -> object:
    pki = daemon.client_certificates.pki
    problem = None if pki is None else (pki.source, pki.problem)
    return daemon.certificates, problem, daemon.modes.is_tunnel


_certificate_inputs = operator.attrgetter("certificates", "privacy")
_crl_inputs = operator.attrgetter("certificates")

FAMILIES = (
    gauge(
        "openvpn_certificate_not_before_timestamp_seconds",
        "Unix time from which a certificate in the daemon's files is valid (notBefore).",
        _not_before,
        labels=("file", "directive", "subject", "serial"),
        common=True,
        while_up=False,
        inputs=_certificate_inputs,
    ),
    gauge(
        "openvpn_certificate_not_after_timestamp_seconds",
        "Unix time of the expiry (notAfter) of a certificate in the daemon's files.",
        _not_after,
        labels=("file", "directive", "subject", "serial"),
        common=True,
        while_up=False,
        inputs=_certificate_inputs,
    ),
    gauge(
        "openvpn_crl_last_update_timestamp_seconds",
        "Unix time of the lastUpdate of a CRL: when it was created.",
        _last_update,
        labels=("file", "issuer"),
        common=True,
        while_up=False,
        inputs=_crl_inputs,
    ),
    gauge(
        "openvpn_crl_next_update_timestamp_seconds",
        "Unix time of the nextUpdate of a CRL; OpenVPN rejects all clients after it.",
        _next_update,
        labels=("file", "issuer"),
        common=True,
        while_up=False,
        inputs=_crl_inputs,
    ),
    gauge(
        "openvpn_certificate_file_problem",
        "1 for the reason why a certificate or CRL file, or the list of 'pki', is unusable, else "
        "0; all 0 while it is usable.",
        _problem,
        labels=("file", "directive", "reason"),
        common=True,
        while_up=False,
        inputs=_problem_inputs,
    ),
)
