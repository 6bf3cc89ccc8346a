"""The Debian package: built, installed, upgraded, removed and purged on each release."""

import re
import shutil
from pathlib import Path

import pytest

from exporter import __version__
from tests_install import openvpn
from tests_install.chroot import Chroot, CommandFailed, clean_system
from tests_install.documents import blocks
from tests_install.unit import ExporterService, assert_monitored, metrics

CONFIG = "etc/openvpn-exporter/config.yaml"
commands, drop_in = [
    block.text for block in blocks("deploy/README.md") if block.heading == "Debian package"
]
BUILD, INSTALL = commands.splitlines()
PACKAGE = "openvpn-exporter"


@pytest.fixture(scope="module")
def package(release: str, source_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the package twice, in different directories; return it."""
    with clean_system(release) as system:
        system.script("apt-get update; apt-get install --no-install-recommends make python3")
        built = [build(system, source_archive, directory) for directory in ("first", "second/one")]
        assert built[0].name == built[1].name
        assert built[0].read_bytes() == built[1].read_bytes(), "the build is not reproducible"
        lint(system, built[0])
        return Path(shutil.copy(built[0], tmp_path_factory.mktemp(release)))


def build(system: Chroot, archive: Path, directory: str) -> Path:
    shutil.copy(archive, system / "root")
    system.script(f"""
        mkdir -p {directory}
        tar --extract --strip-components=1 --file={archive.name} --directory={directory}
        cd {directory}
        {BUILD}
    """)
    (package,) = (system / f"root/{directory}/dist").glob("*.deb")
    return package


def lint(system: Chroot, package: Path) -> None:
    system.script("apt-get install --no-install-recommends lintian")
    inside = f"/{package.relative_to(system.root)}"
    print(system.run("lintian", "--fail-on", "error", inside))


@pytest.fixture(scope="module")
def installed(system: Chroot, package: Path) -> Chroot:
    """Install the package in a system that has none of the tools that built it."""
    (system / "root/dist").mkdir()
    shutil.copy(package, system / "root/dist")
    system.script(f"""
        apt-get update
        {INSTALL}
        apt-get install --no-install-recommends openssl openvpn
    """)
    return system


def next_version(system: Chroot, package: Path, version: str, change: str) -> str:
    """Make a newer package with another configuration; return its path in the system."""
    script = f"""
        rm -rf next
        dpkg-deb --raw-extract dist/{package.name} next
        sed -i 's/^Version: .*/Version: {version}/' next/DEBIAN/control
        echo '{change}' >> next/{CONFIG}
        dpkg-deb -Znone --build next {version}.deb
    """
    system.script(script)
    return f"/root/{version}.deb"


def test_readme_has_the_same_commands() -> None:
    (block,) = [
        block
        for block in blocks("README.md")
        if block.heading == "Install" and block.first_word == "make"
    ]
    assert block.text == commands


def dpkg_status(system: Chroot) -> str:
    return system.run("dpkg-query", "--show", "--showformat=${db:Status-Abbrev}", PACKAGE).strip()


class TestInstalled:
    def test_program_runs(self, installed: Chroot) -> None:
        assert installed.run(PACKAGE, "--version") == f"{PACKAGE} {__version__}\n"

    def test_its_files_are_as_they_were_packed(self, installed: Chroot) -> None:
        assert installed.run("dpkg", "--verify", PACKAGE) == ""

    def test_service_is_enabled(self, installed: Chroot) -> None:
        assert installed.run("systemctl", "is-enabled", PACKAGE) == "enabled\n"

    def test_directory_of_sockets_is_for_root_and_the_exporter(self, installed: Chroot) -> None:
        shown = installed.run("stat", "--format=%A %U %G", "/run/openvpn-management")
        assert shown == "drwxr-x--- root openvpn-exporter\n"

    def test_service_runs_without_a_daemon(self, installed: Chroot) -> None:
        with ExporterService(installed) as exporter:
            assert "openvpn_exporter_daemons 0" in metrics(installed)
            assert exporter.stop() == 0

    def test_service_monitors_a_daemon_with_the_drop_in(self, installed: Chroot) -> None:
        openvpn.configure(installed)
        installed.script(drop_in)
        with openvpn.start(installed), ExporterService(installed) as exporter:
            exporter.program.wait_for("daemon is up")
            assert_monitored(installed)
            exporter.reload()
            assert exporter.stop() == 0

    def test_no_file_is_written_beside_the_program(self, installed: Chroot) -> None:
        """Its byte code is complete; `dpkg --verify` does not see files that are new."""
        known = installed.run("dpkg", "--listfiles", PACKAGE).split()
        found = installed.run("find", "/usr/lib/openvpn-exporter").split()
        assert set(found) <= set(known)


class TestUpgraded:
    """In this order: each test begins with what the one before it left."""

    def test_unchanged_configuration_becomes_the_new_one(
        self, installed: Chroot, package: Path
    ) -> None:
        newer = next_version(installed, package, "0.1.1", "# new in 0.1.1")
        installed.run("dpkg", "--install", newer)
        assert "# new in 0.1.1\n" in (installed / CONFIG).read_text()

    def test_own_configuration_is_kept(self, installed: Chroot, package: Path) -> None:
        own = "daemons: [{name: office, management: 127.0.0.1:7505}]\n"
        (installed / CONFIG).write_text(own)
        newer = next_version(installed, package, "0.1.2", "# new in 0.1.1")
        installed.run("dpkg", "--install", newer)
        assert (installed / CONFIG).read_text() == own

    def test_dpkg_asks_if_both_changed(self, installed: Chroot, package: Path) -> None:
        own = (installed / CONFIG).read_text()
        newer = next_version(installed, package, "0.1.3", "# new in 0.1.3")
        with pytest.raises(CommandFailed, match="Configuration file '/etc/openvpn-exporter/config"):
            installed.run("dpkg", "--install", newer)
        installed.run("dpkg", "--force-confold", "--configure", PACKAGE)
        assert (installed / CONFIG).read_text() == own
        assert "# new in 0.1.3\n" in (installed / f"{CONFIG}.dpkg-dist").read_text()

    def test_disabled_service_stays_disabled(self, installed: Chroot, package: Path) -> None:
        installed.run("systemctl", "disable", PACKAGE)
        newer = next_version(installed, package, "0.1.4", "# new in 0.1.3")
        installed.run("dpkg", "--install", newer)
        shown = installed.run("systemctl", "is-enabled", PACKAGE, exit_code=1)
        assert shown == "disabled\n"


class TestRemoved:
    """After the upgrades."""

    def test_removal_leaves_the_configuration_only(self, installed: Chroot) -> None:
        optional = ("openvpn-exporter.socket", "openvpn-exporter-index.path")
        installed.run("systemctl", "enable", *optional)
        installed.run("apt-get", "remove", PACKAGE)
        assert dpkg_status(installed) == "rc"
        assert (installed / CONFIG).exists()
        assert not (installed / "usr/lib/openvpn-exporter").exists()
        assert not (installed / "usr/bin/openvpn-exporter").exists()

    def test_purge_leaves_the_user_only(self, installed: Chroot) -> None:
        installed.run("apt-get", "purge", PACKAGE)
        left = installed.run(
            *("find", "/etc", "/usr", "/var/lib", "-xdev", "-name", "*openvpn-exporter*")
        )
        assert left == ""
        users = (installed / "etc/passwd").read_text()
        assert re.search(r"^openvpn-exporter:", users, re.MULTILINE)
