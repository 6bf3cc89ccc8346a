from pathlib import Path

import pytest

from exporter.certificates.pki import PkiSource, pki_source
from exporter.certificates.source import CertificateDirective, CertificateSource
from exporter.config import ConfigError
from exporter.config.loader import load
from exporter.config.target import targets

OFFICE = "daemons:\n  - name: office\n    management: 127.0.0.1:7505\n"


def sources(directory: Path, text: str) -> list[PkiSource | None]:
    path = directory / "config.yaml"
    path.write_text(text)
    return [pki_source(target) for target in targets(load(path))]


def problem(directory: Path, text: str) -> str:
    with pytest.raises(ConfigError) as raised:
        sources(directory, text)
    (found,) = raised.value.problems
    return str(found).removeprefix(f"{directory}/config.yaml:")


def test_nothing_is_read_by_default(tmp_path: Path) -> None:
    assert sources(tmp_path, OFFICE) == [None]


def test_daemon_has_its_own_index_or_the_general_one(tmp_path: Path) -> None:
    text = (
        "pki: {index: index.txt}\n" + OFFICE + "  - name: lab\n    management: 127.0.0.1:7506\n"
        "    pki: {index: /etc/lab/index.txt}\n"
    )
    assert sources(tmp_path, text) == [
        PkiSource(tmp_path / "index.txt"),
        PkiSource(Path("/etc/lab/index.txt")),
    ]


def test_directory_has_the_crl_of_the_daemon(tmp_path: Path) -> None:
    text = "pki: {directory: issued}\n" + OFFICE + "    crl_verify: crl.pem\n    ca: ca.crt\n"
    crl = CertificateSource(CertificateDirective.CRL, tmp_path / "crl.pem")
    assert sources(tmp_path, text) == [
        PkiSource(tmp_path / "issued", is_directory=True, crls=(crl,))
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "pki: {index: a, directory: b}\n" + OFFICE,
            "1: pki.directory: is not needed with an index: remove one of the two",
        ),
        (
            OFFICE + "    pki:\n      directory: a\n      index: b\n",
            "5: daemons[0].pki.directory: is not needed with an index",
        ),
        ("pki: {series: true}\n" + OFFICE, "1: pki.index: is missing: add it, or directory"),
        ("pki: index.txt\n" + OFFICE, "1: pki: must be a section with keys: index, directory"),
    ],
)
def test_mistake_is_named(tmp_path: Path, text: str, words: str) -> None:
    assert problem(tmp_path, text).startswith(words)


def test_directory_needs_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exporter.config.types.can_read_certificates", lambda: False)
    assert "pip install cryptography" in problem(tmp_path, "pki: {directory: a}\n" + OFFICE)
    assert sources(tmp_path, "pki: {index: a}\n" + OFFICE) == [PkiSource(tmp_path / "a")]
