"""What happens: troubles rise, stand at their worst together, and pass.

Each chapter waits for what Prometheus and Alertmanager show, never for time to pass; what recurs
goes on until its trouble was seen.
"""

import asyncio
import signal
from dataclasses import dataclass, field
from functools import partial

from exporter.simulator import SimulatedDaemon
from exporter.simulator.population.failures import FailureKind
from tests.real.live.alertmanager import ACTIVE, SUPPRESSED, Alert, Alertmanager
from tests.real.live.exporters import DAEMONS, DOWN_AT_FIRST, Exporter
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
from tests.real.live.recurring import RepeatedAction
from tests.real.live.timing import DEADLINE
from tests.real.prometheus import Prometheus

FLAPS = 4
LOST_SITE = SITES[1]

RECONNECTING = Alert("OpenVPNReconnecting", "uplink")
PACKET_ERRORS = Alert("OpenVPNPacketErrors", "depot")
OUTPOST_PACKET_ERRORS = Alert("OpenVPNPacketErrors", "outpost")
EXPORTER_DOWN = Alert("OpenVPNExporterDown")
FATAL = Alert("OpenVPNFatalError", "depot")
DOWN = Alert("OpenVPNDaemonDown", "depot")
RESTARTED = Alert("OpenVPNRestarted", "depot")
MISSING = Alert("OpenVPNExpectedClientMissing", "branches", LOST_SITE)
AUTH_FAILURES = Alert("OpenVPNAuthFailures", "office")
CLIENTS_TURNED_AWAY = Alert("OpenVPNClientsTurnedAway", "hotel")
AT_LIMIT = Alert("OpenVPNClientsAtLimit", "hotel")
NEAR_LIMIT = Alert("OpenVPNClientsNearLimit", "hotel")
PROMPT = Alert("OpenVPNPromptWaiting", "vault")
FALLBACK = Alert("OpenVPNStatusFallback", "archive")
FILE_ONLY = Alert("OpenVPNStatusFileOnly", "annex")
NO_CERTIFICATE = Alert("OpenVPNCertificateFileProblem", "laptop")

FATAL_MESSAGE = "Cannot ioctl TUNSETIFF tun: Device or resource busy (errno=16)"


@dataclass(slots=True)
class AlertScenario:
    """Tells all chapters at once: first how troubles rise, then how they pass."""

    fleet: Fleet
    exporter: Exporter
    outpost: Exporter
    prometheus: Prometheus
    alertmanager: Alertmanager
    _wrong_passwords: list[RepeatedAction] = field(default_factory=list)

    async def trigger_all(self) -> None:
        """Have every trouble there, and seen."""
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
        """Mend everything, and wait until nobody worries any more."""
        for wrong_password in self._wrong_passwords:
            await wrong_password.stop()
        branches = as_server(self.fleet.branches)
        apply(self.fleet.branches, partial(branches.connect, identity(LOST_SITE)))
        await self._fix_configuration()
        async with asyncio.TaskGroup() as steps:
            steps.create_task(self._daemon_restarts())
            steps.create_task(self._exporter_restarts())
            steps.create_task(self._clients_leave_the_server())
        await self.alertmanager.wait_no_alerts()

    async def _wait_for(self, expression: str) -> None:
        await self.prometheus.wait_for(expression, deadline=DEADLINE)

    async def _tunnel_reconnects(self) -> None:
        uplink = as_tunnel(self.fleet.uplink)
        for number in range(1, FLAPS + 1):
            apply(self.fleet.uplink, partial(uplink.inject_server_loss, 0.2))
            times = f'sum(openvpn_reconnects_total{{daemon="uplink"}}) == {number}'
            connected = 'openvpn_state{daemon="uplink", state="CONNECTED"} == 1'
            await self._wait_for(f"{times} and on () {connected}")
        await self.alertmanager.wait_for(RECONNECTING, ACTIVE)

    async def _daemon_dies(self, depot: SimulatedDaemon) -> None:
        """Bad packets first: their alert comes when it is down already, and is hidden by that."""
        await self._inject_packet_errors(depot, PACKET_ERRORS)
        apply(depot, partial(depot.daemon.fail, FATAL_MESSAGE))
        await self.alertmanager.wait_for(FATAL, ACTIVE)
        await self.alertmanager.wait_for(DOWN, ACTIVE)
        await self.alertmanager.wait_for(PACKET_ERRORS, SUPPRESSED)

    async def _inject_packet_errors(self, simulated: SimulatedDaemon, alert: Alert) -> None:
        """Let them come until their alert is under way, with some seconds to go."""
        tunnel = as_tunnel(simulated)
        replays = RepeatedAction(partial(apply, simulated, partial(tunnel.inject_replays, 60)), 0.5)
        since = f'ALERTS_FOR_STATE{{alertname="{alert.name}", daemon="{alert.daemon}"}}'
        await self._wait_for(f"time() - {since} > 4")
        await replays.stop()

    async def _exporter_stops(self) -> None:
        """Likewise: what it saw of bad packets is hidden."""
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
        await self.alertmanager.wait_for(RESTARTED, ACTIVE)

    async def _daemon_hangs(self) -> None:
        """Too short for anybody to be told."""
        gateway = self.fleet.gateway.daemon
        gateway.signal(signal.SIGSTOP)
        try:
            failed = 'openvpn_exporter_poll_failures_total{daemon="gateway", reason="timeout"}'
            await self._wait_for(f"{failed} > 0")
        finally:
            gateway.signal(signal.SIGCONT)

    async def _expected_client_disconnects(self) -> None:
        branches = as_server(self.fleet.branches)
        apply(self.fleet.branches, partial(branches.disconnect, LOST_SITE))
        await self.alertmanager.wait_for(MISSING, ACTIVE)

    async def _passwords_fail(self) -> None:
        office = as_server(self.fleet.office)
        wrong_password = partial(
            apply, self.fleet.office, partial(office.trigger, FailureKind.WRONG_PASSWORD)
        )
        self._wrong_passwords.append(RepeatedAction(wrong_password, 0.4))
        await self.alertmanager.wait_for(AUTH_FAILURES, ACTIVE)

    async def _server_reaches_its_limit(self) -> None:
        """A stranger takes the last place, so guests are turned away before it is full of them."""
        hotel = as_server(self.fleet.hotel)
        apply(self.fleet.hotel, partial(hotel.trigger, FailureKind.PORT_SCAN))
        for number in range(EXTRA_CLIENTS):
            apply(self.fleet.hotel, partial(hotel.connect, identity(f"late-{number}")))
        await self.alertmanager.wait_for(CLIENTS_TURNED_AWAY, ACTIVE)
        assert hotel.client_table
        [scan] = [row for row in hotel.client_table.instances.values() if not row.connected]
        apply(self.fleet.hotel, partial(hotel.kill, scan.client_id))
        await self.alertmanager.wait_for(AT_LIMIT, SUPPRESSED)
        await self.alertmanager.wait_for(NEAR_LIMIT, SUPPRESSED)

    async def _clients_leave_the_server(self) -> None:
        """A larger limit was configured: not for the daemon yet, which turns guests away still."""
        await self.alertmanager.wait_for(AT_LIMIT, None)
        await self.alertmanager.wait_for(NEAR_LIMIT, None)
        hotel = as_server(self.fleet.hotel)
        for number in range(HOTEL_LIMIT - 1):
            apply(self.fleet.hotel, partial(hotel.disconnect, f"guest-{number}"))

    async def _passphrase_is_requested(self) -> None:
        await self.alertmanager.wait_for(PROMPT, ACTIVE)
        apply(self.fleet.vault, as_tunnel(self.fleet.vault).answer_prompt)

    async def _status_falls_back(self) -> None:
        """It goes as soon as somebody was told; so does the gibberish that is said meanwhile."""
        archive = as_server(self.fleet.archive)
        apply(self.fleet.archive, partial(archive.send_line, "the words of a release to come"))
        await self.alertmanager.wait_for(FALLBACK, ACTIVE)
        apply(self.fleet.archive, partial(archive.disconnect, "scribe"))

    async def _configuration_alerts_fire(self) -> None:
        await self.alertmanager.wait_for(FILE_ONLY, ACTIVE)
        await self.alertmanager.wait_for(NO_CERTIFICATE, ACTIVE)

    async def _fix_configuration(self) -> None:
        certificate = self.fleet.gateway.lab.authority.issue("laptop").certificate
        await self.exporter.configure(
            laptop={"cert": str(certificate)},
            annex={"management": str(self.fleet.annex.management.address)},
            hotel={"max_clients": 100},
        )
