"""Certificate files of the demo: their expiry is real, nothing else of them is used.

They need the extra `certificates`.
"""

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_CA_NAME = "Example VPN CA"
_CA_VALIDITY = datetime.timedelta(days=3650)
_CRL_VALIDITY = datetime.timedelta(days=150)


class Authority:
    """A certificate authority, which writes files into a directory; `now` is Unix time."""

    def __init__(self, directory: Path, now: float) -> None:
        self._directory = directory
        self._now = datetime.datetime.fromtimestamp(now, datetime.UTC)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.ca = self._write("ca.crt", self._certificate(_CA_NAME, _CA_VALIDITY))

    def certificate(self, common_name: str, days: int) -> Path:
        """Write a certificate that expires in some days."""
        content = self._certificate(common_name, datetime.timedelta(days=days))
        return self._write(f"{common_name}.crt", content)

    def revocation_list(self) -> Path:
        """Write an empty revocation list."""
        crl = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(_name(_CA_NAME))
            .last_update(self._now)
            .next_update(self._now + _CRL_VALIDITY)
            .sign(self._key, hashes.SHA256())
        )
        return self._write("crl.pem", crl.public_bytes(serialization.Encoding.PEM))

    def _certificate(self, common_name: str, validity: datetime.timedelta) -> bytes:
        certificate = (
            x509.CertificateBuilder()
            .subject_name(_name(common_name))
            .issuer_name(_name(_CA_NAME))
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now - datetime.timedelta(days=1))
            .not_valid_after(self._now + validity)
            .sign(self._key, hashes.SHA256())
        )
        return certificate.public_bytes(serialization.Encoding.PEM)

    def _write(self, name: str, content: bytes) -> Path:
        path = self._directory / name
        path.write_bytes(content)
        return path


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
