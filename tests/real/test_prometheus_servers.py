"""Several Prometheus servers and one exporter, with the lines of `docs/scaling.md`."""

import re
from pathlib import Path
from typing import Any

import yaml

from exporter.config import DaemonConfig
from exporter.management.endpoint import parse_endpoint
from tests.real.lab import Lab
from tests.real.management import LOOPBACK
from tests.real.prometheus import Prometheus, prometheus, prometheus_with_config
from tests.real.scraping import daemon_config, scraping
from tests.real.server import server

PAGE = (Path(__file__).parents[2] / "docs" / "scaling.md").read_text(encoding="utf-8")
SERVERS = 2


def sharded_job(url: str, shard: int) -> dict[str, Any]:
    """Return the job of the page for one of the servers."""
    (text,) = re.findall(r"```yaml\n(.*?hashmod.*?)```", PAGE, re.DOTALL)
    (job,) = yaml.safe_load(text)["scrape_configs"]
    (discovery,) = job["http_sd_configs"]
    discovery["url"] = f"{url}/sd"
    hashmod, keep = job["relabel_configs"]
    assert hashmod["modulus"] == SERVERS
    keep["regex"] = str(shard)
    return dict(job)


async def scraped_daemons(prom: Prometheus, job: str) -> set[str]:
    """Return the daemons of the server's targets, once it has the series of each of them."""
    await prom.wait_for(f'up{{job="{job}"}} == 1')
    found = await prom.request("targets", state="active")
    names = {target["labels"]["daemon"] for target in found["activeTargets"]}
    await prom.wait_for(f"count(count by (daemon) (openvpn_up)) == {len(names)}")
    return names


async def test_every_daemon_is_scraped_by_one_of_two_servers(lab: Lab, tmp_path: Path) -> None:
    daemons = [
        DaemonConfig(name=f"site-{number}", management=parse_endpoint(f"{LOOPBACK}:{lab.port()}"))
        for number in range(12)
    ]
    async with scraping(*daemons) as scraper:
        jobs = [sharded_job(scraper.url, shard) for shard in range(SERVERS)]
        directories = [tmp_path / str(shard) for shard in range(SERVERS)]
        for directory in directories:
            directory.mkdir()
        configs = [{"global": {"scrape_interval": "1s"}, "scrape_configs": [job]} for job in jobs]
        async with (
            prometheus_with_config(lab, configs[0], directories[0]) as first,
            prometheus_with_config(lab, configs[1], directories[1]) as second,
        ):
            one = await scraped_daemons(first, jobs[0]["job_name"])
            other = await scraped_daemons(second, jobs[1]["job_name"])
    assert one
    assert other
    assert not one & other
    assert one | other == {daemon.name for daemon in daemons}


async def test_scrapes_of_a_pair_poll_no_daemon(lab: Lab, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    async with (
        server(lab) as office,
        scraping(daemon_config(office.management), poll_interval=3600) as scraper,
    ):
        await scraper.wait_up()
        target = scraper.url.removeprefix("http://")
        async with prometheus(lab, target, one) as first, prometheus(lab, target, other) as second:
            for prom in (first, second):
                await prom.wait_for("count_over_time(openvpn_up[1m]) > 1")
                assert await prom.query("openvpn_exporter_polls_total") == [1]
