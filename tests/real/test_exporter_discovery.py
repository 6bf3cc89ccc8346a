"""A daemon that is discovered by its own configuration file."""

import shlex
from pathlib import Path

from exporter.config import load
from tests.real.daemon import INITIALISED, running
from tests.real.lab import Lab
from tests.real.scraping import scraping

CONFIGURATION = """\
# Everything relative, and all kinds of quotes.
dev tun
disable-dco
dh none
topology subnet
{server}
{certificates}
port {port}
verb 3
config "parts/the rest"
management overruled.sock unix
management 'the office.sock' "unix" pass\\ word
"""
REST = 'client-config-dir "clients/of the office"\nmax-clients 7\nmanagement 127.0.0.1 1\n'


def write(lab: Lab, directory: Path) -> Path:
    """Write a daemon's configuration and an exporter's that discovers it; return the latter."""
    arguments = lab.authority.issue("server").options()
    certificates = "\n".join(
        f"{name.removeprefix('--')} {shlex.quote(file)}"
        for name, file in zip(arguments[::2], arguments[1::2], strict=True)
    )
    network, _ = lab.networks()
    server = f"server {network.network_address} {network.netmask}"
    files = {
        "server/office.conf": CONFIGURATION.format(
            server=server, certificates=certificates, port=lab.port()
        ),
        "server/parts/the rest": REST,
        "server/pass word": "s3cret\n",
        "server/clients/of the office/alice": "",
        "server/clients/of the office/bob": "disable\n",
        "config.yaml": "discover: [server/*.conf]\nexpected_from_ccd: true\n",
    }
    for name, text in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)
    return directory / "config.yaml"


async def test_discovered_daemon_is_monitored(lab: Lab, tmp_path: Path) -> None:
    path = write(lab, tmp_path)
    config = load(path)
    assert config.findings == ()
    options = ["--config", "office.conf"]
    async with (
        running("office", options, directory=tmp_path / "server", ready=INITIALISED),
        scraping(*config.daemons) as scraper,
    ):
        page = await scraper.wait_up()
    assert page.value("openvpn_up", daemon="office") == 1
    assert page.value("openvpn_server_max_clients") == 7
    expected = page.values("openvpn_server_expected_client_connected", by="common_name")
    assert expected == {"alice": 0}
