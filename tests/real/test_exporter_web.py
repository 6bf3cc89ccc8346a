"""A real Prometheus scrapes the exporter over TLS, with a certificate and a password."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import run

import bcrypt
import yaml

from tests.real.lab import Lab
from tests.real.management import LOOPBACK
from tests.real.program import program
from tests.real.prometheus import Prometheus, prometheus
from tests.real.waiting import eventually
from tests.web.certificates import Authority

PASSWORD = "correct horse battery staple"
OTHER_PASSWORD = "staple battery horse correct"
USER = "prometheus"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exporter:
    """An exporter with a web configuration."""

    address: str
    directory: Path

    @property
    def web_config(self) -> Path:
        """The web configuration file."""
        return self.directory / "web.yaml"

    @property
    def log(self) -> str:
        """The log so far."""
        return (self.directory / "exporter.log").read_text()


@asynccontextmanager
async def protected_exporter(lab: Lab, directory: Path) -> AsyncIterator[Exporter]:
    """Run an exporter that requires a certificate and a password; its daemon is down.

    ``prometheus`` has a certificate of its authority, ``other`` one of another authority.
    """
    issue_certificates(directory)
    exporter = Exporter(address=f"{LOOPBACK}:{lab.port()}", directory=directory)
    write_web_config(exporter, PASSWORD)
    command = [
        *(sys.executable, "-m", "exporter", "--log.level=debug"),
        f"--openvpn.management={LOOPBACK}:{lab.port()}",
        f"--web.listen-address={exporter.address}",
        f"--web.config.file={exporter.web_config}",
    ]
    async with program(*command, log=directory / "exporter.log"):
        await eventually(lambda: listening(exporter))
        yield exporter


def issue_certificates(directory: Path) -> None:
    authority = Authority()
    authority.write(directory, "exporter", LOOPBACK)
    authority.write(directory, "prometheus", "prometheus")
    Authority().write(directory, "other", "prometheus")
    (directory / "authority.crt").write_text(authority.pem)


def write_web_config(exporter: Exporter, password: str) -> None:
    """Require a certificate of the authority and this password."""
    hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(5)).decode()
    config = {
        "tls_server_config": {
            "cert_file": "exporter.crt",
            "key_file": "exporter.key",
            "client_auth_type": "RequireAndVerifyClientCert",
            "client_ca_file": "authority.crt",
        },
        "basic_auth_users": {USER: hashed},
        "http_server_config": {"headers": {"X-Content-Type-Options": "nosniff"}},
    }
    exporter.web_config.write_text(yaml.safe_dump(config))


async def listening(exporter: Exporter) -> bool | None:
    """Return True if the exporter accepts connections, else None."""
    host, _, port = exporter.address.rpartition(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except ConnectionRefusedError:
        return None
    writer.transport.abort()
    return True


def job(exporter: Exporter, *, certificate: str | None, password: str) -> dict[str, object]:
    """Return a scrape configuration over TLS."""
    files = {"ca_file": "authority.crt"}
    if certificate:
        files |= {"cert_file": f"{certificate}.crt", "key_file": f"{certificate}.key"}
    return {
        "scheme": "https",
        "basic_auth": {"username": USER, "password": password},
        "tls_config": {key: str(exporter.directory / name) for key, name in files.items()},
    }


async def last_scrapes(prom: Prometheus, *jobs: str) -> list[list[float]]:
    """Return the value of ``up`` of each job, once it was scraped."""
    return [await prom.wait_for(f'up{{job="{name}"}}') for name in jobs]


async def test_scrape_needs_both_a_certificate_and_a_password(lab: Lab, tmp_path: Path) -> None:
    async with protected_exporter(lab, tmp_path) as exporter:
        jobs: dict[str, Mapping[str, object]] = {
            "both": job(exporter, certificate="prometheus", password=PASSWORD),
            "no_certificate": job(exporter, certificate=None, password=PASSWORD),
            "foreign_certificate": job(exporter, certificate="other", password=PASSWORD),
            "other_password": job(exporter, certificate="prometheus", password=OTHER_PASSWORD),
            "plain": {"basic_auth": {"username": USER, "password": PASSWORD}},
        }
        async with prometheus(lab, exporter.address, tmp_path, **jobs) as prom:
            series = await prom.wait_for('openvpn_up{job="both"}')
            first = await last_scrapes(prom, *jobs)
            # The password changes without a restart.
            write_web_config(exporter, OTHER_PASSWORD)
            await prom.wait_for('up{job="other_password"} == 1 and on() up{job="both"} == 0')
    assert series == [0]
    assert first == [[1], [0], [0], [0], [0]]
    assert "TLS handshake failed" in exporter.log
    assert "web configuration reloaded" in exporter.log
    for secret in (PASSWORD, OTHER_PASSWORD, *secrets(exporter), "Traceback"):
        assert secret not in exporter.log


def secrets(exporter: Exporter) -> list[str]:
    """Return the secrets in the files of the exporter, which must not be logged."""
    key = (exporter.directory / "exporter.key").read_text().splitlines()[1]
    return [key, *yaml.safe_load(exporter.web_config.read_text())["basic_auth_users"].values()]


def test_promtool_accepts_the_web_configuration(tmp_path: Path) -> None:
    exporter = Exporter(address="", directory=tmp_path)
    issue_certificates(tmp_path)
    write_web_config(exporter, PASSWORD)
    command = ["promtool", "check", "web-config", str(exporter.web_config)]
    checked = run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert checked.returncode == 0, checked.stderr
