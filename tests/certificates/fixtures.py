"""Generated certificates and revocation lists with given dates."""

import datetime

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

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
