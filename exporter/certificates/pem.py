"""The certificates or revocation lists in a file's bytes.

OpenVPN reads PEM, and ignores text around the blocks, as easy-rsa writes it.
"""

import re
from collections.abc import Callable, Iterable
from typing import TypeVar

from cryptography import x509
from cryptography.x509.oid import NameOID

from exporter.certificates.source import Certificate, CertificateDirective, Entry, RevocationList
from exporter.management.values import clean, decode

_T = TypeVar("_T")

_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_REVOCATION_LIST = re.compile(rb"-----BEGIN X509 CRL-----.*?-----END X509 CRL-----", re.DOTALL)

_PARSER_ERRORS = (
    ValueError,
    TypeError,  # a name that is a BIT STRING, as a client may have asked for
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)


class InvalidPem(ValueError):
    """The bytes are not the expected PEM; the text is the reason."""


def parse(content: bytes, directive: CertificateDirective) -> tuple[Entry, ...]:
    """Return every entry of a file, in order.

    Raises:
        InvalidPem: the file has no entry, or an entry can't be parsed.
    """
    is_crl = directive is CertificateDirective.CRL
    entries: tuple[Entry, ...] = (
        convert_crls(content, _revocation_list)
        if is_crl
        else convert_certificates(content, _certificate)
    )
    if not entries:
        label = "X509 CRL" if is_crl else "CERTIFICATE"
        raise InvalidPem(f"no PEM block '-----BEGIN {label}-----'")
    return entries


def inline_block(configuration: bytes, directive: CertificateDirective) -> bytes:
    """Return the inline block of a directive in an OpenVPN configuration: `<ca>` to `</ca>`.

    Raises:
        InvalidPem: the configuration has none.
    """
    name = re.escape(directive.value.encode())
    block = re.search(rb"^\s*<" + name + rb">(.*?)^\s*</" + name + rb">", configuration, _BLOCK)
    if block is None:
        raise InvalidPem(f"no inline block <{directive.value}>")
    return block[1]


_BLOCK = re.DOTALL | re.MULTILINE


def convert_certificates(
    content: bytes, convert: Callable[[x509.Certificate], _T]
) -> tuple[_T, ...]:
    """Return `convert` of each certificate of a file, in order; raises InvalidPem."""
    return _convert(
        _CERTIFICATE.findall(content),
        lambda block: convert(x509.load_pem_x509_certificate(block)),
    )


def convert_crls(
    content: bytes, convert: Callable[[x509.CertificateRevocationList], _T]
) -> tuple[_T, ...]:
    """Return `convert` of each revocation list of a file, in order; raises InvalidPem."""
    return _convert(
        _REVOCATION_LIST.findall(content),
        lambda block: convert(x509.load_pem_x509_crl(block)),
    )


def _convert(blocks: Iterable[bytes], convert: Callable[[bytes], _T]) -> tuple[_T, ...]:
    try:
        return tuple(map(convert, blocks))
    except _PARSER_ERRORS as error:
        # The library's own message is about its parser, not about the file.
        raise InvalidPem("a PEM block is damaged") from error


def _certificate(certificate: x509.Certificate) -> Certificate:
    return Certificate(
        subject=_name(certificate.subject),
        serial=f"{certificate.serial_number:x}",
        not_before=certificate.not_valid_before_utc.timestamp(),
        not_after=certificate.not_valid_after_utc.timestamp(),
    )


def _revocation_list(crl: x509.CertificateRevocationList) -> RevocationList:
    next_update = crl.next_update_utc
    timestamp = None if next_update is None else next_update.timestamp()
    return RevocationList(
        issuer=_name(crl.issuer),
        last_update=crl.last_update_utc.timestamp(),
        next_update=timestamp,
    )


def _name(name: x509.Name) -> str:
    """Return the common name, or the whole name if it has none."""
    common_names = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    if not common_names:
        return clean(name.rfc4514_string())
    value = common_names[-1].value
    return clean(value if isinstance(value, str) else decode(value))
