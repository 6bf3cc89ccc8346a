"""What happens to a server a few times an hour: strangers, wrong passwords, roaming clients."""

from collections.abc import Sequence
from enum import Enum, auto
from functools import partial

from exporter.simulator.population.context import Context
from exporter.simulator.population.identity import ClientIdentity
from exporter.simulator.population.instance import Event, Instance
from exporter.simulator.population.profile import ChurnProfile

REJECTED_SECONDS = 5.0
"""How long a rejected client, or one that said goodbye, stays a row."""

HANDSHAKE_SECONDS = 60.0
"""How long a peer that says nothing stays a row: `--hand-window`."""

_UNKNOWN_PEER = ClientIdentity(common_name=Instance.UNDEF)
_HOUR = 3600.0


class FailureKind(Enum):
    """What can go wrong."""

    PORT_SCAN = auto()
    WRONG_PASSWORD = auto()
    UNKNOWN_CA = auto()
    SCRIPT_REJECTION = auto()
    FLOAT = auto()


class FailureInjector:
    """Trouble, at random times or when it is told to come."""

    def __init__(
        self, context: Context, profile: ChurnProfile, identities: Sequence[ClientIdentity]
    ) -> None:
        """Plan nothing yet."""
        self._context = context
        self._identities = identities
        self._per_hour = {
            FailureKind.PORT_SCAN: profile.port_scans,
            FailureKind.WRONG_PASSWORD: profile.wrong_passwords,
            FailureKind.UNKNOWN_CA: profile.unknown_cas,
            FailureKind.SCRIPT_REJECTION: profile.script_rejections,
            FailureKind.FLOAT: profile.floats,
        }
        self._actions = {
            FailureKind.PORT_SCAN: self._scan,
            FailureKind.WRONG_PASSWORD: self._wrong_password,
            FailureKind.UNKNOWN_CA: self._unknown_ca,
            FailureKind.SCRIPT_REJECTION: self._refuse,
            FailureKind.FLOAT: self._float,
        }

    def plan(self, now: float) -> None:
        """Plan the first kind of each kind; each plans the next of its kind."""
        for kind, per_hour in self._per_hour.items():
            if per_hour > 0:
                self._plan(kind, now)

    def trigger(self, kind: FailureKind, now: float) -> None:
        """Let one happen now."""
        self._actions[kind](now)

    def _plan(self, kind: FailureKind, now: float) -> None:
        when = now + self._context.rng.expovariate(self._per_hour[kind] / _HOUR)
        self._context.scheduler.call_at(when, partial(self._trigger, kind))

    def _trigger(self, kind: FailureKind, now: float) -> None:
        self.trigger(kind, now)
        self._plan(kind, now)

    def _scan(self, now: float) -> None:
        """Open a connection and say nothing."""
        if self._context.rejects(_UNKNOWN_PEER, now):
            return
        instance = self._context.open_instance(_UNKNOWN_PEER, now)
        self._context.end(instance, now + HANDSHAKE_SECONDS, Event.HANDSHAKE_TIMED_OUT)

    def _wrong_password(self, now: float) -> None:
        """Come with a good certificate and a wrong password."""
        if (instance := self._come(now)) is None:
            return
        self._context.observer(Event.PASSWORD_REJECTED, instance, now)
        self._context.end(instance, now + REJECTED_SECONDS, Event.DELAYED_EXIT)

    def _refuse(self, now: float) -> None:
        """Come with everything right, and be refused by the server's own script."""
        if (instance := self._come(now)) is None:
            return
        self._context.client_table.count(instance)
        self._context.observer(Event.SCRIPT_REJECTED, instance, now)
        self._context.end(instance, now + REJECTED_SECONDS, Event.DELAYED_EXIT)

    def _unknown_ca(self, now: float) -> None:
        """Come with a certificate of another authority: gone at once, but for the log."""
        if self._context.rejects(_UNKNOWN_PEER, now):
            return
        instance = self._context.open_instance(_UNKNOWN_PEER, now)
        self._context.observer(Event.CERTIFICATE_REJECTED, instance, now)
        self._context.client_table.remove(instance, now)

    def _float(self, now: float) -> None:
        """Change the network in the middle of a session: another port, the same session."""
        connected = [row for row in self._context.client_table.instances.values() if row.connected]
        if connected:
            instance = self._context.rng.choice(connected)
            instance.float_to(self._context.rng.randrange(32_768, 61_000))
            self._context.observer(Event.FLOATED, instance, now)

    def _come(self, now: float) -> Instance | None:
        identity = self._context.rng.choice(self._identities)
        if self._context.rejects(identity, now):
            return None
        instance = self._context.open_instance(identity, now)
        self._context.verify(instance)
        return instance
