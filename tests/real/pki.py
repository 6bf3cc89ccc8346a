"""Test certificates with elliptic curve keys, which are fast to create."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from trustme import CA, Blob, KeyType


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

    def issue(self, common_name: str, *, trusts: "Authority | None" = None) -> Certificate:
        """Issue a certificate; ``common_name`` is any text of 1 to 64 bytes of UTF-8.

        ``trusts`` is the authority that the owner trusts; by default this one.
        """
        number = next(self._numbers)
        leaf = self._signer.issue_cert(common_name=common_name, key_type=KeyType.ECDSA)
        return Certificate(
            authority=(trusts or self).certificate,
            certificate=self._write(f"{number}.pem", leaf.cert_chain_pems[0]),
            key=self._write(f"{number}.key", leaf.private_key_pem),
        )

    def empty_crl(self) -> bytes:
        """Sign a list of revoked certificates that names none."""
        key = serialization.load_pem_private_key(self._signer.private_key_pem.bytes(), None)
        assert isinstance(key, EllipticCurvePrivateKey)
        now = datetime.datetime.now(datetime.UTC)
        crl = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(x509.load_pem_x509_certificate(self._signer.cert_pem.bytes()).subject)
            .last_update(now - datetime.timedelta(days=1))
            .next_update(now + datetime.timedelta(days=1))
            .sign(key, hashes.SHA256())
        )
        return crl.public_bytes(serialization.Encoding.PEM)

    def _write(self, name: str, content: Blob) -> Path:
        path = self._directory / name
        path.touch(mode=0o600)
        path.write_bytes(content.bytes())
        return path
