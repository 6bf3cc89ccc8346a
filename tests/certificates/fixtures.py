"""Generated certificates and revocation lists with given dates."""

import datetime

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SOON = datetime.datetime(2031, 5, 17, 11, 30, tzinfo=datetime.UTC)


def certificate(common_name: str, until: datetime.datetime = SOON) -> bytes:
    """Return the PEM of a certificate that expires at `until`."""
    authority = trustme.CA()
    return authority.issue_cert(common_name=common_name, not_after=until).cert_chain_pems[0].bytes()


def serial_of(pem: bytes) -> str:
    """Return the serial number as printed by openssl, in lower case."""
    return format(x509.load_pem_x509_certificate(pem).serial_number, "x")


def revocation_list(issuer: str, next_update: datetime.datetime = SOON) -> bytes:
    """Return the PEM of an empty revocation list with this `nextUpdate`."""
    key = ec.generate_private_key(ec.SECP256R1())
    crl = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .last_update(next_update - datetime.timedelta(days=30))
        .next_update(next_update)
        .sign(key, hashes.SHA256())
    )
    return crl.public_bytes(serialization.Encoding.PEM)
