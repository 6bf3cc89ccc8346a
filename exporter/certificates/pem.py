"""What a file of certificates or revocation lists says, from its bytes.

OpenVPN reads PEM; text around the blocks, as easy-rsa writes it, is none of its business or ours.
"""

import re

from cryptography import x509
from cryptography.x509.oid import NameOID

from exporter.certificates.reading import Certificate, Entry, RevocationList
from exporter.certificates.source import Directive
from exporter.management.values import clean

_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_REVOCATION_LIST = re.compile(rb"-----BEGIN X509 CRL-----.*?-----END X509 CRL-----", re.DOTALL)


class InvalidPem(ValueError):
    """The bytes are not what they should be; the text says what is wrong with them."""


def parse(content: bytes, use: Directive) -> tuple[Entry, ...]:
    """Return every entry of a file, in its order.

    Raises:
        Garbage: there is none, or one of them can't be read.
    """
    try:
        entries = _revocation_lists(content) if use is Directive.CRL else _certificates(content)
    except (ValueError, x509.InvalidVersion) as error:
        # The library's own words tell more of its inside than of the file.
        raise InvalidPem("a PEM block in it is damaged") from error
    if not entries:
        what = "X509 CRL" if use is Directive.CRL else "CERTIFICATE"
        raise InvalidPem(f"it has no PEM block '-----BEGIN {what}-----'")
    return entries


def inline_block(configuration: bytes, use: Directive) -> bytes:
    """Return the inline block of a directive in an OpenVPN configuration: `<ca>` to `</ca>`.

    Raises:
        Garbage: the configuration has none.
    """
    name = re.escape(use.value.encode())
    block = re.search(rb"^\s*<" + name + rb">(.*?)^\s*</" + name + rb">", configuration, _BLOCK)
    if block is None:
        raise InvalidPem(f"it has no inline block <{use.value}>")
    return block[1]


_BLOCK = re.DOTALL | re.MULTILINE


def _certificates(content: bytes) -> tuple[Entry, ...]:
    return tuple(map(_certificate, _CERTIFICATE.findall(content)))


def _revocation_lists(content: bytes) -> tuple[Entry, ...]:
    return tuple(map(_revocation_list, _REVOCATION_LIST.findall(content)))


def _certificate(block: bytes) -> Certificate:
    certificate = x509.load_pem_x509_certificate(block)
    return Certificate(
        subject=_name(certificate.subject),
        serial=f"{certificate.serial_number:x}",
        not_after=certificate.not_valid_after_utc.timestamp(),
    )


def _revocation_list(block: bytes) -> RevocationList:
    crl = x509.load_pem_x509_crl(block)
    due = crl.next_update_utc
    return RevocationList(_name(crl.issuer), None if due is None else due.timestamp())


def _name(name: x509.Name) -> str:
    """Return the common name, or the whole name where it has none."""
    common_names = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    if not common_names:
        return clean(name.rfc4514_string())
    value = common_names[-1].value
    return clean(value if isinstance(value, str) else value.decode("utf-8", "replace"))
