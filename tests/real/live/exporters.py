"""The exporters of the live test, as processes; one has faults in its configuration."""

import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from aiohttp import ClientSession

from tests.certificates.fixtures import revocation_list
from tests.real.lab import Lab
from tests.real.live.fleet import HOTEL_LIMIT, SITES, Fleet
from tests.real.management import LOOPBACK
from tests.real.program import program
from tests.real.scraping import scraping_url

DAEMONS = 11
DOWN_AT_FIRST = 1
"""The daemon that waits for a passphrase."""

Section = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Exporter:
    """An exporter and its configuration; it can be stopped and started again."""

    address: str
    directory: Path
    content: Section
    _process: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def start(self) -> None:
        """Start the process, and wait until it listens."""
        self._file.write_text(yaml.safe_dump(self.content))
        command = [
            *(sys.executable, "-m", "exporter"),
            f"--config.file={self._file}",
            f"--web.listen-address={self.address}",
        ]
        log = self.directory / "exporter.log"
        await self._process.enter_async_context(program(*command, log=log))
        async with scraping_url(f"http://{self.address}"):
            pass

    async def stop(self) -> None:
        """Stop the process."""
        await self._process.aclose()

    async def configure(self, **daemons: Section) -> None:
        """Change keys of daemons and reload the configuration."""
        for daemon in self.content["daemons"]:
            daemon.update(daemons.get(daemon["name"], {}))
        await self.restore()

    async def remove(self, name: str) -> None:
        """Reload the configuration without a daemon."""
        kept = [daemon for daemon in self.content["daemons"] if daemon["name"] != name]
        await self._reload(self.content | {"daemons": kept})

    async def restore(self) -> None:
        """Reload the configuration with all daemons."""
        await self._reload(self.content)

    async def _reload(self, content: Section) -> None:
        self._file.write_text(yaml.safe_dump(content))
        async with (
            ClientSession() as session,
            session.post(f"http://{self.address}/-/reload") as response,
        ):
            response.raise_for_status()

    @property
    def _file(self) -> Path:
        return self.directory / "config.yaml"


@asynccontextmanager
async def main_exporter(lab: Lab, fleet: Fleet, directory: Path) -> AsyncIterator[Exporter]:
    """Run an exporter that monitors all daemons but the outpost."""
    certificate = lab.authority.issue("uplink").certificate
    index = directory / "index.txt"
    index.write_text(issued_certificates(time.time()))
    daemons = [*_real(lab, fleet, directory), *_simulated(fleet, certificate, index)]
    expected: Section = {"expected_clients": [*SITES]}
    async with _running(lab, directory, *daemons, general=expected) as exporter:
        yield exporter


@asynccontextmanager
async def outpost_exporter(lab: Lab, fleet: Fleet, directory: Path) -> AsyncIterator[Exporter]:
    """Run an exporter that monitors the outpost."""
    subdirectory = directory / "outpost"
    subdirectory.mkdir()
    outpost = {"name": "outpost", "management": fleet.outpost.address}
    async with _running(lab, subdirectory, outpost) as exporter:
        yield exporter


@asynccontextmanager
async def _running(
    lab: Lab, directory: Path, *daemons: Section, general: Section | None = None
) -> AsyncIterator[Exporter]:
    content = {"poll_interval": "1s", "clients": {"routes": True}, "daemons": [*daemons]}
    content |= general or {}
    exporter = Exporter(f"{LOOPBACK}:{lab.port()}", directory, content)
    await exporter.start()
    try:
        yield exporter
    finally:
        await exporter.stop()


def _real(lab: Lab, fleet: Fleet, directory: Path) -> list[Section]:
    """Return the real daemons; a certificate and a socket beside a status file are missing."""
    crl = directory / "crl.pem"
    crl.write_bytes(revocation_list("Example CA"))
    return [
        {
            "name": "gateway",
            "management": str(fleet.gateway.management.address),
            "timeout": "2s",
            "ca": str(lab.authority.certificate),
            "crl_verify": str(crl),
            "share": {"listen": [f"unix:{directory / 'share.sock'}"]},
            "address_pool_size": 253,
            "port_probe": port_probe(fleet.gateway.port, lab.port()),
        },
        {
            "name": "laptop",
            "management": str(fleet.laptop.management.address),
            "cert": str(directory / "laptop.pem"),
        },
        {
            "name": "annex",
            "management": f"unix:{directory / 'annex.sock'}",
            "status_file": str(fleet.annex_status),
        },
    ]


def port_probe(*ports: int) -> Section:
    """Return the probes of ports on loopback."""
    return {"targets": [f"{LOOPBACK}:{port}/udp" for port in ports], "interval": "10s"}


def issued_certificates(now: float) -> str:
    """Return the index of a CA: the certificate of the first site expired two days ago."""
    days = dict.fromkeys(SITES, 300) | {SITES[0]: -2}
    dates = {name: time.gmtime(now + days * 86_400) for name, days in days.items()}
    lines = [
        f"V\t{time.strftime('%y%m%d%H%M%SZ', date)}\t\t{serial:02X}\tunknown\t/CN={name}\n"
        for serial, (name, date) in enumerate(dates.items(), start=1)
    ]
    return "".join(lines)


def _simulated(fleet: Fleet, certificate: Path, index: Path) -> list[Section]:
    return [
        {"name": "office", "management": fleet.office.address},
        {
            "name": "branches",
            "management": fleet.branches.address,
            "expected_clients": [*SITES],
            "pki": {"index": str(index), "series": True},
        },
        {
            "name": "hotel",
            "management": fleet.hotel.address,
            "max_clients": HOTEL_LIMIT,
            "port_probe": port_probe(1194),  # never: it is nearly full
        },
        {"name": "archive", "management": fleet.archive.address, "timeout": "2s"},
        {"name": "uplink", "management": fleet.uplink.address, "cert": str(certificate)},
        {"name": "vault", "management": fleet.vault.address, "prompt_retry_interval": "1s"},
        {"name": "depot", "management": f"listen:{fleet.depot_endpoint}"},
    ]
