"""Single simulated daemons at real addresses."""

import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from exporter.simulator.daemon.daemon import Daemon
from exporter.simulator.daemon.server import ServerDaemon, ServerSettings
from exporter.simulator.daemon.tunnel import TunnelDaemon, TunnelSettings
from exporter.simulator.management.connection import Clock, ManagementSlot
from exporter.simulator.management.dialer import ManagementDialer
from exporter.simulator.management.listener import ManagementListener
from exporter.simulator.population.identity import ClientIdentity, make_identities
from exporter.simulator.population.profile import STATIC, ChurnProfile

UPTIME = 3 * 86_400.0
"""Seconds since the start of a simulated daemon's process."""

_WARM_UP_SECONDS = 3600.0
_WARM_UP_ARRIVALS = 500


@dataclass(frozen=True, slots=True)
class ManagementOptions:
    """The management interface: by default a free port of loopback without a password.

    With `dial` the daemon connects to that address, as with `--management-client`.
    """

    password: str | None = None
    unix_path: Path | None = None
    dial: str | None = None


_DEFAULT_MANAGEMENT = ManagementOptions()
"""A free port, no password."""


@dataclass(frozen=True, slots=True)
class SimulatedDaemon:
    """A daemon whose management interface is served."""

    daemon: Daemon
    """The daemon itself; signals and failures take effect with the next `tick`."""

    endpoint: ManagementListener | ManagementDialer

    @property
    def address(self) -> str:
        """The address: `127.0.0.1:43211`, or `unix:/path`."""
        return self.endpoint.address

    def tick(self) -> None:
        """Run what is due by the clock, and send it to the attached client.

        Needed only with a manual clock, or after a change of the daemon.
        """
        self.endpoint.tick()


@contextlib.asynccontextmanager
async def simulated_server(
    *,
    clients: int | Sequence[ClientIdentity] = 10,
    seed: int = 1,
    profile: ChurnProfile = STATIC,
    hostile_names: bool = False,
    management: ManagementOptions = _DEFAULT_MANAGEMENT,
    settings: ServerSettings | None = None,
    clock: Clock = time.time,
) -> AsyncIterator[SimulatedDaemon]:
    """Serve a daemon in server mode with clients: given ones, or a number of them.

    With a number, `hostile_names` gives some of them such names. The same seed, clock and commands
    give the same replies.
    """
    rng, now = Random(seed), clock()
    settings = settings or ServerSettings(pid=_pid(rng))
    if isinstance(clients, int):
        clients = make_identities(
            clients, rng=rng, hostile_names=hostile_names, duplicate_names=profile.duplicate_names
        )
    daemon = ServerDaemon(
        settings,
        clients,
        profile,
        rng=rng,
        start=now - UPTIME,
        now=now - _warm_up(profile, len(clients)),
    )
    async with _serving(daemon, management, clock) as simulated:
        yield simulated


@contextlib.asynccontextmanager
async def simulated_tunnel(
    *,
    seed: int = 1,
    management: ManagementOptions = _DEFAULT_MANAGEMENT,
    settings: TunnelSettings | None = None,
    clock: Clock = time.time,
) -> AsyncIterator[SimulatedDaemon]:
    """Serve a daemon in client mode."""
    rng = Random(seed)
    settings = settings or TunnelSettings(pid=_pid(rng))
    daemon = TunnelDaemon(settings, rng=rng, start=clock() - UPTIME)
    async with _serving(daemon, management, clock) as simulated:
        yield simulated


@contextlib.asynccontextmanager
async def _serving(
    daemon: Daemon, management: ManagementOptions, clock: Clock
) -> AsyncIterator[SimulatedDaemon]:
    slot = ManagementSlot(daemon, clock, management.password)
    slot.advance()
    if management.dial is not None:
        endpoint: ManagementListener | ManagementDialer = ManagementDialer(slot, management.dial)
    else:
        endpoint = ManagementListener(slot, unix_path=management.unix_path)
    async with endpoint.serving():
        yield SimulatedDaemon(daemon, endpoint)


def _warm_up(profile: ChurnProfile, clients: int) -> float:
    """Return the seconds that a population runs before the daemon is served.

    They fill the log and leave rows of clients that have just disconnected. A large population gets
    fewer, or the start would take long.
    """
    if not profile.churn or not clients:
        return 0.0
    cycle = profile.session_seconds + profile.absence_seconds
    return min(_WARM_UP_SECONDS, _WARM_UP_ARRIVALS * cycle / clients)


def _pid(rng: Random) -> int:
    return rng.randrange(1000, 32_768)
