"""Generated certificates and revocation lists with given dates."""

import datetime

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

BEGIN = datetime.datetime(2025, 3, 1, 9, 0, tzinfo=datetime.UTC)
SOON = datetime.datetime(2031, 5, 17, 11, 30, tzinfo=datetime.UTC)
CRL_LIFETIME = datetime.timedelta(days=30)


def certificate(common_name: str, until: datetime.datetime = SOON) -> bytes:
    """Return the PEM of a certificate that is valid from `BEGIN` to `until`."""
    authority = trustme.CA()
    issued = authority.issue_cert(common_name=common_name, not_before=BEGIN, not_after=until)
    return issued.cert_chain_pems[0].bytes()


def serial_of(pem: bytes) -> str:
    """Return the serial number as printed by openssl, in lower case."""
    return format(x509.load_pem_x509_certificate(pem).serial_number, "x")


def revocation_list(issuer: str, next_update: datetime.datetime = SOON) -> bytes:
    """Return the PEM of an empty revocation list with this `nextUpdate`."""
    key = ec.generate_private_key(ec.SECP256R1())
    crl = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .last_update(next_update - CRL_LIFETIME)
        .next_update(next_update)
        .sign(key, hashes.SHA256())
    )
    return crl.public_bytes(serialization.Encoding.PEM)


class Issuer:
    """A CA that issues certificates with given serial numbers."""

    def __init__(self, name: str) -> None:
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._sign(self._name, 1000, SOON, ca=True)

    def issue(
        self,
        common_name: str,
        serial: int,
        *,
        until: datetime.datetime = SOON,
        server: bool = False,
    ) -> bytes:
        """Return the PEM of a certificate of a client or, with `server`, of a server."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        usage = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
        return self._sign(name, serial, until, x509.ExtendedKeyUsage([usage]), ca=False)

    def crl(self, *serials: int) -> bytes:
        """Return the PEM of a revocation list with these serial numbers."""
        crl = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._name)
            .last_update(BEGIN)
            .next_update(SOON)
        )
        for serial in serials:
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(BEGIN)
            crl = crl.add_revoked_certificate(entry.build())
        signed = crl.sign(self._key, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.PEM)

    def _sign(
        self,
        name: x509.Name,
        serial: int,
        until: datetime.datetime,
        *extensions: x509.ExtensionType,
        ca: bool,
    ) -> bytes:
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(self._key.public_key())
            .serial_number(serial)
            .not_valid_before(BEGIN)
            .not_valid_after(until)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        signed = builder.sign(self._key, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.PEM)
