"""The exporter probes the ports of real servers, and counts nothing of its own probes."""

import shlex
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from exporter.config import Config
from exporter.config.loader import load
from exporter.monitor import port_prober
from tests.real.changes import increase
from tests.real.daemon import INITIALISED, Daemon, running
from tests.real.lab import Lab
from tests.real.management import LOOPBACK
from tests.real.scraping import POLL_INTERVAL, Page, Scraper, scraping
from tests.real.tls_keys import tls_keys

SUCCESS = "openvpn_port_probe_success"
SKIPPED = "openvpn_port_probe_skipped"
PROBES = "openvpn_port_probes_total"
EVENTS = "openvpn_log_events_total"
PENDING = "openvpn_server_pending_clients"
INTERVAL = 0.2


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Probe more often than a configuration file allows."""
    monkeypatch.setattr(port_prober, "START_DELAY", 0.0)
    monkeypatch.setattr(port_prober, "MIN_INTERVAL", INTERVAL)


@dataclass(frozen=True, slots=True)
class Probed:
    """A server that was started with a file, and an exporter that discovered that file."""

    daemon: Daemon
    scraper: Scraper


@asynccontextmanager
async def probed(
    lab: Lab, directory: Path, *directives: str, port_probe: str = "true"
) -> AsyncIterator[Probed]:
    """Run a server with these lines in its configuration, and an exporter that probes it."""
    network, _ = lab.networks()
    arguments = lab.authority.issue("server").options()
    certificates = [
        f"{name.removeprefix('--')} {shlex.quote(file)}"
        for name, file in zip(arguments[::2], arguments[1::2], strict=True)
    ]
    lines = (
        *("dev tun", "disable-dco", "dh none", "verb 3", "topology subnet", *certificates),
        f"server {network.network_address} {network.netmask}",
        f"port {lab.port()}",
        f"management {LOOPBACK} {lab.port()}",
        *directives,
    )
    file = directory / "office.conf"
    file.write_text("\n".join(lines) + "\n")
    options = ("--config", str(file))
    config = directory / "config.yaml"
    config.write_text(
        f"discover: ['*.conf']\ndaemons:\n  - {{name: office, port_probe: {port_probe}}}\n"
    )
    async with (
        running("office", options, directory=directory, ready=INITIALISED) as daemon,
        scraping(*often(load(config)).daemons) as scraper,
    ):
        yield Probed(daemon, scraper)


def often(config: Config) -> Config:
    """Return the configuration with short intervals."""
    daemons = []
    for daemon in config.daemons:
        assert daemon.probe_plan
        plan = msgspec.structs.replace(daemon.probe_plan, interval=INTERVAL, timeout=0.5)
        daemons.append(
            msgspec.structs.replace(daemon, probe_plan=plan, poll_interval=POLL_INTERVAL)
        )
    return msgspec.structs.replace(config, daemons=tuple(daemons))


def probes(outcome: str, count: int) -> Callable[[Page], bool]:
    """Return whether each port has had so many probes with this outcome."""

    def check(page: Page) -> bool:
        found = [
            value
            for (name, labels), value in page.series.items()
            if name == PROBES and dict(labels)["outcome"] == outcome
        ]
        return bool(found) and min(found) >= count

    return check


async def test_all_sockets_of_a_discovered_server_answer_and_nothing_stays(
    lab: Lab, tmp_path: Path
) -> None:
    keys = await tls_keys(lab, "tls-crypt")
    async with probed(lab, tmp_path, "proto udp6", inline(*keys.server)) as office:
        before = await office.scraper.wait_up()
        mark = office.daemon.mark()
        page = await office.scraper.wait_for(probes("answered", 3))
        lines = office.daemon.log.split("\n")[mark:]
    assert page.values(SUCCESS, by="ip_version") == {"4": 1, "6": 1}
    assert page.value("openvpn_port_probe_duration_seconds", ip_version="6") < 0.5
    skipped = [value for (name, _), value in page.series.items() if name == SKIPPED]
    assert set(skipped) == {0}
    assert all(page.value(PENDING) == 0 for page in office.scraper.pages if page.is_up())
    assert increase(before, page, EVENTS, by="event") == {}
    assert [line for line in lines if "MANAGEMENT: " not in line] == []


def inline(option: str, file: str) -> str:
    """Return the content of a file as an inline block."""
    name = option.removeprefix("--")
    return f"<{name}>\n{Path(file).read_text()}</{name}>"


@pytest.mark.parametrize("mode", ["tls-auth-direction-1", "tls-crypt-v2"])
async def test_a_key_of_a_file_is_that_of_the_clients(lab: Lab, tmp_path: Path, mode: str) -> None:
    keys = await tls_keys(lab, mode)
    options = " ".join(keys.server).replace("--", "\n")
    async with probed(lab, tmp_path, "proto udp", options) as office:
        page = await office.scraper.wait_for(probes("answered", 1))
    assert page.values(SUCCESS, by="ip_version") == {"4": 1}


async def test_traces_over_tcp_are_not_counted(lab: Lab, tmp_path: Path) -> None:
    async with probed(lab, tmp_path, "proto tcp", port_probe="{allow_traces: true}") as office:
        before = await office.scraper.wait_up()
        await office.scraper.wait_for(probes("answered", 3))
        await office.daemon.wait_for_log("client-instance restarting")
        page = await office.scraper.wait_polled()
        log = office.daemon.log
    assert log.count("Connection reset, restarting") >= 3
    assert increase(before, page, EVENTS, by="event") == {}
    assert all(page.value(PENDING) == 0 for page in office.scraper.pages if page.is_up())
    assert page.value("openvpn_server_client_connects_total") == 0


@pytest.mark.parametrize(
    ("options", "outcome"),
    [(("proto udp",), "no_answer"), (("proto tcp",), "closed")],
)
async def test_errors_of_a_probe_with_a_wrong_key_are_not_counted(
    lab: Lab, tmp_path: Path, options: tuple[str, ...], outcome: str
) -> None:
    keys, others = await tls_keys(lab, "tls-crypt"), await tls_keys(lab, "tls-crypt")
    section = f"{{tls_crypt: {others.server[1]}, allow_traces: true}}"
    key = f"tls-crypt {keys.server[1]}"
    async with probed(lab, tmp_path, *options, key, port_probe=section) as office:
        before = await office.scraper.wait_up()
        await office.scraper.wait_for(probes(outcome, 2))
        await office.daemon.wait_for_log("TLS Error: tls-crypt unwrapping failed")
        page = await office.scraper.wait_polled()
        log = office.daemon.log
    assert log.count("TLS Error: tls-crypt unwrapping failed") >= 2
    assert page.values(SUCCESS, by="ip_version") == {"4": 0}
    assert page.value("openvpn_port_probe_consecutive_failures") >= 2
    assert increase(before, page, EVENTS, by="event") == {}


async def test_a_daemon_of_unknown_version_is_not_probed(lab: Lab, tmp_path: Path) -> None:
    async with probed(lab, tmp_path, "proto udp") as office:
        await office.scraper.wait_for(probes("answered", 1))
        await office.daemon.kill()
        page = await office.scraper.wait_for(
            lambda page: page.value(SKIPPED, reason="version_unknown") == 1
        )
    assert SUCCESS not in page.names()
    assert page.value(PROBES, outcome="answered") >= 1


async def test_a_server_that_is_nearly_full_is_not_probed(lab: Lab, tmp_path: Path) -> None:
    async with probed(lab, tmp_path, "proto udp", "max-clients 1") as office:
        page = await office.scraper.wait_for(
            lambda page: page.value(SKIPPED, reason="max_clients") == 1
        )
    assert SUCCESS not in page.names()
