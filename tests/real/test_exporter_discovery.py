"""A daemon that is discovered by its own configuration file."""

import functools
import os
import shlex
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

import yaml
from aiohttp import ClientSession

from exporter.config.loader import load
from exporter.openvpn_config import Kind
from tests.real.daemon import INITIALISED, running
from tests.real.lab import Lab
from tests.real.management import LOOPBACK
from tests.real.program import program
from tests.real.scraping import Scraper, scraping, scraping_url

RELOADED = "openvpn_exporter_config_last_reload_successful"
# Root without the right to read every file.
WITHOUT_OVERRIDE = (
    () if os.geteuid() else ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
)

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


@asynccontextmanager
async def exporter(
    lab: Lab, directory: Path
) -> AsyncIterator[tuple[Scraper, Callable[[], Awaitable[tuple[int, str]]]]]:
    """Run the daemon and an exporter process; yield its pages, and how to reload it."""
    path = write(lab, directory)
    address = f"{LOOPBACK}:{lab.port()}"
    command = [
        *WITHOUT_OVERRIDE,
        *(sys.executable, "-m", "exporter", f"--config.file={path}"),
        f"--web.listen-address={address}",
    ]
    options = ["--config", "office.conf"]
    async with (
        running("office", options, directory=directory / "server", ready=INITIALISED),
        program(*command, log=directory / "exporter.log"),
        scraping_url(f"http://{address}") as scraper,
    ):
        await scraper.wait_up()
        yield scraper, functools.partial(reload, address)


async def test_reload_with_a_directory_that_can_not_be_searched_keeps_the_daemons(
    lab: Lab, tmp_path: Path
) -> None:
    directory = tmp_path / "server"
    async with exporter(lab, tmp_path) as (scraper, reload_files):
        directory.chmod(0o000)
        status, text = await reload_files()
        page = await scraper.page()
        directory.chmod(0o700)
    assert status == HTTPStatus.INTERNAL_SERVER_ERROR
    assert f"{directory}: cannot search it: Permission denied" in text
    assert (page.value(RELOADED), page.value("openvpn_up")) == (0, 1)
    log = (tmp_path / "exporter.log").read_text()
    assert "reload failed, keeping the previous configuration" in log
    assert f"{directory}: cannot search it: Permission denied" in log


async def test_reload_with_an_unreadable_file_fails_and_with_a_deleted_one_succeeds(
    lab: Lab, tmp_path: Path
) -> None:
    office, other = (tmp_path / "server" / f"{name}.conf" for name in ("office", "other"))
    async with exporter(lab, tmp_path) as (scraper, reload_files):
        office.chmod(0o000)
        status, text = await reload_files()
        assert status == HTTPStatus.INTERNAL_SERVER_ERROR
        assert f"{office}: office: cannot read the file: Permission denied" in text
        office.chmod(0o600)
        other.write_text("management other.sock unix\n")
        assert await reload_files() == (
            HTTPStatus.OK,
            "Reloaded: 1 unchanged, 0 changed, 0 restarted, 1 added, 0 removed.\n",
        )
        other.unlink()
        assert (await reload_files())[0] == HTTPStatus.OK
        page = await scraper.wait_up()
    assert page.value(RELOADED) == 1
    assert page.value("openvpn_exporter_connects_total") == 1


async def reload(address: str) -> tuple[int, str]:
    async with ClientSession() as session, session.post(f"http://{address}/-/reload") as response:
        return response.status, await response.text()
