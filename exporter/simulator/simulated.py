"""Single simulated daemons at real addresses, for tests, benchmarks and the fleet."""

import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from exporter.simulator.daemon import Daemon
from exporter.simulator.endpoint import Endpoint
from exporter.simulator.identity import people
from exporter.simulator.server import ServerDaemon, ServerSettings
from exporter.simulator.tunnel import TunnelDaemon, TunnelSettings
from exporter.simulator.world import Habits

Clock = Callable[[], float]
"""Tells the time as seconds since the epoch."""

UPTIME = 3 * 86_400.0
"""For how long a simulated daemon says it has been running."""

CALM = Habits(churn=False)
"""Everybody is connected and stays."""

LIVELY = Habits(scans=30, bad_passwords=12, foreign_certificates=6)
"""People come and go; strangers try the door."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """A daemon that serves: `address` is what the exporter is configured with."""

    daemon: Daemon
    endpoint: Endpoint

    @property
    def address(self) -> str:
        """`127.0.0.1:43211`, or `unix:/path`."""
        return self.endpoint.address

    def wake(self) -> None:
        """Let what is due by the clock happen now: needed only if the clock isn't the real one."""
        self.endpoint.wake()


@contextlib.asynccontextmanager
async def simulated_server(
    *,
    clients: int = 10,
    seed: int = 1,
    habits: Habits = CALM,
    quirks: bool = False,
    clock: Clock = time.time,
    password: str | None = None,
    unix_path: Path | None = None,
    settings: ServerSettings | None = None,
) -> AsyncIterator[Simulated]:
    """Serve a daemon in server mode around which `clients` people live.

    With `quirks` some have awkward names. `settings` are the daemon's own: release, verbosity,
    hold, data channel offload. The same seed, clock and questions give the same answers.
    """
    rng, now = Random(seed), clock()
    daemon = ServerDaemon(
        settings or ServerSettings(pid=_pid(rng)),
        people(clients, rng=rng, quirks=quirks),
        habits,
        rng=rng,
        start=now - UPTIME,
        now=now,
    )
    endpoint = Endpoint(daemon, clock=clock, password=password, unix_path=unix_path)
    async with endpoint.serving():
        yield Simulated(daemon, endpoint)


@contextlib.asynccontextmanager
async def simulated_tunnel(
    *,
    seed: int = 1,
    clock: Clock = time.time,
    password: str | None = None,
    unix_path: Path | None = None,
    settings: TunnelSettings | None = None,
) -> AsyncIterator[Simulated]:
    """Serve a daemon in client mode."""
    rng = Random(seed)
    daemon = TunnelDaemon(
        settings or TunnelSettings(pid=_pid(rng)), rng=rng, start=clock() - UPTIME
    )
    endpoint = Endpoint(daemon, clock=clock, password=password, unix_path=unix_path)
    async with endpoint.serving():
        yield Simulated(daemon, endpoint)


def _pid(rng: Random) -> int:
    return rng.randrange(1000, 32_768)
