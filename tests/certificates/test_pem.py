import ssl

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from exporter.certificates.pem import InvalidPem, convert_certificates, inline_block, parse
from exporter.certificates.source import Certificate, CertificateDirective, RevocationList
from tests.certificates.fixtures import (
    BEGIN,
    CRL_LIFETIME,
    SOON,
    certificate,
    revocation_list,
    serial_of,
)

OFFICE = certificate("office")
LISBON = certificate("lisbon")
CRL = revocation_list("office-ca")


def as_entry(pem: bytes, name: str) -> Certificate:
    return Certificate(name, serial_of(pem), BEGIN.timestamp(), SOON.timestamp())


@pytest.mark.parametrize("use", [CertificateDirective.CERT, CertificateDirective.CA])
def test_certificate_has_subject_and_validity(use: CertificateDirective) -> None:
    assert parse(OFFICE, use) == (as_entry(OFFICE, "office"),)


def test_text_around_the_blocks_is_ignored() -> None:
    content = b"Certificate:\n    Data: \xff\n" + OFFICE + b"\nnext\n" + LISBON + b"\n# end"
    assert parse(content, CertificateDirective.CA) == (
        as_entry(OFFICE, "office"),
        as_entry(LISBON, "lisbon"),
    )


def test_windows_line_ends_are_read() -> None:
    assert parse(OFFICE.replace(b"\n", b"\r\n"), CertificateDirective.CERT) == (
        as_entry(OFFICE, "office"),
    )


def test_crl_has_issuer_and_dates() -> None:
    last_update = (SOON - CRL_LIFETIME).timestamp()
    assert parse(CRL, CertificateDirective.CRL) == (
        RevocationList("office-ca", last_update, SOON.timestamp()),
    )


def test_file_may_have_several_crls() -> None:
    other = revocation_list("lisbon-ca")
    issuers = [
        entry.issuer
        for entry in parse(CRL + other, CertificateDirective.CRL)
        if isinstance(entry, RevocationList)
    ]
    assert issuers == ["office-ca", "lisbon-ca"]


@pytest.mark.parametrize(
    ("written", "other"),
    [
        (b"\x0c\x07\0office", b"\x03\x07\0office"),  # UTF8String, BIT STRING
        (b"\x82\x0eoffice.example", b"\xa3\x0eoffice.example"),  # dNSName, x400Address
    ],
)
def test_name_of_a_type_that_is_not_known_is_damaged(written: bytes, other: bytes) -> None:
    issued = trustme.CA().issue_cert("office.example", common_name="\0office")
    der = ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode())
    assert written in der
    changed = ssl.DER_cert_to_PEM_cert(der.replace(written, other)).encode()
    with pytest.raises(InvalidPem, match="damaged"):
        convert_certificates(changed, lambda found: (found.subject, found.extensions))


def test_control_characters_in_a_name_are_escaped() -> None:
    (entry,) = parse(certificate('a\n"b\\\x7f'), CertificateDirective.CERT)
    assert isinstance(entry, Certificate)
    assert entry.subject == r'a\x0a"b\\x7f'


@pytest.mark.parametrize(
    ("content", "use", "words"),
    [
        (b"", CertificateDirective.CERT, "no PEM block '-----BEGIN CERTIFICATE-----'"),
        (b"not PEM", CertificateDirective.CA, "no PEM block"),
        (CRL, CertificateDirective.CERT, "no PEM block '-----BEGIN CERTIFICATE-----'"),
        (OFFICE, CertificateDirective.CRL, "no PEM block '-----BEGIN X509 CRL-----'"),
        (OFFICE.replace(b"MII", b"AAA"), CertificateDirective.CERT, "damaged"),
        (OFFICE[:-60], CertificateDirective.CERT, "no PEM block"),
        (OFFICE + LISBON.replace(b"MII", b"!!!"), CertificateDirective.CA, "damaged"),
        (CRL.replace(b"MI", b"AA"), CertificateDirective.CRL, "damaged"),
    ],
)
def test_invalid_file_is_an_error(content: bytes, use: CertificateDirective, words: str) -> None:
    with pytest.raises(InvalidPem, match=words):
        parse(content, use)


@given(st.binary(), st.sampled_from(CertificateDirective))
def test_any_bytes_in_a_block_are_invalid(content: bytes, use: CertificateDirective) -> None:
    mark = b"X509 CRL" if use is CertificateDirective.CRL else b"CERTIFICATE"
    with pytest.raises(InvalidPem):
        parse(b"-----BEGIN " + mark + b"-----\n" + content + b"\n-----END " + mark + b"-----", use)


def test_unknown_version_is_invalid() -> None:
    written = ssl.PEM_cert_to_DER_cert(OFFICE.decode())
    v3, v8 = b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x07"
    assert v3 in written
    with pytest.raises(InvalidPem, match="damaged"):
        parse(
            ssl.DER_cert_to_PEM_cert(written.replace(v3, v8, 1)).encode(), CertificateDirective.CERT
        )


def test_inline_block_is_read_from_its_own_directive() -> None:
    configuration = b"dev tun\n<ca>\n" + OFFICE + b"</ca>\n <cert>\n" + LISBON + b" </cert>\n"
    assert parse(inline_block(configuration, CertificateDirective.CA), CertificateDirective.CA) == (
        as_entry(OFFICE, "office"),
    )
    assert parse(
        inline_block(configuration, CertificateDirective.CERT), CertificateDirective.CERT
    ) == (as_entry(LISBON, "lisbon"),)
    with pytest.raises(InvalidPem, match="no inline block <crl-verify>"):
        inline_block(configuration, CertificateDirective.CRL)
