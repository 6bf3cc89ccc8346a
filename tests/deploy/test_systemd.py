"""The units, checked by systemd's own programs where possible, else against the program."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from exporter.cli import options
from exporter.cli.main import SERVE, command_parser
from exporter.cli.subcommand import Exit
from exporter.management.endpoint import parse_endpoint
from tests.deploy.units import SYSTEMD, Unit, lines_of

SERVICE = SYSTEMD / "openvpn-exporter.service"
SOCKET = SYSTEMD / "openvpn-exporter.socket"
INDEX = SYSTEMD / "openvpn-exporter-index.service"
INDEX_PATH = SYSTEMD / "openvpn-exporter-index.path"
OPENVPN = SYSTEMD / "openvpn-server@.service.d" / "management.conf"
TMPFILES = SYSTEMD / "tmpfiles.d" / "openvpn-management.conf"
SYSUSERS = SYSTEMD / "sysusers.d" / "openvpn-exporter.conf"
README = SYSTEMD.parent / "README.md"

service = Unit(SERVICE)


def run(*command: str | Path) -> str:
    """Run a program that must succeed and say nothing on its standard error; return its output."""
    done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603
    assert (done.returncode, done.stderr.decode()) == (0, ""), command
    return done.stdout.decode()


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Units beside each other, with a program at hand that exists here."""
    for unit in (SERVICE, SOCKET, INDEX, INDEX_PATH):
        text = unit.read_text().replace("/opt/openvpn-exporter/bin/openvpn-exporter", "/bin/true")
        (tmp_path / unit.name).write_text(text)
    return tmp_path


class TestSystemd:
    @pytest.mark.parametrize("name", [SERVICE.name, SOCKET.name, INDEX.name, INDEX_PATH.name])
    def test_reports_no_problem(self, installed: Path, name: str) -> None:
        run("systemd-analyze", "verify", "--man=no", installed / name)

    def test_rates_the_exposure_as_in_the_readme(self, installed: Path) -> None:
        output = run("systemd-analyze", "security", "--offline=yes", installed / SERVICE.name)
        exposure = re.search(r"Overall exposure level for \S+: ([0-9.]+) OK", output)
        assert exposure is not None
        assert float(exposure[1]) <= 1.1
        assert "`systemd-analyze security` rates the service 1.1 " in README.read_text()

    def test_creates_the_user(self, tmp_path: Path) -> None:
        (tmp_path / "etc").mkdir()
        command: list[str | Path] = ["systemd-sysusers", f"--root={tmp_path}", SYSUSERS]
        subprocess.run(command, capture_output=True, check=True)  # noqa: S603
        for name in ("passwd", "group"):
            assert (tmp_path / "etc" / name).read_text().startswith("openvpn-exporter:x:")


class TestService:
    def test_runs_flags_that_exist(self) -> None:
        program, *words = shlex.split(service.value("Service", "ExecStart"))
        assert program == "/opt/openvpn-exporter/bin/openvpn-exporter"
        assert words.pop() == "$OPTIONS"
        assert command_parser(SERVE).parse_args(words).config_file is not None

    @pytest.mark.parametrize("unit", [SERVICE, SOCKET], ids=lambda unit: unit.name)
    def test_proposes_options_that_exist(self, unit: Path) -> None:
        (options,) = re.findall(r'OPTIONS="(.*)"', unit.read_text())
        words = ["--config.file", "config.yaml", *options.split()]
        command_parser(SERVE).parse_args(words)  # or it exits

    def test_reloads_by_a_signal(self) -> None:
        assert service.value("Service", "ExecReload") == "/bin/kill -HUP $MAINPID"

    def test_is_not_restarted_for_a_wrong_configuration(self) -> None:
        assert service.value("Service", "RestartPreventExitStatus") == str(int(Exit.USAGE))

    def test_runs_as_the_created_user(self) -> None:
        ((kind, user, *_),) = lines_of(SYSUSERS)
        assert (kind, user) == ("u", service.value("Service", "User"))
        assert user == service.value("Service", "Group")
        assert user == Unit(INDEX).value("Service", "Group")

    def test_allows_the_socket_families_of_daemons(self) -> None:
        families = service.value("Service", "RestrictAddressFamilies").split()
        assert sorted(families) == ["AF_INET", "AF_INET6", "AF_UNIX"]

    def test_gets_the_password_of_its_comment(self) -> None:
        path = SYSTEMD / "openvpn-exporter.service.d" / "passwords.conf"
        name, _, _ = Unit(path).value("Service", "LoadCredential").partition(":")
        assert f"/run/credentials/{SERVICE.name}/{name}\n" in path.read_text()


class TestSocket:
    def test_listens_on_the_port_of_the_exporter(self) -> None:
        port = options.DEFAULT_ADDRESS.removeprefix(":")
        assert Unit(SOCKET).value("Socket", "ListenStream") == port


class TestOpenvpn:
    def test_opens_its_interface_in_the_created_directory(self) -> None:
        ((_, directory, *_),) = lines_of(TMPFILES)
        _, command = Unit(OPENVPN).values("Service", "ExecStart")
        *_, word, socket, kind = command.replace("%t", "/run").split()
        assert (word, kind) == ("--management", "unix")
        assert socket == f"{directory}/%i.sock"
        assert str(parse_endpoint(f"unix:{socket}")) in README.read_text().replace("office", "%i")

    def test_has_a_directory_for_root_and_the_exporter_only(self) -> None:
        ((kind, _, mode, *owners),) = lines_of(TMPFILES)
        assert (kind, mode) == ("d", "0750")
        assert owners[:2] == ["root", service.value("Service", "Group")]
