"""Failures a few times an hour: port scans, wrong passwords, unknown CAs, rejections, floats."""

from collections.abc import Sequence
from enum import Enum, auto
from functools import partial

from exporter.simulator.population.context import Context
from exporter.simulator.population.identity import ClientIdentity
from exporter.simulator.population.instance import Instance, InstanceEvent
from exporter.simulator.population.profile import ChurnProfile

REJECTED_SECONDS = 5.0
"""Seconds that a rejected or disconnected client stays in the status."""

HANDSHAKE_SECONDS = 60.0
"""Seconds that a silent peer stays in the status: `--hand-window`."""

_UNKNOWN_PEER = ClientIdentity(common_name=Instance.UNDEF)
_HOUR = 3600.0


class FailureKind(Enum):
    """A kind of failure."""

    PORT_SCAN = auto()
    WRONG_PASSWORD = auto()
    UNKNOWN_CA = auto()
    SCRIPT_REJECTION = auto()
    FLOAT = auto()


class FailureInjector:
    """Causes failures, at random times or on demand."""

    def __init__(
        self, context: Context, profile: ChurnProfile, identities: Sequence[ClientIdentity]
    ) -> None:
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
            FailureKind.PORT_SCAN: self._port_scan,
            FailureKind.WRONG_PASSWORD: self._wrong_password,
            FailureKind.UNKNOWN_CA: self._unknown_ca,
            FailureKind.SCRIPT_REJECTION: self._script_rejection,
            FailureKind.FLOAT: self._float,
        }

    def schedule(self, now: float) -> None:
        """Schedule the first failure of each kind; each schedules the next of its kind."""
        for kind, per_hour in self._per_hour.items():
            if per_hour > 0:
                self._schedule(kind, now)

    def trigger(self, kind: FailureKind, now: float) -> None:
        """Cause one now."""
        self._actions[kind](now)

    def _schedule(self, kind: FailureKind, now: float) -> None:
        when = now + self._context.rng.expovariate(self._per_hour[kind] / _HOUR)
        self._context.scheduler.call_at(when, partial(self._trigger, kind))

    def _trigger(self, kind: FailureKind, now: float) -> None:
        self.trigger(kind, now)
        self._schedule(kind, now)

    def _port_scan(self, now: float) -> None:
        """Open a connection and send nothing."""
        if self._context.rejects(_UNKNOWN_PEER, now):
            return
        instance = self._context.open_instance(_UNKNOWN_PEER, now)
        self._context.schedule_removal(
            instance, now + HANDSHAKE_SECONDS, InstanceEvent.HANDSHAKE_TIMED_OUT
        )

    def _wrong_password(self, now: float) -> None:
        """Connect with a valid certificate and a wrong password."""
        if (instance := self._open_verified(now)) is None:
            return
        self._context.observer(InstanceEvent.PASSWORD_REJECTED, instance, now)
        self._context.schedule_removal(instance, now + REJECTED_SECONDS, InstanceEvent.DELAYED_EXIT)

    def _script_rejection(self, now: float) -> None:
        """Connect with valid credentials; the `--client-connect` script rejects the client."""
        if (instance := self._open_verified(now)) is None:
            return
        self._context.instance_table.mark_established(instance)
        self._context.observer(InstanceEvent.SCRIPT_REJECTED, instance, now)
        self._context.schedule_removal(instance, now + REJECTED_SECONDS, InstanceEvent.DELAYED_EXIT)

    def _unknown_ca(self, now: float) -> None:
        """Connect with a certificate of another CA: logged, and removed at once."""
        if self._context.rejects(_UNKNOWN_PEER, now):
            return
        instance = self._context.open_instance(_UNKNOWN_PEER, now)
        self._context.observer(InstanceEvent.CERTIFICATE_REJECTED, instance, now)
        self._context.instance_table.remove(instance, now)

    def _float(self, now: float) -> None:
        """Move a connected client to another port; the session continues."""
        connected = [
            row for row in self._context.instance_table.instances.values() if row.connected
        ]
        if connected:
            instance = self._context.rng.choice(connected)
            instance.float_to(self._context.rng.randrange(32_768, 61_000))
            self._context.observer(InstanceEvent.FLOATED, instance, now)

    def _open_verified(self, now: float) -> Instance | None:
        identity = self._context.rng.choice(self._identities)
        if self._context.rejects(identity, now):
            return None
        instance = self._context.open_instance(identity, now)
        self._context.verify(instance)
        return instance
