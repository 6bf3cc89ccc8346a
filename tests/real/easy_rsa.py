"""A PKI made by Debian's easy-rsa."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.real.pki import Certificate

PROGRAM = "/usr/share/easy-rsa/easyrsa"


@dataclass(frozen=True, slots=True)
class EasyRsa:
    """A CA in a directory of its own, which is easy-rsa's `pki`."""

    pki: Path

    @classmethod
    def create(cls, pki: Path) -> "EasyRsa":
        """Create the CA."""
        easy_rsa = cls(pki)
        easy_rsa.run("init-pki")
        easy_rsa.run("build-ca", "nopass")
        return easy_rsa

    @property
    def index(self) -> Path:
        """The index of issued certificates."""
        return self.pki / "index.txt"

    @property
    def crl(self) -> Path:
        """The revocation list, after `gen-crl`."""
        return self.pki / "crl.pem"

    def run(self, *command: str) -> None:
        """Run a command of easy-rsa that must succeed."""
        variables = {
            "EASYRSA_PKI": str(self.pki),
            "EASYRSA_BATCH": "1",
            "EASYRSA_ALGO": "ec",
            "EASYRSA_CERT_RENEW": "9999",  # else `renew` wants a certificate that expires soon
        }
        done = subprocess.run(  # noqa: S603 -- the program of a package
            [PROGRAM, *command],
            env=os.environ | variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"

    def issue(self, name: str, *, server: bool = False) -> Certificate:
        """Issue a certificate; the files are copies, which a revocation does not move away."""
        for left in ("reqs/{}.req", "private/{}.key", "issued/{}.crt"):
            (self.pki / left.format(name)).unlink(missing_ok=True)  # 3.2.2, after `revoke`
        self.run("build-server-full" if server else "build-client-full", name, "nopass")
        return self.certificate(name)

    def certificate(self, name: str) -> Certificate:
        """Return copies of the files of the newest certificate of a name."""
        number = len(list(self.pki.parent.glob(f"{name}-*.crt")))
        found = self.pki / "issued" / f"{name}.crt", self.pki / "private" / f"{name}.key"
        certificate, key = (
            Path(shutil.copy(file, self.pki.parent / f"{name}-{number}{file.suffix}"))
            for file in found
        )
        return Certificate(authority=self.pki / "ca.crt", certificate=certificate, key=key)
