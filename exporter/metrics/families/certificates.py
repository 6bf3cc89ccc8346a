"""The daemon's own certificates and revocation lists: how long they hold."""

from collections.abc import Iterable

from exporter.certificates.reading import Certificate, FileProblem, RevocationList
from exporter.certificates.source import CertificateSource, Directive
from exporter.management.values import clean
from exporter.metrics.family import Sample, gauge
from exporter.state.daemon import DaemonState


def _not_after(daemon: DaemonState) -> Iterable[Sample]:
    ends = {
        (
            *_labels(reading.source),
            _subject(daemon, reading.source, entry),
            entry.serial,
        ): entry.not_after
        for reading in daemon.certificates
        for entry in reading.entries
        if isinstance(entry, Certificate)
    }
    return ends.items()


def _next_update(daemon: DaemonState) -> Iterable[Sample]:
    """Give each issuer's newest list: OpenVPN takes the one that holds."""
    latest: dict[tuple[str, ...], float] = {}
    for reading in daemon.certificates:
        for entry in reading.entries:
            if isinstance(entry, RevocationList) and entry.next_update is not None:
                labels = (_file(reading.source), entry.issuer)
                latest[labels] = max(latest.get(labels, 0), entry.next_update)
    return latest.items()


def _problems(daemon: DaemonState) -> Iterable[Sample]:
    for reading in daemon.certificates:
        for problem in FileProblem:
            yield (*_labels(reading.source), problem.value), int(reading.problem is problem)


def _subject(daemon: DaemonState, source: CertificateSource, certificate: Certificate) -> str:
    """Return whose certificate it is; a tunnel's own names a client of some other server."""
    if source.use is Directive.CERT:
        return daemon.privacy.name(certificate.subject)
    return certificate.subject


def _labels(source: CertificateSource) -> tuple[str, str]:
    return _file(source), source.use.value


def _file(source: CertificateSource) -> str:
    return clean(str(source.path), _PATH_LIMIT)


_PATH_LIMIT = 255
"""Characters of a path that become a label."""

FAMILIES = (
    gauge(
        "openvpn_certificate_not_after_timestamp_seconds",
        "Unix time from which a certificate of the daemon's files does not hold any more.",
        _not_after,
        labels=("file", "directive", "subject", "serial"),
        while_up=False,
    ),
    gauge(
        "openvpn_crl_next_update_timestamp_seconds",
        "Unix time from which the daemon's revocation list does not hold any more, so that OpenVPN "
        "turns every client away.",
        _next_update,
        labels=("file", "issuer"),
        while_up=False,
    ),
    gauge(
        "openvpn_certificate_file_problem",
        "1 for the reason why a file of certificates or revocation lists can't be used, else 0; "
        "all 0 when it can.",
        _problems,
        labels=("file", "directive", "reason"),
        while_up=False,
    ),
)
