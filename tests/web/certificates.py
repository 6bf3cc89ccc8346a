"""Certificates for tests: an authority, and files as a web configuration names them."""

import ssl
from pathlib import Path

import bcrypt
import trustme

PASSWORD = "correct horse"
HASH = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
"""The cheapest hash there is."""


class Authority:
    """A certificate authority, and the TLS contexts of clients that trust it."""

    def __init__(self, parent: "Authority | None" = None) -> None:
        kind = trustme.KeyType.ECDSA
        self._authority: trustme.CA = (
            trustme.CA(parent_cert=parent._authority, key_type=kind)
            if parent
            else trustme.CA(key_type=kind)
        )

    @property
    def pem(self) -> str:
        return self._authority.cert_pem.bytes().decode()

    def write(self, directory: Path, name: str, *identities: str) -> None:
        """Write `NAME.crt` and `NAME.key` into the directory."""
        issued = self._issue(*identities)
        chain = b"".join(pem.bytes() for pem in issued.cert_chain_pems)
        (directory / f"{name}.crt").write_bytes(chain)
        issued.private_key_pem.write_to_path(directory / f"{name}.key")

    def client(self, *identities: str) -> ssl.SSLContext:
        """Return the context of a client, with a certificate if it has an identity."""
        context = ssl.create_default_context(cadata=self.pem)
        if identities:
            self._issue(*identities).configure_cert(context)
        return context

    def _issue(self, *identities: str) -> trustme.LeafCert:
        return self._authority.issue_cert(*identities, key_type=trustme.KeyType.ECDSA)
