"""The commands and configurations of the README, run as they stand on each release.

Those of the Debian package are in test_debian_package.py; `make test` is in test_suite.py.
"""

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from exporter import __version__
from tests_install import openvpn
from tests_install.chroot import ROOT, Chroot
from tests_install.documents import blocks
from tests_install.unit import assert_monitored, metrics

DOCUMENT = "README.md"
ENVIRONMENTS = "pipx uv python3".split()
SOURCE = "/root/openvpn-exporter"
PROGRAM = "/opt/openvpn-exporter/bin/openvpn-exporter"


@pytest.fixture(scope="module")
def host(system: Chroot, source_archive: Path) -> Chroot:
    """A system with the source, and with the programs that the README names."""
    shutil.copy(source_archive, system / "root")
    system.script(f"""
        apt-get update
        apt-get install --no-install-recommends git make openssl openvpn pipx python3 python3-venv
        mkdir {SOURCE}
        tar --extract --strip-components=1 --file={source_archive.name} --directory={SOURCE}
    """)
    return system


def lines(heading: str, *words: str) -> list[str]:
    """Return the lines of a section that begin with one of these words; all lines without any."""
    texts = [block.text for block in blocks(DOCUMENT) if block.heading == heading]
    found = [line.partition(" #")[0] for text in texts for line in text.splitlines()]
    return [line for line in found if not words or line.split()[0] in words]


def test_no_other_command_is_in_the_readme() -> None:
    found = [(block.heading, block.first_word) for block in blocks(DOCUMENT)]
    assert found == [
        ("OpenVPN exporter", "make"),
        ("OpenVPN exporter", "make"),
        ("Install", "make"),
        ("Install", "pipx"),
        ("Quick start", "management"),
        ("Quick start", "openvpn-exporter"),
        ("Quick start", "openvpn-exporter"),
        ("Quick start", "scrape_configs:"),
        ("Quick start", "openvpn-exporter"),
        ("Quick start", "openvpn-exporter"),
    ]


def test_demo_serves_a_fleet(host: Chroot) -> None:
    host.script("make .venv/run.stamp", directory=SOURCE)  # the demo itself has no network
    command, _ = lines("OpenVPN exporter")
    with host.start("bash", "-c", f"exec {command}", directory=SOURCE) as demo:
        demo.wait_for("http://localhost:9176")
        demo.wait_for('msg="daemon is up" logger=exporter.monitor.monitor daemon=office')
        assert 'openvpn_server_connected_clients{daemon="office"}' in metrics(host)


@pytest.mark.parametrize("tool", ENVIRONMENTS)
def test_program_is_installed_in_an_environment_of_its_own(host: Chroot, tool: str) -> None:
    if tool == "uv":
        host.script("pipx install uv")
    (command,) = lines("Install", tool)
    host.script(command, directory=SOURCE)
    program = PROGRAM if tool == "python3" else "/root/.local/bin/openvpn-exporter"
    assert host.run(program, "--version") == f"openvpn-exporter {__version__}\n"
    script = (host / host.run("readlink", "--canonicalize", program).strip()).read_text()
    interpreter = re.findall(r"/\S+/bin/python3?", script)[0]
    host.run(interpreter, "-c", "import cryptography")
    if tool != "python3":
        host.script(f"{tool} {'tool ' if tool == 'uv' else ''}uninstall openvpn-exporter")


class TestQuickStart:
    """With the program of `venv`, and with a real daemon."""

    socket, password = lines("Quick start", "management")

    @pytest.fixture
    def daemon(self, host: Chroot, request: pytest.FixtureRequest) -> Iterator[Chroot]:
        (host / "run/openvpn-management").mkdir(exist_ok=True)
        (host / self.password.split()[-1]).write_text("correct horse\n")
        openvpn.configure(host, request.param)
        with openvpn.start(host):
            yield host

    @pytest.mark.parametrize(
        ("daemon", "flag"),
        [
            (socket, "--openvpn.config"),
            (password, "--openvpn.config"),
            (socket, "--openvpn.management"),
        ],
        indirect=["daemon"],
    )
    def test_daemon_is_monitored(self, daemon: Chroot, flag: str) -> None:
        (command,) = [line for line in lines("Quick start", "openvpn-exporter") if flag in line]
        _, *arguments = shlex.split(command)
        with daemon.start(PROGRAM, *arguments) as exporter:
            exporter.wait_for("daemon is up")
            assert_monitored(daemon)

    def test_configuration_file_is_read(self, host: Chroot) -> None:
        (command,) = lines("Quick start", "openvpn-exporter")[2:3]
        _, flag, path = command.split()
        (host / path).parent.mkdir(exist_ok=True)
        shutil.copy(host / f"{SOURCE}/config.example.yaml", host / path)
        with host.start(PROGRAM, flag, path) as exporter:
            exporter.wait_for("msg=serving")
            assert 'daemon="office"' in metrics(host)

    def test_prometheus_accepts_the_scrape(self, tmp_path: Path) -> None:
        (config,) = [
            block.text for block in blocks(DOCUMENT) if block.first_word == "scrape_configs:"
        ]
        (tmp_path / "prometheus.yml").write_text(config)
        subprocess.run(["promtool", "check", "config", tmp_path / "prometheus.yml"], check=True)

    def test_dashboards_and_rules_are_written(self, host: Chroot) -> None:
        for directory in ("etc/prometheus", "var/lib/grafana"):
            (host / directory).mkdir(parents=True, exist_ok=True)
        commands = [
            line
            for line in lines("Quick start", "openvpn-exporter")
            if line.split()[1] in {"dashboards", "rules"}
        ]
        assert len(commands) == 3
        host.script("\n".join([f"PATH={Path(PROGRAM).parent}:$PATH", *commands]))
        assert (host / "root/fleet.json").read_text().startswith("{")
        written = list((host / "var/lib/grafana/dashboards").iterdir())
        numbers = "One Two Three Four Five Six Seven Eight".split()
        assert f"{numbers[len(written) - 1]} Grafana dashboards" in (ROOT / DOCUMENT).read_text()
        assert "OpenVPNDaemonDown" in (host / "etc/prometheus/openvpn.rules.yml").read_text()
