"""The daemons of the live test, real and simulated."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from exporter.simulator import (
    ManagementOptions,
    SimulatedDaemon,
    simulated_server,
    simulated_tunnel,
)
from exporter.simulator.daemon.server import ServerDaemon, ServerSettings
from exporter.simulator.daemon.tunnel import PRIVATE_KEY_REQUEST, TunnelDaemon, TunnelSettings
from exporter.simulator.population.identity import ClientIdentity
from exporter.simulator.population.profile import ChurnProfile
from tests.real.client import Client, client
from tests.real.lab import Lab
from tests.real.management import LOOPBACK
from tests.real.server import Server, server
from tests.real.waiting import eventually

SITES = ("site-lisbon", "site-oslo", "site-porto")
HOTEL_LIMIT = 8
EXTRA_CLIENTS = HOTEL_LIMIT
NAME_TOO_LONG = "u" * 500
"""So long that `status 3` stops before its row, without an `END`."""

_OFFICE = ServerSettings(pid=1001, port=443, tcp=True, dco=True)
_HOTEL = ServerSettings(pid=1002, max_clients=HOTEL_LIMIT)
_UPLINK = TunnelSettings(pid=1003, breaks_every=None)
_OUTPOST = TunnelSettings(pid=1005, breaks_every=None)
_VAULT = TunnelSettings(pid=1004, breaks_every=None, prompt=PRIVATE_KEY_REQUEST)
# Clients connect and disconnect during the scenario, too few at a time for an alert.
_BUSY = ChurnProfile(session_seconds=8, absence_seconds=3)


def identity(common_name: str, username: str = "UNDEF") -> ClientIdentity:
    """Return a client with traffic beyond keepalives."""
    return ClientIdentity(
        common_name=common_name, username=username, receive_rate=200, send_rate=900
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """All daemons; ``depot`` starts one that connects to the exporter."""

    gateway: Server
    laptop: Client
    annex: Server
    annex_status: Path

    office: SimulatedDaemon
    branches: SimulatedDaemon
    hotel: SimulatedDaemon
    archive: SimulatedDaemon
    uplink: SimulatedDaemon
    vault: SimulatedDaemon
    outpost: SimulatedDaemon

    depot_endpoint: str
    stack: AsyncExitStack

    async def depot(self, pid: int) -> SimulatedDaemon:
        """Start the daemon with ``--management-client``, as soon as the exporter listens."""
        settings = TunnelSettings(pid=pid, breaks_every=None)

        async def connect() -> SimulatedDaemon | None:
            tunnel = simulated_tunnel(
                management=ManagementOptions(dial=self.depot_endpoint), settings=settings
            )
            try:
                return await self.stack.enter_async_context(tunnel)
            except ConnectionRefusedError:
                return None

        return await eventually(connect)


def apply(simulated: SimulatedDaemon, action: Callable[[], object]) -> None:
    """Do something to a daemon, and process it."""
    action()
    simulated.tick()


def as_server(simulated: SimulatedDaemon) -> ServerDaemon:
    """Return the simulated daemon as a server."""
    assert isinstance(simulated.daemon, ServerDaemon)
    return simulated.daemon


def as_tunnel(simulated: SimulatedDaemon) -> TunnelDaemon:
    """Return the simulated daemon as a tunnel."""
    assert isinstance(simulated.daemon, TunnelDaemon)
    return simulated.daemon


@asynccontextmanager
async def running_fleet(lab: Lab, directory: Path) -> AsyncIterator[Fleet]:
    """Run all daemons but ``depot`` until the block ends."""
    status = directory / "annex.status"
    clients = [identity(f"client-{number}") for number in range(HOTEL_LIMIT - 1)]
    async with AsyncExitStack() as stack:
        start = stack.enter_async_context
        gateway = await start(server(lab))
        yield Fleet(
            gateway=gateway,
            laptop=await start(client(gateway, "laptop", management=lab.tcp())),
            annex=await start(server(lab, "--status", str(status), "1", "--status-version", "3")),
            annex_status=status,
            office=await start(
                simulated_server(clients=14, profile=_BUSY, hostile_names=True, settings=_OFFICE)
            ),
            branches=await start(simulated_server(clients=[identity(site) for site in SITES])),
            hotel=await start(simulated_server(clients=clients, settings=_HOTEL)),
            archive=await start(simulated_server(clients=[identity("scribe", NAME_TOO_LONG)])),
            uplink=await start(simulated_tunnel(settings=_UPLINK)),
            vault=await start(simulated_tunnel(settings=_VAULT)),
            outpost=await start(simulated_tunnel(settings=_OUTPOST)),
            depot_endpoint=f"{LOOPBACK}:{lab.port()}",
            stack=stack,
        )
