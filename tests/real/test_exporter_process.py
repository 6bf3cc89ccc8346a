"""The exporter as a process, from its first command to its last."""

import re
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.real.client import client
from tests.real.daemon import Daemon
from tests.real.lab import Lab
from tests.real.management import LOOPBACK
from tests.real.program import end, program
from tests.real.scraping import Page, scraping_url
from tests.real.server import server

# Any other command changes the daemon, or outlasts the session.
ALLOWED = {
    *("version", "pid", "verb", "hold", "state", "state on", "state all", "status 3"),
    *("log on", "log off", "log all", "quit"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of the exporter: its page, its exit code, and the daemon with its log."""

    page: Page
    exit_code: int
    daemon: Daemon

    @property
    def commands(self) -> list[str]:
        """All commands except ``load-stats``, which the daemon does not log."""
        return re.findall(r"MANAGEMENT: CMD '(.*)'", self.daemon.log)


async def run(lab: Lab, log: Path, stop_signal: signal.Signals) -> Run:
    """Run the exporter until it has served one page with the daemon up."""
    address = f"{LOOPBACK}:{lab.port()}"
    async with server(lab) as office, client(office, "alice"):
        command = [
            *(sys.executable, "-m", "exporter"),
            *("--openvpn.management", str(office.management.address)),
            *("--web.listen-address", address),
        ]
        async with program(*command, log=log) as process:
            async with scraping_url(f"http://{address}") as scraper:
                page = await scraper.wait_up()
            process.send_signal(stop_signal)
            exit_code = await end(process)
        await office.daemon.wait_for_log("MANAGEMENT: Client disconnected")
    return Run(page=page, exit_code=exit_code, daemon=office.daemon)


@pytest.mark.parametrize("stop_signal", [signal.SIGTERM, signal.SIGINT])
async def test_exporter_sends_only_allowed_commands_and_quits_at_a_signal(
    lab: Lab, tmp_path: Path, stop_signal: signal.Signals
) -> None:
    done = await run(lab, tmp_path / "exporter.log", stop_signal)

    assert done.exit_code == 0
    assert done.page.value("openvpn_server_connected_clients") == 1
    assert set(done.commands) <= ALLOWED
    assert done.commands.count("status 3") >= 1
    assert done.commands[-1] == "quit"
    assert done.daemon.log.count("MANAGEMENT: Client connected") == 1
