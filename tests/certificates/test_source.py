from pathlib import Path

import pytest

from exporter.certificates import source
from exporter.certificates.source import (
    CertificateDirective,
    CertificateSource,
    certificate_sources,
)
from exporter.config import DaemonConfig, discovered
from exporter.config.loader import load
from exporter.management.endpoint import parse_endpoint

OPENVPN = """\
management 127.0.0.1 7505
cert office.crt
crl-verify crl.pem
<ca>
-----BEGIN CERTIFICATE-----
-----END CERTIFICATE-----
</ca>
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "office.conf").write_text(OPENVPN)
    return tmp_path


def load_daemon(directory: Path, text: str) -> DaemonConfig:
    path = directory / "config.yaml"
    path.write_text(text)
    (daemon,) = load(path).daemons
    return daemon


def test_daemon_without_certificate_keys_has_no_source() -> None:
    daemon = DaemonConfig(name="office", management=parse_endpoint("127.0.0.1:7505"))
    assert certificate_sources(daemon) == ()


def test_discovered_daemon_has_the_files_of_its_configuration(directory: Path) -> None:
    assert certificate_sources(load_daemon(directory, "discover: ['*.conf']")) == (
        CertificateSource(CertificateDirective.CERT, directory / "office.crt"),
        CertificateSource(CertificateDirective.CA, directory / "office.conf", inline=True),
        CertificateSource(CertificateDirective.CRL, directory / "crl.pem"),
    )


def test_keys_override_discovered_files(directory: Path) -> None:
    text = "discover: ['*.conf']\ndaemons: [{name: office, ca: other.crt, cert: /etc/own.crt}]"
    assert certificate_sources(load_daemon(directory, text)) == (
        CertificateSource(CertificateDirective.CERT, Path("/etc/own.crt")),
        CertificateSource(CertificateDirective.CA, directory / "other.crt"),
        CertificateSource(CertificateDirective.CRL, directory / "crl.pem"),
    )


def test_crl_directory_is_no_source(directory: Path) -> None:
    (directory / "office.conf").write_text(OPENVPN.replace("crl.pem", "revoked dir"))
    uses = [
        source.directive
        for source in certificate_sources(load_daemon(directory, "discover: ['*.conf']"))
    ]
    assert uses == [CertificateDirective.CERT, CertificateDirective.CA]


def test_no_source_without_the_library(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (discovered, source):
        monkeypatch.setattr(module, "can_read_certificates", lambda: False)
    assert certificate_sources(load_daemon(directory, "discover: ['*.conf']")) == ()
