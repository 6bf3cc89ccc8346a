"""A reload while real daemons are monitored and a real Prometheus scrapes."""

import signal
import sys
from pathlib import Path

import yaml
from aiohttp import ClientSession

from tests.real.client import client
from tests.real.lab import Lab
from tests.real.management import LOOPBACK
from tests.real.program import program
from tests.real.prometheus import prometheus
from tests.real.scraping import scraping_url
from tests.real.server import Server, server

UP = "openvpn_up"
CONNECTS = "openvpn_exporter_connects_total"
RECEIVED = "openvpn_server_client_received_bytes_total"


def write(file: Path, **servers: Server) -> None:
    daemons = [
        {"name": name, "management": str(each.management.address)} for name, each in servers.items()
    ]
    file.write_text(yaml.safe_dump({"poll_interval": "1s", "daemons": daemons}))


def service_discovery_job(address: str) -> dict[str, object]:
    return {
        "honor_labels": True,
        "static_configs": [],
        "http_sd_configs": [{"url": f"http://{address}/sd", "refresh_interval": "1s"}],
    }


async def reload(address: str) -> int:
    async with ClientSession() as session, session.post(f"http://{address}/-/reload") as response:
        return response.status


async def test_reload_keeps_sessions_counters_and_scrapes(lab: Lab, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    address = f"{LOOPBACK}:{lab.port()}"
    command = [
        *(sys.executable, "-m", "exporter", f"--config.file={file}"),
        f"--web.listen-address={address}",
    ]
    async with server(lab) as office, server(lab) as branch, client(office, "alice"):
        write(file, office=office)
        async with (
            program(*command, log=tmp_path / "exporter.log") as process,
            scraping_url(f"http://{address}") as scraper,
            prometheus(lab, address, tmp_path, openvpn=service_discovery_job(address)) as prom,
        ):
            before = await scraper.wait_up()
            assert await prom.wait_for(f'{UP}{{daemon="office"}} == 1') == [1]

            write(file, office=office, branch=branch)
            process.send_signal(signal.SIGHUP)
            assert await prom.wait_for(f'{UP}{{daemon="branch"}} == 1') == [1]
            assert await prom.query(f'{CONNECTS}{{daemon="office"}}') == [1]
            assert await prom.query(f"resets({RECEIVED}[1m])") == [0]
            assert await prom.query('min_over_time(up{job="openvpn"}[1m])') == [1, 1]

            file.write_text("daemons: nonsense\n")
            assert await reload(address) == 500
            assert await prom.query(f"sum({UP})") == [2]

            write(file, office=office)
            process.send_signal(signal.SIGHUP)
            after = await scraper.wait_for(lambda page: "branch" not in page.body)
            assert await prom.wait_for(f"sum({UP}) == 1") == [1]
        assert office.daemon.log.count("MANAGEMENT: Client connected") == 1
    assert after.value(RECEIVED) >= before.value(RECEIVED)
    assert after.value("openvpn_exporter_config_last_reload_successful") == 1
