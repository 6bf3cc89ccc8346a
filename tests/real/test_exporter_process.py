"""The exporter as a process of its own, from its first word to a real daemon to its last."""

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

# Whatever else changes a daemon, or lasts longer than we stay.
ALLOWED = {
    *("version", "pid", "verb", "hold", "state", "state on", "state all", "status 3"),
    *("log on", "log off", "log all", "quit"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One life of the exporter: its page, its exit code, and what the daemon wrote meanwhile."""

    page: Page
    exit_code: int
    daemon: Daemon

    @property
    def commands(self) -> list[str]:
        """All that the daemon was told, ``load-stats`` apart, which it does not log."""
        return re.findall(r"MANAGEMENT: CMD '(.*)'", self.daemon.log)


async def run(lab: Lab, log: Path, ending: signal.Signals) -> Run:
    """Let the exporter live until it has served one page of a daemon that is up."""
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
            process.send_signal(ending)
            exit_code = await end(process)
        await office.daemon.wait_for_log("MANAGEMENT: Client disconnected")
    return Run(page=page, exit_code=exit_code, daemon=office.daemon)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
async def test_it_serves_takes_its_leave_and_never_says_more_than_it_may(
    lab: Lab, tmp_path: Path, ending: signal.Signals
) -> None:
    seen = await run(lab, tmp_path / "exporter.log", ending)

    assert seen.exit_code == 0
    assert seen.page.value("openvpn_server_connected_clients") == 1
    assert set(seen.commands) <= ALLOWED
    assert seen.commands.count("status 3") >= 1
    assert seen.commands[-1] == "quit"
    assert seen.daemon.log.count("MANAGEMENT: Client connected") == 1
