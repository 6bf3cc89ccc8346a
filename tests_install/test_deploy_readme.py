"""The commands of deploy/README.md for systemd, run as they stand on each release.

Those of the Debian package are in test_debian_package.py, those of the image in test_image.py.
"""

import shutil
from pathlib import Path

import pytest

from tests_install import openvpn
from tests_install.chroot import ROOT, Chroot
from tests_install.documents import blocks, files_to_install
from tests_install.unit import ExporterService, assert_monitored

DOCUMENT = "deploy/README.md"
SOURCE = "/root/openvpn-exporter"
CONFIG = "etc/openvpn-exporter/config.yaml"

install, discover, daemons, start = [
    block.text for block in blocks(DOCUMENT) if block.heading == "systemd"
]


@pytest.fixture(scope="module")
def host(system: Chroot, source_archive: Path) -> Chroot:
    """A system with OpenVPN, without a management interface, on which all steps were done."""
    shutil.copy(source_archive, system / "root")
    system.script(f"""
        apt-get update
        apt-get install --no-install-recommends openssl openvpn procps python3 python3-venv systemd
        mkdir -p {SOURCE} /etc/openvpn-exporter
        tar --extract --strip-components=1 --file={source_archive.name} --directory={SOURCE}
    """)
    openvpn.configure(system)
    for source, directory in files_to_install(DOCUMENT, "systemd"):
        (system / directory).mkdir(parents=True, exist_ok=True)
        shutil.copy(source, system / directory)
    system.script(install, directory=SOURCE)
    (system / CONFIG).write_text(discover)
    system.script(start, directory=SOURCE)
    return system


def test_all_files_of_the_directory_are_in_the_table() -> None:
    found = {path for path, _ in files_to_install(DOCUMENT, "systemd")}
    assert found == {path for path in (ROOT / "deploy" / "systemd").rglob("*") if path.is_file()}


def test_service_is_enabled(host: Chroot) -> None:
    assert host.run("systemctl", "is-enabled", "openvpn-exporter") == "enabled\n"


def test_private_key_stays_private(host: Chroot) -> None:
    key = "/etc/openvpn/server/server.key"
    assert host.run("stat", "--format=%a %U %G", key) == "600 root root\n"


def test_daemon_is_discovered_with_the_drop_in(host: Chroot) -> None:
    with openvpn.start(host), ExporterService(host) as exporter:
        exporter.program.wait_for("daemon is up")
        assert_monitored(host)
        assert "daemon skipped" not in exporter.program.output
        assert "level=warn" not in exporter.program.output
        (host / CONFIG).write_text(daemons)
        exporter.reload()
        assert_monitored(host)
        assert exporter.stop() == 0


def test_daemon_is_monitored_without_permission_for_its_configuration(host: Chroot) -> None:
    host.script("chmod -R go= /etc/openvpn/server")
    (host / CONFIG).write_text(daemons)
    with openvpn.start(host), ExporterService(host) as exporter:
        exporter.program.wait_for("daemon is up")
        assert_monitored(host)
