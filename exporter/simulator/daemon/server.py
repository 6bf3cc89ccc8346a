"""A daemon in server mode: its clients' events as states, log lines and real-time messages."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

from exporter.simulator.daemon import env_block
from exporter.simulator.daemon.daemon import Daemon, ProcessTotals, Unsupported
from exporter.simulator.daemon.env_block import DaemonEnv
from exporter.simulator.daemon.history import Endpoints, SimulatedState
from exporter.simulator.daemon.log_messages import log_entries
from exporter.simulator.daemon.settings import Settings
from exporter.simulator.daemon.status import Snapshot, server_status
from exporter.simulator.population.counter import activity_ticks
from exporter.simulator.population.failures import FailureKind
from exporter.simulator.population.identity import ClientIdentity
from exporter.simulator.population.instance import Instance, InstanceEvent
from exporter.simulator.population.instance_table import InstanceTable
from exporter.simulator.population.population import ClientPopulation
from exporter.simulator.population.profile import ChurnProfile
from exporter.simulator.population.scheduler import Action

_INTERFACE = (
    (1, "I", "TUN/TAP device tun0 opened"),
    (1, "I", "net_iface_up: set tun0 up"),
    (1, "I", "net_addr_v4_add: 10.8.0.1/16 dev tun0"),
    (1, "I", "net_addr_v6_add: fd00:8::1/64 dev tun0"),
)
_READY = (
    (3, "", "MULTI: multi_init called, r=256 v=256"),
    (3, "", "IFCONFIG POOL IPv4: base=10.8.0.2 size=65533"),
    (3, "", "IFCONFIG POOL IPv6: base=fd00:8::1000 size=65536 netbits=64"),
    (1, "I", "Initialization Sequence Completed"),
)


_MAX_CLIENTS_REACHED = "MULTI: new incoming connection would exceed maximum number of clients ({})"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings(Settings):
    """The configuration of a server; clients connect to `port`.

    With `dco` the kernel moves the data, and the daemon's own totals don't count it.
    """

    port: int = 1194
    tcp: bool = False
    dco: bool = False
    max_clients: int | None = None


class ServerDaemon(Daemon):
    """A server with its clients."""

    settings: ServerSettings

    def __init__(
        self,
        settings: ServerSettings,
        identities: Sequence[ClientIdentity],
        profile: ChurnProfile,
        *,
        rng: Random,
        start: float,
        now: float,
    ) -> None:
        """Start at `start`; unless the daemon is held, its clients are connected by `now`."""
        super().__init__(settings, start=start)
        self._running = False
        self._populate_at: float | None = None if settings.hold else now
        self.identities = identities
        self._population = ClientPopulation(
            identities,
            profile,
            rng=rng,
            scheduler=self.scheduler,
            observer=self._observe,
            limit=settings.max_clients,
        )
        self._start()

    @property
    def instance_table(self) -> InstanceTable | None:
        """The clients, while the server is running."""
        return self._population.instance_table if self._running else None

    def status(self, version: int) -> list[str]:
        """Return the clients and routes in format 1, 2 or 3; 0 is the configured one."""
        if not self._running:
            raise Unsupported
        snapshot = Snapshot(
            title=self.settings.release.title,
            now=int(self.now),
            tick=activity_ticks(self.now),
            instances=tuple(self._population.instance_table.instances.values()),
            queue_length=min(self._population.instance_table.opened // 10, 12),
            dco=self.settings.dco,
        )
        return server_status(snapshot, version or self.settings.status_version)

    def load_stats(self) -> ProcessTotals:
        """Return the bytes that user space has moved since the start of the process."""
        instance_table, tick = self._population.instance_table, activity_ticks(self.now)
        if self.settings.dco:
            # The daemon does not count what the kernel moves.
            return ProcessTotals(
                instance_table.established,
                instance_table.handshake_received,
                instance_table.handshake_sent,
            )
        return ProcessTotals(
            instance_table.established,
            instance_table.received.at(tick),
            instance_table.sent.at(tick),
        )

    def kill(self, client_id: int) -> bool:
        """Kill a client; it reconnects in a few seconds. Return False if there is none."""
        instance = self._population.instance_table.instances.get(client_id)
        if instance is not None:
            self._population.kill(instance, self.now)
        return instance is not None

    def connect(self, identity: ClientIdentity) -> None:
        """Let a client connect with the next `advance`; it may be a new one."""
        self._schedule_now(partial(self._population.connect, identity))

    def disconnect(self, common_name: str) -> None:
        """Let all clients of a name disconnect with the next `advance`; they don't reconnect."""
        self._schedule_now(partial(self._population.disconnect, common_name))

    def trigger(self, kind: FailureKind) -> None:
        """Cause a failure with the next `advance`."""
        self._schedule_now(partial(self._population.trigger, kind))

    def _schedule_now(self, action: Action) -> None:
        """Schedule an action for the next `advance`, if the server is running."""
        if self._running:
            self.scheduler.call_at(self.now, action)

    def _initialise(self, now: float) -> None:
        for line in _INTERFACE:
            self.log(*line)
        tunnel = Endpoints(tunnel="10.8.0.1", tunnel_ipv6="fd00:8::1")
        self.enter_state(SimulatedState.ASSIGN_IP, ends=tunnel)
        for line in _READY:
            self.log(*line)
        self.enter_state(
            SimulatedState.CONNECTED,
            "SUCCESS",
            Endpoints(
                tunnel="10.8.0.1",
                tunnel_ipv6="fd00:8::1",
                local="127.0.0.1",
                local_port=str(self.settings.port),
            ),
        )
        self._running = True
        if self._populate_at is None:
            self._population.reconnect_all(now)
        else:
            self._population.populate(start=now, now=self._populate_at)
            self._populate_at = None

    def _stop(self) -> None:
        self._running = False
        self._population.instance_table.clear(self.now)
        self.log(3, "", "Closing TUN/TAP interface")
        self.log(1, "I", "net_addr_v4_del: 10.8.0.1 dev tun0")
        self.log(1, "I", "net_addr_v6_del: fd00:8::1/64 dev tun0")

    def _observe(self, event: InstanceEvent, instance: Instance, now: float) -> None:
        if event is InstanceEvent.MAX_CLIENTS_REACHED:
            self.log(1, "N", _MAX_CLIENTS_REACHED.format(self.settings.max_clients))
            return
        for entry in log_entries(event, instance, tcp=self.settings.tcp):
            self.log_buffer.write(now, entry)
        if not self.has_client:
            return
        if event is InstanceEvent.EXIT_NOTIFIED:
            self.send_line(">NOTIFY:info,remote-exit,EXIT")
        elif event is InstanceEvent.ESTABLISHED:
            variables = env_block.established(instance, self._daemon_env, now=int(now))
            self._send_established(instance, variables)
        elif event is InstanceEvent.SCRIPT_REJECTED:
            variables = env_block.rejected(instance, self._daemon_env, now=int(now))
            self._send_established(instance, variables)

    def _send_established(self, instance: Instance, variables: list[str]) -> None:
        self.send_line(f">CLIENT:ESTABLISHED,{instance.client_id}")
        for variable in variables:
            self.send_line(f">CLIENT:ENV,{variable}")
        self.send_line(">CLIENT:ENV,END")

    @property
    def _daemon_env(self) -> DaemonEnv:
        return DaemonEnv(
            pid=self.settings.pid,
            started=self.started,
            verb=self.log_buffer.verb,
            port=self.settings.port,
            tcp=self.settings.tcp,
            clients=self._population.instance_table.established,
        )
