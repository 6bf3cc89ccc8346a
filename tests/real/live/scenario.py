"""The scenario: faults that trigger alerts, all at once, and their resolution.

Each step waits for what Prometheus and Alertmanager show, never for a fixed time. A repeated
fault continues until its alert is active.
"""

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from exporter.simulator import SimulatedDaemon
from exporter.simulator.population.failures import FailureKind
from tests.real.live.alertmanager import ACTIVE, SUPPRESSED, Alert, Alertmanager
from tests.real.live.exporters import DAEMONS, DOWN_AT_FIRST, Exporter, port_probe
from tests.real.live.fleet import (
    EXTRA_CLIENTS,
    HOTEL_LIMIT,
    SITES,
    Fleet,
    apply,
    as_server,
    as_tunnel,
    identity,
)
from tests.real.live.timing import DEADLINE
from tests.real.prometheus import Prometheus

RECONNECTS = 4
MISSING_CLIENT = SITES[1]

RECONNECTING = Alert("OpenVPNReconnecting", "uplink")
PACKET_ERRORS = Alert("OpenVPNPacketErrors", "depot")
OUTPOST_PACKET_ERRORS = Alert("OpenVPNPacketErrors", "outpost")
EXPORTER_DOWN = Alert("OpenVPNExporterDown")
FATAL = Alert("OpenVPNFatalError", "depot")
DOWN = Alert("OpenVPNDaemonDown", "depot")
RESTARTED = Alert("OpenVPNRestarted", "depot")
MISSING = Alert("OpenVPNExpectedClientMissing", "branches", MISSING_CLIENT)
ON_NO_SERVER = Alert("OpenVPNExpectedClientOnNoServer", client=MISSING_CLIENT)
AUTH_FAILURES = Alert("OpenVPNAuthFailures", "office")
SERVER_FULL = Alert("OpenVPNServerFull", "hotel")
NEAR_LIMIT = Alert("OpenVPNClientsNearLimit", "hotel")
PROMPT = Alert("OpenVPNPromptWaiting", "vault")
FALLBACK = Alert("OpenVPNStatusFallback", "archive")
FILE_ONLY = Alert("OpenVPNStatusFileOnly", "annex")
PORT = Alert("OpenVPNPortNotAnswering", "gateway")
NO_CERTIFICATE = Alert("OpenVPNCertificateFileProblem", "laptop")
ABSENT = Alert("OpenVPNDaemonAbsent", "archive")

FATAL_MESSAGE = "Cannot ioctl TUNSETIFF tun: Device or resource busy (errno=16)"


class RepeatedAction:
    """Calls ``action`` at once and then every ``seconds``."""

    def __init__(self, action: Callable[[], None], seconds: float) -> None:
        self._task = asyncio.create_task(_repeat(action, seconds))

    async def stop(self) -> None:
        """Stop; raise the exception of the action, if any."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task


async def _repeat(action: Callable[[], None], seconds: float) -> None:
    while True:
        action()
        await asyncio.sleep(seconds)


@dataclass(slots=True)
class AlertScenario:
    """Runs all steps concurrently: first those that trigger the alerts, then those that resolve."""

    fleet: Fleet
    exporter: Exporter
    outpost: Exporter
    prometheus: Prometheus
    alertmanager: Alertmanager

    async def trigger_all(self) -> None:
        """Trigger every alert, and wait until each is active or suppressed."""
        depot = await self.fleet.depot(pid=3001)
        await self._wait_for(
            f'sum(openvpn_up{{daemon!=""}} offset 1s) == {DAEMONS - DOWN_AT_FIRST}'
        )
        async with asyncio.TaskGroup() as steps:
            for step in (
                self._tunnel_reconnects(),
                self._daemon_dies(depot),
                self._exporter_stops(),
                self._daemon_hangs(),
                self._expected_client_disconnects(),
                self._passwords_fail(),
                self._server_reaches_its_limit(),
                self._passphrase_is_requested(),
                self._status_falls_back(),
                self._configuration_alerts_fire(),
            ):
                steps.create_task(step)

    async def resolve_all(self) -> None:
        """Resolve every fault, and wait until there is no alert."""
        branches = as_server(self.fleet.branches)
        apply(self.fleet.branches, partial(branches.connect, identity(MISSING_CLIENT)))
        await self._fix_configuration()
        async with asyncio.TaskGroup() as steps:
            steps.create_task(self._daemon_restarts())
            steps.create_task(self._exporter_restarts())
            steps.create_task(self._clients_leave_the_server())
            steps.create_task(self._daemon_is_removed_for_a_while())
        await self.alertmanager.wait_no_alerts()

    async def _wait_for(self, expression: str) -> None:
        await self.prometheus.wait_for(expression, deadline=DEADLINE)

    async def _tunnel_reconnects(self) -> None:
        uplink = as_tunnel(self.fleet.uplink)
        for number in range(1, RECONNECTS + 1):
            apply(self.fleet.uplink, partial(uplink.inject_server_loss, 0.2))
            reconnected = f'sum(openvpn_reconnects_total{{daemon="uplink"}}) == {number}'
            connected = 'openvpn_state{daemon="uplink", state="CONNECTED"} == 1'
            await self._wait_for(f"{reconnected} and on () {connected}")
        await self.alertmanager.wait_for(RECONNECTING, ACTIVE)

    async def _daemon_dies(self, depot: SimulatedDaemon) -> None:
        """Packet errors first: their alert fires when the daemon is down, and is suppressed."""
        await self._inject_packet_errors(depot, PACKET_ERRORS)
        apply(depot, partial(depot.daemon.fail, FATAL_MESSAGE))
        await self.alertmanager.wait_for(FATAL, ACTIVE)
        await self.alertmanager.wait_for(DOWN, ACTIVE)
        await self.alertmanager.wait_for(PACKET_ERRORS, SUPPRESSED)

    async def _inject_packet_errors(self, simulated: SimulatedDaemon, alert: Alert) -> None:
        """Inject packet errors until their alert is pending, some seconds before it fires."""
        tunnel = as_tunnel(simulated)
        replays = RepeatedAction(partial(apply, simulated, partial(tunnel.inject_replays, 60)), 0.5)
        since = f'ALERTS_FOR_STATE{{alertname="{alert.name}", daemon="{alert.daemon}"}}'
        await self._wait_for(f"time() - {since} > 4")
        await replays.stop()

    async def _exporter_stops(self) -> None:
        """Packet errors first: their alert fires when the exporter is down, and is suppressed."""
        await self._inject_packet_errors(self.fleet.outpost, OUTPOST_PACKET_ERRORS)
        await self.outpost.stop()
        await self.alertmanager.wait_for(EXPORTER_DOWN, ACTIVE)
        await self.alertmanager.wait_for(OUTPOST_PACKET_ERRORS, SUPPRESSED)

    async def _exporter_restarts(self) -> None:
        await self.alertmanager.wait_for(OUTPOST_PACKET_ERRORS, None)
        await self.outpost.start()

    async def _daemon_restarts(self) -> None:
        await self.alertmanager.wait_for(PACKET_ERRORS, None)
        await self.fleet.depot(pid=3002)
        await self.alertmanager.wait_for(DOWN, None)
        await self.alertmanager.wait_for(RESTARTED, ACTIVE)
        # The exporter counts a restart before the first poll succeeds. A scrape between the two
        # fires RESTARTED while DOWN still suppresses it; only what follows DOWN is of interest.
        self.alertmanager.forget_states(RESTARTED)

    async def _daemon_hangs(self) -> None:
        """Hang too briefly for an alert."""
        gateway = self.fleet.gateway.daemon
        gateway.signal(signal.SIGSTOP)
        try:
            timeouts = 'openvpn_exporter_poll_failures_total{daemon="gateway", reason="timeout"}'
            await self._wait_for(f"{timeouts} > 0")
        finally:
            gateway.signal(signal.SIGCONT)

    async def _expected_client_disconnects(self) -> None:
        branches = as_server(self.fleet.branches)
        apply(self.fleet.branches, partial(branches.disconnect, MISSING_CLIENT))
        await self.alertmanager.wait_for(MISSING, ACTIVE)
        await self.alertmanager.wait_for(ON_NO_SERVER, ACTIVE)  # once all servers were up

    async def _passwords_fail(self) -> None:
        office = as_server(self.fleet.office)
        wrong_password = partial(
            apply, self.fleet.office, partial(office.trigger, FailureKind.WRONG_PASSWORD)
        )
        wrong_passwords = RepeatedAction(wrong_password, 0.4)
        await self.alertmanager.wait_for(AUTH_FAILURES, ACTIVE)
        await wrong_passwords.stop()

    async def _server_reaches_its_limit(self) -> None:
        """A port scan takes a slot, so clients are rejected before the server reaches its limit."""
        hotel = as_server(self.fleet.hotel)
        apply(self.fleet.hotel, partial(hotel.trigger, FailureKind.PORT_SCAN))
        for number in range(EXTRA_CLIENTS):
            apply(self.fleet.hotel, partial(hotel.connect, identity(f"late-{number}")))
        await self.alertmanager.wait_for(SERVER_FULL, ACTIVE)
        assert hotel.instance_table
        [scan] = [row for row in hotel.instance_table.instances.values() if not row.connected]
        apply(self.fleet.hotel, partial(hotel.kill, scan.client_id))
        await self.alertmanager.wait_for(NEAR_LIMIT, SUPPRESSED)

    async def _clients_leave_the_server(self) -> None:
        """The exporter has a larger limit already; the daemon rejects clients until some leave."""
        await self.alertmanager.wait_for(NEAR_LIMIT, None)
        hotel = as_server(self.fleet.hotel)
        for number in range(HOTEL_LIMIT - 1):
            apply(self.fleet.hotel, partial(hotel.disconnect, f"client-{number}"))

    async def _passphrase_is_requested(self) -> None:
        await self.alertmanager.wait_for(PROMPT, ACTIVE)
        await self._wait_for('increase(openvpn_prompts_total{daemon="vault"}[1m]) > 0')
        apply(self.fleet.vault, as_tunnel(self.fleet.vault).answer_prompt)
        await self._wait_for('openvpn_state{daemon="vault", state="CONNECTED"} == 1')

    async def _status_falls_back(self) -> None:
        """A user name is too long for status 3. The unknown line is only counted."""
        archive = as_server(self.fleet.archive)
        apply(self.fleet.archive, partial(archive.send_line, "a message of a later release"))
        await self.alertmanager.wait_for(FALLBACK, ACTIVE)
        apply(self.fleet.archive, partial(archive.disconnect, "scribe"))

    async def _configuration_alerts_fire(self) -> None:
        await self.alertmanager.wait_for(FILE_ONLY, ACTIVE)
        await self.alertmanager.wait_for(NO_CERTIFICATE, ACTIVE)
        await self.alertmanager.wait_for(PORT, ACTIVE)

    async def _daemon_is_removed_for_a_while(self) -> None:
        await self.exporter.remove("archive")
        await self.alertmanager.wait_for(ABSENT, ACTIVE)
        await self.exporter.restore()

    async def _fix_configuration(self) -> None:
        certificate = self.fleet.gateway.lab.authority.issue("laptop").certificate
        await self.exporter.configure(
            laptop={"cert": str(certificate)},
            annex={"management": str(self.fleet.annex.management.address)},
            hotel={"max_clients": 100, "port_probe": False},  # it is no longer nearly full
            gateway={"port_probe": port_probe(self.fleet.gateway.port)},
        )
