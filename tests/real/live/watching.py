"""The exporter that watches them all: a process of its own, by a file that has some mistakes."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from aiohttp import ClientSession

from tests.certificates.papers import revocation_list
from tests.real.lab import Lab
from tests.real.live.cast import ROOMS, SITES, Cast
from tests.real.management import LOOPBACK
from tests.real.program import program
from tests.real.scraping import serving_at

DAEMONS = 10
DOWN_AT_FIRST = 1
"""One that waits for a passphrase."""


@dataclass(frozen=True, slots=True)
class Exporter:
    """An exporter that runs, and its configuration."""

    address: str
    file: Path
    content: dict[str, Any]

    async def configure(self, **daemons: dict[str, object]) -> None:
        """Change keys of daemons, and have it read the file again."""
        for daemon in self.content["daemons"]:
            daemon.update(daemons.get(daemon["name"], {}))
        self.write()
        async with (
            ClientSession() as session,
            session.post(f"http://{self.address}/-/reload") as answer,
        ):
            answer.raise_for_status()

    def write(self) -> None:
        """Write the file."""
        self.file.write_text(yaml.safe_dump(self.content))


@asynccontextmanager
async def watching(lab: Lab, cast: Cast, directory: Path) -> AsyncIterator[Exporter]:
    """Run it while the block runs."""
    exporter = Exporter(
        address=f"{LOOPBACK}:{lab.port()}",
        file=directory / "config.yaml",
        content={
            "poll_interval": "1s",
            "clients": {"routes": True},
            "daemons": [*_real(lab, cast, directory), *_simulated(cast)],
        },
    )
    exporter.write()
    command = [
        *(sys.executable, "-m", "exporter"),
        f"--config.file={exporter.file}",
        f"--web.listen-address={exporter.address}",
    ]
    async with (
        program(*command, log=directory / "exporter.log"),
        serving_at(f"http://{exporter.address}"),
    ):
        yield exporter


def _real(lab: Lab, cast: Cast, directory: Path) -> list[dict[str, object]]:
    """Name a certificate that isn't there, and a socket that isn't there beside a status file."""
    crl = directory / "crl.pem"
    crl.write_bytes(revocation_list("Example CA"))
    return [
        {
            "name": "gateway",
            "management": str(cast.gateway.management.address),
            "timeout": "2s",
            "ca": str(lab.authority.certificate),
            "crl_verify": str(crl),
        },
        {
            "name": "laptop",
            "management": str(cast.laptop.management.address),
            "cert": str(directory / "laptop.pem"),
        },
        {
            "name": "annex",
            "management": f"unix:{directory / 'annex.sock'}",
            "status_file": str(cast.annex_status),
        },
    ]


def _simulated(cast: Cast) -> list[dict[str, object]]:
    return [
        {"name": "office", "management": cast.office.address},
        {
            "name": "branches",
            "management": cast.branches.address,
            "expected_clients": [*SITES],
        },
        {"name": "hotel", "management": cast.hotel.address, "max_clients": ROOMS},
        {"name": "archive", "management": cast.archive.address, "timeout": "2s"},
        {"name": "uplink", "management": cast.uplink.address},
        {"name": "vault", "management": cast.vault.address, "step_aside": "1s"},
        {"name": "depot", "management": f"listen:{cast.dialled}"},
    ]
