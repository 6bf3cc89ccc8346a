"""A daemon that is discovered by its own configuration file."""

import shlex
from pathlib import Path

import yaml

from exporter.config import load
from exporter.openvpn_config import Kind
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


async def test_options_of_the_command_line_are_found_where_they_are_told(
    lab: Lab, tmp_path: Path
) -> None:
    write(lab, tmp_path)
    office = tmp_path / "server" / "office.conf"
    office.write_text(office.read_text().partition("management")[0])
    added = "--management %i.sock unix --status status-%i.log 1"
    source = {"pattern": "server/*.conf", "options": added}
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump({"discover": [source]}))
    config = load(path)
    assert [finding.kind for finding in config.findings] == []
    options = ["--config", "office.conf", *added.replace("%i", "office").split()]
    async with (
        running("office", options, directory=tmp_path / "server", ready=INITIALISED),
        scraping(*config.daemons) as scraper,
    ):
        page = await scraper.wait_up()
    assert page.value("openvpn_up", daemon="office") == 1
    [daemon] = config.daemons
    assert daemon.status_file == tmp_path / "server" / "status-office.log"
    assert daemon.status_file.exists()


async def test_port_is_a_service_and_the_first_line_of_a_file_is_the_password(
    lab: Lab, tmp_path: Path
) -> None:
    path = write(lab, tmp_path)
    office = tmp_path / "server" / "office.conf"
    text = office.read_text().partition("management")[0]
    office.write_text(f"{text}management localhost openvpn 'pass word'\n")
    (tmp_path / "server" / "pass word").write_text("s3cret\nanother line\n")
    config = load(path)
    assert config.findings == ()
    options = ["--config", "office.conf"]
    async with (
        running("office", options, directory=tmp_path / "server", ready=INITIALISED),
        scraping(*config.daemons) as scraper,
    ):
        page = await scraper.wait_up()
    assert page.value("openvpn_up", daemon="office") == 1


async def test_of_two_daemons_with_one_socket_neither_is_watched(lab: Lab, tmp_path: Path) -> None:
    path = write(lab, tmp_path)
    office = tmp_path / "server" / "office.conf"
    text = office.read_text().partition("management")[0]
    shared = "management shared.sock unix\n"
    for name in ("first", "second"):
        (tmp_path / "server" / f"{name}.conf").write_text(f"{text}port {lab.port()}\n{shared}")
    office.unlink()
    directory = tmp_path / "server"
    async with (
        running("first", ["--config", "first.conf"], directory=directory, ready=INITIALISED),
        running("second", ["--config", "second.conf"], directory=directory, ready=INITIALISED),
    ):
        config = load(path)
    assert config.daemons == ()
    assert [(each.daemon, each.kind, each.blocks) for each in config.findings] == [
        ("first", Kind.DUPLICATE_ADDRESS, True),
        ("second", Kind.DUPLICATE_ADDRESS, True),
    ]
