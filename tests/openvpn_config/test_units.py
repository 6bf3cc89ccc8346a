"""The command lines of the known units, from files of systemd."""

import os
from pathlib import Path

import pytest

from exporter.openvpn_config import Kind, Pattern, discover, units
from exporter.openvpn_config.units import UnitReader
from tests.deploy.units import SYSTEMD
from tests.openvpn_config.fixtures import write

OFFICE = Path("/etc/openvpn/server/office.conf")
DEBIAN = (
    "[Unit]\nDescription=OpenVPN\n[Service]\n"
    "ExecStart=/usr/sbin/openvpn --status %t/openvpn-server/status-%i.log --status-version 2 "
    "--suppress-timestamps --config %i.conf\n"
)
STATUS = ("--status", "%t/openvpn-server/status-%i.log")
CONFIG = ("--config", "%i.conf")


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directories of an operating system without units."""
    directories = [tmp_path / "etc", tmp_path / "lib"]
    monkeypatch.setattr(units, "UNIT_DIRECTORIES", directories)
    return tmp_path


def options(instance: str = "office") -> list[tuple[str, ...]]:
    return list(UnitReader().options(OFFICE, instance).options)


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (OFFICE, [STATUS, CONFIG]),
        (Path("/etc/openvpn/client/office.conf"), [CONFIG]),
        (
            Path("/etc/openvpn/office.conf"),
            [("--status", "/run/openvpn/%i.status", "10"), ("--cd", "/etc/openvpn"), CONFIG],
        ),
        (Path("/etc/openvpn/server/office.ovpn"), []),
        (Path("/srv/office.conf"), []),
    ],
)
@pytest.mark.usefixtures("system")
def test_usual_options_of_a_unit_that_is_not_installed_are_known(
    file: Path, expected: list[tuple[str, ...]]
) -> None:
    assert list(UnitReader().options(file, "office").options) == expected


def test_unit_is_read_with_its_drop_ins_in_the_order_of_systemd(system: Path) -> None:
    write(system, DEBIAN, "lib/openvpn-server@.service")
    assert options() == [STATUS, ("--status-version", "2"), ("--suppress-timestamps",), CONFIG]
    text = (
        " [Service] \nExecStart=\n"
        " ExecStart = -/usr/sbin/openvpn --config %i.conf \\\n  --verb {}\n"
    )
    write(system, text.format(4), "lib/openvpn-server@.service.d/b.conf")
    write(system, text.format(5), "etc/openvpn-server@.service.d/a.conf")
    assert options() == [CONFIG, ("--verb", "4")]
    write(system, text.format(6), "etc/openvpn-server@.service.d/b.conf")
    assert options() == [CONFIG, ("--verb", "6")]
    write(system, text.format(7), "etc/openvpn-server@branch.service.d/c.conf")
    assert options() == [CONFIG, ("--verb", "6")]
    assert options("branch") == [CONFIG, ("--verb", "7")]
    write(system, DEBIAN, "etc/openvpn-server@branch.service")
    assert options("branch") == [CONFIG, ("--verb", "7")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[Service]\nExecStart=\n",
        "[Service]\nExecStart=/usr/local/bin/start-vpn %i\n",
        '[Service]\nExecStart=openvpn --status "\n',
        "[Unit]\nExecStart=openvpn --verb 3\n",
    ],
)
def test_unit_that_starts_another_program_has_the_usual_options(system: Path, text: str) -> None:
    write(system, text, "etc/openvpn-server@.service")
    assert options() == [STATUS, CONFIG]


def test_variables_of_an_environment_file_are_ignored(system: Path) -> None:
    text = "[Service]\nExecStart=openvpn --config %i.conf --verb 3 $OPTIONS\n"
    write(system, text, "etc/openvpn-server@.service")
    assert options() == [CONFIG, ("--verb", "3")]


def test_masked_unit_has_the_usual_options(system: Path) -> None:
    (system / "etc").mkdir()
    (system / "etc" / "openvpn-server@.service").symlink_to(os.devnull)
    assert options() == [STATUS, CONFIG]


def test_unreadable_unit_is_a_warning(
    system: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (system / "etc" / "openvpn-server@.service").mkdir(parents=True)
    file = write(tmp_path, "management a.sock unix\n", "server/office.conf")
    known = {str(file.parent): ("openvpn-server@", "openvpn --config %i.conf")}
    monkeypatch.setattr(units, "_UNITS", known)
    (daemon,) = discover([Pattern("server/*.conf")], tmp_path).daemons
    (finding,) = daemon.findings
    assert (finding.kind, finding.blocks) == (Kind.UNREADABLE, False)
    assert "openvpn-server@.service: Is a directory, so options" in finding.text


def test_project_drop_in_enables_the_management_interface_of_a_discovered_daemon(
    system: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(system, DEBIAN, "lib/openvpn-server@.service")
    drop_in = (SYSTEMD / "openvpn-server@.service.d" / "management.conf").read_text()
    write(system, drop_in, "etc/openvpn-server@.service.d/management.conf")
    file = write(tmp_path, "server 10.8.0.0 255.255.255.0\nstatus own.log\n", "server/office.conf")
    known = {str(file.parent): ("openvpn-server@", "openvpn --config %i.conf")}
    monkeypatch.setattr(units, "_UNITS", known)
    (daemon,) = discover([Pattern("server/*.conf")], tmp_path).daemons
    assert daemon.findings == ()
    assert daemon.config is not None
    assert daemon.config.management is not None
    assert daemon.config.management.unix
    assert daemon.config.management.address == "/run/openvpn-management/office.sock"
    assert daemon.config.status_file == file.parent / "own.log"


def test_options_of_the_pattern_with_a_config_replace_those_of_the_unit(
    system: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(system, "management a.sock unix\n", "server/office.conf")
    known = {str(file.parent): ("openvpn-server@", "openvpn --status %i.log --config %i.conf")}
    monkeypatch.setattr(units, "_UNITS", known)
    files = {}
    for text in ("--verb 3", "--config %i.conf"):
        (daemon,) = discover([Pattern("server/*.conf", text)], tmp_path).daemons
        assert daemon.config is not None
        files[text] = daemon.config.status_file
    assert files == {"--verb 3": file.parent / "office.log", "--config %i.conf": None}
