"""The rules for usage, in a real Prometheus, against what a simulated server moved.

The client, the exporter and the daemon restart. The rules have compressed time: a window of five
minutes takes a second. The server has a manual clock, so that bytes move only when the test lets
them.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from exporter.alert_rules import USAGE
from exporter.config import DaemonConfig
from exporter.management.endpoint import parse_endpoint
from exporter.simulator import ManagementOptions, SimulatedDaemon, simulated_server
from exporter.simulator.population.counter import activity_ticks
from tests.alert_rules.compressed import compressed
from tests.alert_rules.shipped import USAGE_LABELS
from tests.real.lab import Lab
from tests.real.live.fleet import as_server, identity
from tests.real.management import LOOPBACK
from tests.real.prometheus import Prometheus, prometheus_with_config
from tests.real.scraping import scraping
from tests.simulator.manual_clock import ManualClock

SPEED = 300.0
WINDOW = "1s"
SCRAPE_INTERVAL = "100ms"

[USAGE_METRIC] = USAGE_LABELS
RECEIVED = 'openvpn_server_client_received_bytes_total{common_name="alice"}'


@dataclass(slots=True)
class Server:
    """A server whose only client is alice, and what both moved in all lives of the server."""

    management: ManagementOptions
    stack: AsyncExitStack
    simulated: SimulatedDaemon = field(init=False)
    clock: ManualClock = field(default_factory=ManualClock)
    moved_before: int = 0
    lost: int = 0
    """Bytes that no exporter saw."""

    async def start(self) -> None:
        """Start the server, without a client."""
        server = simulated_server(clients=[], clock=self.clock, management=self.management)
        self.simulated = await self.stack.enter_async_context(server)

    async def stop(self) -> None:
        """Stop the server."""
        self.moved_before = self.moved
        await self.stack.aclose()

    def connect(self) -> None:
        """Let alice connect, which takes a little more than a second."""
        as_server(self.simulated).connect(identity("alice"))
        self.move(seconds=2)

    def disconnect(self) -> None:
        """Let alice disconnect; the server removes her a few seconds later."""
        as_server(self.simulated).disconnect("alice")
        self.move(seconds=10)

    def move(self, *, seconds: float) -> None:
        """Let time pass, and bytes move."""
        self.clock.advance(seconds)
        self.simulated.tick()

    @property
    def moved(self) -> int:
        """The bytes of both directions, in all lives of the server."""
        table = as_server(self.simulated).instance_table
        assert table is not None
        return self.moved_before + (table.received + table.sent).at(activity_ticks(self.clock.now))


async def test_usage_is_what_moved_over_restarts_of_client_exporter_and_daemon(
    lab: Lab, tmp_path: Path
) -> None:
    socket = tmp_path / "office.sock"
    config = DaemonConfig(name="office", management=parse_endpoint(f"unix:{socket}"))
    port = lab.port()
    async with AsyncExitStack() as stack, AsyncExitStack() as exporter:
        office = Server(ManagementOptions(unix_path=socket), stack)
        await office.start()
        await exporter.enter_async_context(scraping(config, port=port))
        async with prometheus(lab, port, tmp_path) as prom:
            await prom.wait_for(f"openvpn_up offset {WINDOW} == 1")
            office.connect()
            await check_usage(prom, office)

            office.disconnect()
            office.connect()
            await check_usage(prom, office)

            async with without_exporter(prom, office, exporter):
                await exporter.enter_async_context(scraping(config, port=port))
            await check_usage(prom, office)

            await restart_daemon(prom, office)
            office.connect()
            await check_usage(prom, office)


@asynccontextmanager
async def without_exporter(
    prom: Prometheus, server: Server, exporter: AsyncExitStack
) -> AsyncIterator[None]:
    """Stop the exporter, and let bytes move; the block starts another one."""
    await exporter.aclose()
    await prom.wait_for('up{job="openvpn"} == 0')
    before = server.moved
    server.move(seconds=60)
    server.lost = server.moved - before
    yield
    await prom.wait_for(f"{RECEIVED} offset {WINDOW} == 0")


async def restart_daemon(prom: Prometheus, server: Server) -> None:
    """Stop the server, and start it as another process."""
    await server.stop()
    await prom.wait_for("openvpn_up == 0")
    await server.start()
    await prom.wait_for("openvpn_up == 1")


@asynccontextmanager
async def prometheus(lab: Lab, port: int, directory: Path) -> AsyncIterator[Prometheus]:
    """Run a Prometheus with the compressed rules."""
    (directory / "usage.rules.yml").write_text(compressed(SPEED, USAGE))
    config = {
        "global": {"scrape_interval": SCRAPE_INTERVAL},
        "rule_files": ["usage.rules.yml"],
        "scrape_configs": [
            {"job_name": "openvpn", "static_configs": [{"targets": [f"{LOOPBACK}:{port}"]}]}
        ],
    }
    async with prometheus_with_config(lab, config, directory) as prom:
        yield prom


async def check_usage(prom: Prometheus, server: Server) -> None:
    """Let bytes move, and wait until the rules have recorded all but the lost ones."""
    server.move(seconds=60)
    usage = f"sum(sum_over_time({USAGE_METRIC}[1h]))"
    try:
        await prom.wait_for(f"{usage} == {server.moved - server.lost}")
    except TimeoutError as error:
        error.add_note(f"moved {server.moved}, lost {server.lost}: {await prom.query(usage)}")
        raise
