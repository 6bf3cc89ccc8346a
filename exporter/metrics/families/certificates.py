"""The certificates and revocation lists in the daemon's own files."""

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


def _not_after(daemon: DaemonState) -> Samples:
    samples: dict[tuple[str, ...], float] = {}
    for file in daemon.certificates:
        for entry in file.entries:
            if isinstance(entry, Certificate):
                subject = entry.subject
                if (
                    file.source.directive is CertificateDirective.CERT
                ):  # that of a tunnel names a client
                    subject = daemon.privacy.name(subject)
                samples[*_labels(file.source), subject, entry.serial] = entry.not_after
    return samples


def _next_update(daemon: DaemonState) -> Samples:
    """Return the time of each issuer's newest CRL: OpenVPN uses the one that is valid."""
    samples: dict[tuple[str, ...], float] = {}
    for file in daemon.certificates:
        for entry in file.entries:
            if isinstance(entry, RevocationList) and entry.next_update is not None:
                labels = (_path(file.source), entry.issuer)
                samples[labels] = max(samples.get(labels, 0), entry.next_update)
    return samples


def _problem(daemon: DaemonState) -> dict[tuple[str, ...], float]:
    return {
        (*_labels(file.source), problem.value): int(file.problem is problem)
        for file in daemon.certificates
        for problem in FileProblem
    }


def _labels(source: CertificateSource) -> tuple[str, str]:
    return _path(source), source.directive.value


def _path(source: CertificateSource) -> str:
    return clean(str(source.path), _PATH_LIMIT)


FAMILIES = (
    gauge(
        "openvpn_certificate_not_after_timestamp_seconds",
        "Unix time of the expiry (notAfter) of a certificate in the daemon's files.",
        _not_after,
        labels=("file", "directive", "subject", "serial"),
        while_up=False,
    ),
    gauge(
        "openvpn_crl_next_update_timestamp_seconds",
        "Unix time of the nextUpdate of a CRL; OpenVPN rejects all clients after it.",
        _next_update,
        labels=("file", "issuer"),
        while_up=False,
    ),
    gauge(
        "openvpn_certificate_file_problem",
        "1 for the reason why a certificate or CRL file is unusable, else 0; all 0 while it is "
        "usable.",
        _problem,
        labels=("file", "directive", "reason"),
        while_up=False,
    ),
)
