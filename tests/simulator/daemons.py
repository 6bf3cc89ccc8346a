"""Daemons like the recorded ones, without a socket."""

from collections.abc import Sequence
from random import Random

from exporter.simulator.daemon.server import ServerDaemon, ServerSettings
from exporter.simulator.daemon.tunnel import TunnelDaemon, TunnelSettings
from exporter.simulator.management.session import SimulatedSession
from exporter.simulator.population.identity import ClientIdentity
from exporter.simulator.population.profile import ChurnProfile
from tests.simulator.manual_clock import MORNING, ManualClock

ALICE = ClientIdentity(common_name="alice", host="127.0.0.1")
BOB = ClientIdentity(common_name="bob", host="127.0.0.1")
FIVE = tuple(
    ClientIdentity(common_name=name, username=user, host="127.0.0.1")
    for name, user in (
        ("alice", "alice-user"),
        ("Doe, John", "Doe, J."),
        ("Zoë Müller 日本", "zoë@例.test"),
        ("carol ann  smith", "carol ann"),
        ('dave "the\\rat" o\'neil', "dave\"o'n\\xy"),
    )
)
STATIC = ChurnProfile(churn=False)


def server(
    identities: Sequence[ClientIdentity] = (),
    *,
    profile: ChurnProfile = STATIC,
    settings: ServerSettings | None = None,
) -> ServerDaemon:
    """Return a server that has just started, its clients connected unless it is held."""
    return ServerDaemon(
        settings or ServerSettings(port=21_194),
        identities,
        profile,
        rng=Random(1),
        start=MORNING - 100,
        now=MORNING,
    )


def tunnel(settings: TunnelSettings | None = None) -> TunnelDaemon:
    """Return a client that is about to connect and then stays so."""
    return TunnelDaemon(
        settings or TunnelSettings(remote="127.0.0.1", port=21_194, breaks_every=None),
        rng=Random(1),
        start=MORNING - 1,
    )


def attach(
    daemon: ServerDaemon | TunnelDaemon, clock: ManualClock | None = None
) -> SimulatedSession:
    """Attach to a daemon and read past the greeting."""
    session = SimulatedSession(daemon, clock=clock or ManualClock())
    session.output()
    return session
