"""Test certificates with elliptic curve keys, which are fast to create."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.x509.oid import NameOID
from trustme import CA, Blob, KeyType

_DESCRIPTION = x509.ObjectIdentifier("2.5.4.13")


@dataclass(frozen=True, slots=True)
class Certificate:
    """Files of a certificate, its key, and the CA certificate that its owner trusts."""

    authority: Path
    certificate: Path
    key: Path

    @property
    def serial(self) -> int:
        """The serial number."""
        return x509.load_pem_x509_certificate(self.certificate.read_bytes()).serial_number

    def options(self) -> list[str]:
        """Return the OpenVPN options."""
        return [
            *("--ca", str(self.authority)),
            *("--cert", str(self.certificate)),
            *("--key", str(self.key)),
        ]


class Authority:
    """A certificate authority that writes into a directory of its own."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self._directory = directory
        self._signer = CA(key_type=KeyType.ECDSA)
        self._numbers: Iterator[int] = count(1)
        self.certificate = self._write("ca.pem", self._signer.cert_pem)

    def issue(
        self, common_name: str, *, trusts: "Authority | None" = None, description: str = ""
    ) -> Certificate:
        """Issue a certificate; ``common_name`` is any text of 1 to 64 bytes of UTF-8.

        ``trusts`` is the authority that the owner trusts; by default this one. With a
        ``description`` of any length, that and the common name are the whole subject.
        """
        number = next(self._numbers)
        leaf = self._signer.issue_cert(common_name=common_name, key_type=KeyType.ECDSA)
        certificate = leaf.cert_chain_pems[0]
        if description:
            certificate = self._with_subject(certificate, common_name, description)
        return Certificate(
            authority=(trusts or self).certificate,
            certificate=self._write(f"{number}.pem", certificate),
            key=self._write(f"{number}.key", leaf.private_key_pem),
        )

    def _with_subject(self, certificate: Blob, common_name: str, description: str) -> Blob:
        issued = x509.load_pem_x509_certificate(certificate.bytes())
        subject = [
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
            x509.NameAttribute(_DESCRIPTION, description),
        ]
        signed = x509.CertificateBuilder(
            issued.issuer,
            x509.Name(subject),
            issued.public_key(),
            issued.serial_number,
            issued.not_valid_before_utc,
            issued.not_valid_after_utc,
        ).sign(self._key, hashes.SHA256())
        return Blob(signed.public_bytes(serialization.Encoding.PEM))

    @property
    def _key(self) -> EllipticCurvePrivateKey:
        key = serialization.load_pem_private_key(self._signer.private_key_pem.bytes(), None)
        assert isinstance(key, EllipticCurvePrivateKey)
        return key

    def empty_crl(self) -> bytes:
        """Sign a list of revoked certificates that names none."""
        now = datetime.datetime.now(datetime.UTC)
        crl = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(x509.load_pem_x509_certificate(self._signer.cert_pem.bytes()).subject)
            .last_update(now - datetime.timedelta(days=1))
            .next_update(now + datetime.timedelta(days=1))
            .sign(self._key, hashes.SHA256())
        )
        return crl.public_bytes(serialization.Encoding.PEM)

    def _write(self, name: str, content: Blob) -> Path:
        path = self._directory / name
        path.touch(mode=0o600)
        path.write_bytes(content.bytes())
        return path
