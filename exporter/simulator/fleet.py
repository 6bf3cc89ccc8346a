"""The daemons of the demo: those of a small company, failures included."""

import asyncio
import contextlib
import importlib.util
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from exporter.simulator.daemon.server import ServerDaemon, ServerSettings
from exporter.simulator.daemon.tunnel import TunnelSettings
from exporter.simulator.index import write_index
from exporter.simulator.management.connection import Clock
from exporter.simulator.population.profile import BUSY, ChurnProfile
from exporter.simulator.simulated_daemon import (
    SimulatedDaemon,
    simulated_server,
    simulated_tunnel,
)

OFFICE_BRANCHES = ("branch-cork", "branch-graz", "branch-lisbon", "branch-oslo", "branch-porto")
"""Expected clients of `office`; not all of them are connected all the time."""

LAPTOPS = ("ada-laptop", "alan-laptop", "amara-laptop", "chen-laptop", "wanda-laptop")
"""Expected clients of `office` or `remote-work`; both know clients of these names."""

_CERTIFICATE_DAYS = {"office": 19, "remote-work": 240, "uplink": 410}
"""The days until the certificates of the daemons expire; the first one is due for renewal."""


_CLIENT_DAYS = {"branch-porto": 5, "diego-laptop": 11, "hana-phone": 25, "lars-laptop": -2}
"""The same of some clients; the others have at least 40 days."""

_REVOKED_CLIENTS = ("malik-laptop",)
"""A client that is connected with a revoked certificate most of the time."""


@dataclass(frozen=True, slots=True)
class FleetFiles:
    """The certificate files of a daemon of the demo, None where it has none."""

    cert: Path | None = None
    ca: Path | None = None
    crl_verify: Path | None = None


_NO_FILES = FleetFiles()


@dataclass(frozen=True, slots=True)
class FleetDaemon:
    """A daemon of the fleet, with its values for a configuration."""

    name: str
    address: str
    max_clients: int | None = None
    expected_clients: tuple[str, ...] = ()
    files: FleetFiles = _NO_FILES


@dataclass(frozen=True, slots=True)
class Fleet:
    """The daemons of the demo and the index of their CA, while they are served."""

    daemons: tuple[FleetDaemon, ...]
    index: Path
    expected_clients: tuple[str, ...] = LAPTOPS
    """Those that are expected on any server."""

    @classmethod
    @contextlib.asynccontextmanager
    async def demo(cls, *, seed: int = 1, clock: Clock = time.time) -> AsyncIterator["Fleet"]:
        """Serve the daemons of the demo until the block ends.

        `office` and `remote-work` are servers, `uplink` is a client that loses its server every few
        minutes, and `backup-site` refuses connections. The first three have certificates, if the
        extra `certificates` is installed.
        """
        async with contextlib.AsyncExitStack() as stack:
            directory = await stack.enter_async_context(_directory())
            files = await asyncio.to_thread(_certificate_files, directory, clock())
            office = await stack.enter_async_context(_office(seed, clock))
            remote_work = await stack.enter_async_context(_remote_work(seed + 1, clock))
            uplink = await stack.enter_async_context(_uplink(seed + 2, clock))
            refusing = stack.enter_context(_refusing_address())
            index = await asyncio.to_thread(_index, directory, clock(), office, remote_work)
            yield cls(
                (
                    FleetDaemon(
                        "office",
                        office.address,
                        max_clients=60,
                        expected_clients=OFFICE_BRANCHES,
                        files=files["office"],
                    ),
                    FleetDaemon(
                        "remote-work",
                        remote_work.address,
                        max_clients=250,
                        files=files["remote-work"],
                    ),
                    FleetDaemon("uplink", uplink.address, files=files["uplink"]),
                    FleetDaemon("backup-site", refusing),
                ),
                index,
            )


@contextlib.asynccontextmanager
async def _directory() -> AsyncIterator[Path]:
    """Keep a directory for the files of the demo until the block ends."""
    directory = await asyncio.to_thread(tempfile.TemporaryDirectory[str], prefix="openvpn-demo-")
    try:
        yield Path(directory.name)
    finally:
        await asyncio.to_thread(directory.cleanup)


def _index(directory: Path, now: float, *servers: SimulatedDaemon) -> Path:
    """Write the index of the certificates of all clients: some expire soon, one is revoked."""
    names = {
        identity.common_name
        for server in servers
        if isinstance(server.daemon, ServerDaemon)
        for identity in server.daemon.identities
    }
    path = directory / "index.txt"
    return write_index(path, names, now, days=_CLIENT_DAYS, revoked=_REVOKED_CLIENTS)


def _certificate_files(directory: Path, now: float) -> dict[str, FleetFiles]:
    """Write the certificate files of each daemon; none without the extra `certificates`."""
    if importlib.util.find_spec("cryptography") is None:
        return dict.fromkeys(_CERTIFICATE_DAYS, _NO_FILES)
    # An optional dependency, and the import takes time.
    from exporter.simulator.certificates import Authority  # noqa: PLC0415

    authority = Authority(directory, now)
    return {
        daemon: FleetFiles(
            cert=authority.certificate(daemon, days),
            ca=authority.ca,
            crl_verify=authority.revocation_list() if daemon == "office" else None,
        )
        for daemon, days in _CERTIFICATE_DAYS.items()
    }


def _office(seed: int, clock: Clock) -> contextlib.AbstractAsyncContextManager[SimulatedDaemon]:
    """Return a server over TCP with some dozens of clients and with port scans."""
    return simulated_server(
        clients=42,
        seed=seed,
        profile=BUSY,
        hostile_names=True,
        clock=clock,
        settings=ServerSettings(pid=1873, port=443, tcp=True),
    )


def _remote_work(
    seed: int, clock: Clock
) -> contextlib.AbstractAsyncContextManager[SimulatedDaemon]:
    """Return a busier server over UDP with data channel offload."""
    profile = ChurnProfile(
        session_seconds=2400,
        absence_seconds=900,
        duplicate_names=False,
        wrong_passwords=40,
        unknown_cas=20,
        script_rejections=6,
        floats=120,
    )
    settings = ServerSettings(pid=1874, dco=True)
    return simulated_server(clients=240, seed=seed, profile=profile, clock=clock, settings=settings)


def _uplink(seed: int, clock: Clock) -> contextlib.AbstractAsyncContextManager[SimulatedDaemon]:
    settings = TunnelSettings(pid=1901, breaks_every=420)
    return simulated_tunnel(seed=seed, clock=clock, settings=settings)


@contextlib.contextmanager
def _refusing_address() -> Iterator[str]:
    """Return an address that refuses connections: its port is bound, and nothing listens."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        host, port = reserved.getsockname()
        yield f"{host}:{port}"
