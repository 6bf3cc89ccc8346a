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
from tests.real.live.cast import LATE, ROOMS, SITES, Cast, act, as_server, as_tunnel, identity
from tests.real.live.recurring import Recurring
from tests.real.live.tempo import DEADLINE
from tests.real.live.watching import DAEMONS, DOWN_AT_FIRST, Exporter
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
GUESSING = Alert("OpenVPNAuthFailures", "office")
TURNED_AWAY = Alert("OpenVPNClientsTurnedAway", "hotel")
AT_LIMIT = Alert("OpenVPNClientsAtLimit", "hotel")
NEAR_LIMIT = Alert("OpenVPNClientsNearLimit", "hotel")
PROMPT = Alert("OpenVPNPromptWaiting", "vault")
FALLBACK = Alert("OpenVPNStatusFallback", "archive")
FILE_ONLY = Alert("OpenVPNStatusFileOnly", "annex")
NO_CERTIFICATE = Alert("OpenVPNCertificateFileProblem", "laptop")

LAST_WORDS = "Cannot ioctl TUNSETIFF tun: Device or resource busy (errno=16)"


@dataclass(slots=True)
class Story:
    """Tells all chapters at once: first how troubles rise, then how they pass."""

    cast: Cast
    exporter: Exporter
    outpost: Exporter
    prometheus: Prometheus
    alertmanager: Alertmanager
    _guesses: list[Recurring] = field(default_factory=list)

    async def rise(self) -> None:
        """Have every trouble there, and seen."""
        depot = await self.cast.depot(pid=3001)
        await self._shows(f'sum(openvpn_up{{daemon!=""}} offset 1s) == {DAEMONS - DOWN_AT_FIRST}')
        async with asyncio.TaskGroup() as chapters:
            for chapter in (
                self._a_tunnel_flaps(),
                self._a_daemon_dies(depot),
                self._an_exporter_dies(),
                self._a_daemon_hangs(),
                self._a_site_goes_missing(),
                self._somebody_guesses(),
                self._a_server_fills_up(),
                self._a_passphrase_is_wanted(),
                self._a_name_is_too_long(),
                self._mistakes_are_noticed(),
            ):
                chapters.create_task(chapter)

    async def fall(self) -> None:
        """Mend everything, and wait until nobody worries any more."""
        for guess in self._guesses:
            await guess.stop()
        branches = as_server(self.cast.branches)
        act(self.cast.branches, partial(branches.connect, identity(LOST_SITE)))
        await self._mistakes_are_mended()
        async with asyncio.TaskGroup() as chapters:
            chapters.create_task(self._the_dead_one_comes_back())
            chapters.create_task(self._the_exporter_comes_back())
            chapters.create_task(self._there_is_room_again())
        await self.alertmanager.until_quiet()

    async def _shows(self, expression: str) -> None:
        await self.prometheus.until(expression, deadline=DEADLINE)

    async def _a_tunnel_flaps(self) -> None:
        uplink = as_tunnel(self.cast.uplink)
        for number in range(1, FLAPS + 1):
            act(self.cast.uplink, partial(uplink.inject_server_loss, 0.2))
            times = f'sum(openvpn_reconnects_total{{daemon="uplink"}}) == {number}'
            connected = 'openvpn_state{daemon="uplink", state="CONNECTED"} == 1'
            await self._shows(f"{times} and on () {connected}")
        await self.alertmanager.until(RECONNECTING, ACTIVE)

    async def _a_daemon_dies(self, depot: SimulatedDaemon) -> None:
        """Bad packets first: their alert comes when it is down already, and is hidden by that."""
        await self._bad_packets_come(depot, PACKET_ERRORS)
        act(depot, partial(depot.daemon.fail, LAST_WORDS))
        await self.alertmanager.until(FATAL, ACTIVE)
        await self.alertmanager.until(DOWN, ACTIVE)
        await self.alertmanager.until(PACKET_ERRORS, SUPPRESSED)

    async def _bad_packets_come(self, simulated: SimulatedDaemon, alert: Alert) -> None:
        """Let them come until their alert is under way, with some seconds to go."""
        tunnel = as_tunnel(simulated)
        gusts = Recurring(partial(act, simulated, partial(tunnel.inject_replays, 60)), 0.5)
        since = f'ALERTS_FOR_STATE{{alertname="{alert.name}", daemon="{alert.daemon}"}}'
        await self._shows(f"time() - {since} > 4")
        await gusts.stop()

    async def _an_exporter_dies(self) -> None:
        """Likewise: what it saw of bad packets is hidden."""
        await self._bad_packets_come(self.cast.outpost, OUTPOST_PACKET_ERRORS)
        await self.outpost.stop()
        await self.alertmanager.until(EXPORTER_DOWN, ACTIVE)
        await self.alertmanager.until(OUTPOST_PACKET_ERRORS, SUPPRESSED)

    async def _the_exporter_comes_back(self) -> None:
        await self.alertmanager.until(OUTPOST_PACKET_ERRORS, None)
        await self.outpost.start()

    async def _the_dead_one_comes_back(self) -> None:
        await self.alertmanager.until(PACKET_ERRORS, None)
        await self.cast.depot(pid=3002)
        await self.alertmanager.until(RESTARTED, ACTIVE)

    async def _a_daemon_hangs(self) -> None:
        """Too short for anybody to be told."""
        gateway = self.cast.gateway.daemon
        gateway.signal(signal.SIGSTOP)
        try:
            failed = 'openvpn_exporter_poll_failures_total{daemon="gateway", reason="timeout"}'
            await self._shows(f"{failed} > 0")
        finally:
            gateway.signal(signal.SIGCONT)

    async def _a_site_goes_missing(self) -> None:
        branches = as_server(self.cast.branches)
        act(self.cast.branches, partial(branches.disconnect, LOST_SITE))
        await self.alertmanager.until(MISSING, ACTIVE)

    async def _somebody_guesses(self) -> None:
        office = as_server(self.cast.office)
        guess = partial(act, self.cast.office, partial(office.trigger, FailureKind.WRONG_PASSWORD))
        self._guesses.append(Recurring(guess, 0.4))
        await self.alertmanager.until(GUESSING, ACTIVE)

    async def _a_server_fills_up(self) -> None:
        """A stranger takes the last place, so guests are turned away before it is full of them."""
        hotel = as_server(self.cast.hotel)
        act(self.cast.hotel, partial(hotel.trigger, FailureKind.PORT_SCAN))
        for number in range(LATE):
            act(self.cast.hotel, partial(hotel.connect, identity(f"late-{number}")))
        await self.alertmanager.until(TURNED_AWAY, ACTIVE)
        assert hotel.client_table
        [stranger] = [row for row in hotel.client_table.instances.values() if not row.connected]
        act(self.cast.hotel, partial(hotel.kill, stranger.client_id))
        await self.alertmanager.until(AT_LIMIT, SUPPRESSED)
        await self.alertmanager.until(NEAR_LIMIT, SUPPRESSED)

    async def _there_is_room_again(self) -> None:
        """A larger limit was configured: not for the daemon yet, which turns guests away still."""
        await self.alertmanager.until(AT_LIMIT, None)
        await self.alertmanager.until(NEAR_LIMIT, None)
        hotel = as_server(self.cast.hotel)
        for number in range(ROOMS - 1):
            act(self.cast.hotel, partial(hotel.disconnect, f"guest-{number}"))

    async def _a_passphrase_is_wanted(self) -> None:
        await self.alertmanager.until(PROMPT, ACTIVE)
        act(self.cast.vault, as_tunnel(self.cast.vault).answer_prompt)

    async def _a_name_is_too_long(self) -> None:
        """It goes as soon as somebody was told; so does the gibberish that is said meanwhile."""
        archive = as_server(self.cast.archive)
        act(self.cast.archive, partial(archive.send_line, "the words of a release to come"))
        await self.alertmanager.until(FALLBACK, ACTIVE)
        act(self.cast.archive, partial(archive.disconnect, "scribe"))

    async def _mistakes_are_noticed(self) -> None:
        await self.alertmanager.until(FILE_ONLY, ACTIVE)
        await self.alertmanager.until(NO_CERTIFICATE, ACTIVE)

    async def _mistakes_are_mended(self) -> None:
        certificate = self.cast.gateway.lab.authority.issue("laptop").certificate
        await self.exporter.configure(
            laptop={"cert": str(certificate)},
            annex={"management": str(self.cast.annex.management.address)},
            hotel={"max_clients": 100},
        )
