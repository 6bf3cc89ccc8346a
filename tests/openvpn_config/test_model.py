from pathlib import Path

import pytest

from exporter.management.state import Mode
from exporter.openvpn_config.errors import Location
from exporter.openvpn_config.model import Inline, ManagementInterface
from tests.openvpn_config.fixtures import openvpn_config


def interface(directory: Path, text: str) -> ManagementInterface:
    management = openvpn_config(directory, text).management
    assert management
    return management


def test_server_is_read_with_all_paths_resolved(tmp_path: Path) -> None:
    config = openvpn_config(
        tmp_path,
        "server 10.8.0.0 255.255.255.0\nca ca.crt\ncert /etc/server.crt\ncrl-verify crl.pem\n"
        "client-config-dir ccd\nmax-clients 100\nstatus s.log 5\nstatus-version 3\nverb 4\n"
        "dev tun7\nduplicate-cn\nusername-as-common-name\n",
    )
    assert config.mode is Mode.SERVER
    assert config.ca == tmp_path / "ca.crt"
    assert config.cert == Path("/etc/server.crt")
    assert (config.crl, config.crl_is_directory) == (tmp_path / "crl.pem", False)
    assert config.client_config_dir == tmp_path / "ccd"
    assert config.status_file == tmp_path / "s.log"
    assert config.max_clients == 100
    assert config.management is None
    hash(config)


def test_server_has_the_defaults_of_openvpn(tmp_path: Path) -> None:
    config = openvpn_config(tmp_path, "server 10.8.0.0 255.255.255.0\n")
    assert config.max_clients == 1024
    assert config.status_file is config.ca is config.cert is config.crl is None


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("mode server", Mode.SERVER),
        ("server-bridge nogw", Mode.SERVER),
        ("server-ipv6 fd00::/64", Mode.SERVER),
        ("client", Mode.CLIENT),
        ("tls-client\npull", Mode.CLIENT),
        ("tls-client", Mode.P2P),
        ("secret key", Mode.P2P),
        ("mode p2p", Mode.P2P),
    ],
)
def test_mode_is_derived_from_the_options(tmp_path: Path, text: str, mode: Mode) -> None:
    config = openvpn_config(tmp_path, text)
    assert config.mode is mode
    assert (config.max_clients is None) is (mode is not Mode.SERVER)


def test_last_management_directive_keeps_earlier_password_and_socket_type(tmp_path: Path) -> None:
    assert interface(tmp_path, "management a 1 secret\nmanagement b 2\n") == ManagementInterface(
        location=Location(tmp_path / "office.conf", 2),
        address="b",
        port="2",
        unix=False,
        password_file=tmp_path / "secret",
    )
    assert interface(tmp_path, "management a.sock unix\nmanagement b 2\n").unix


def test_last_of_several_passwords_counts(tmp_path: Path) -> None:
    text = "management a 1 first\nmanagement b 2 second\nmanagement c 3\n"
    assert interface(tmp_path, text).password_file == tmp_path / "second"


def test_modifiers_are_read_in_any_position(tmp_path: Path) -> None:
    text = "management-hold\nmanagement a.sock unix\nmanagement-client-user root\n"
    config = interface(tmp_path, text)
    assert config.modifiers == {"hold", "client-user"}
    assert (config.user, config.group) == ("root", None)
    config = interface(tmp_path, "management a.sock unix\nmanagement-client-group vpn\n")
    assert (config.user, config.group) == (None, "vpn")


def test_password_from_stdin_is_no_path(tmp_path: Path) -> None:
    assert interface(tmp_path, "management a 1 stdin\n").password_file == Path("stdin")
    assert interface(tmp_path, "management a 1 ./stdin\n").password_file == tmp_path / "stdin"


def test_inline_block_is_read_with_its_location(tmp_path: Path) -> None:
    config = openvpn_config(tmp_path, "client\n<ca>\npem\n</ca>\ncert a\n<cert>\npem 2\n</cert>\n")
    file = tmp_path / "office.conf"
    assert config.ca == Inline(Location(file, 2), b"pem\n")
    assert config.cert == Inline(Location(file, 6), b"pem 2\n")


def test_file_after_an_inline_block_replaces_it(tmp_path: Path) -> None:
    config = openvpn_config(tmp_path, "<ca>\npem\n</ca>\nca b\n")
    assert config.ca == tmp_path / "b"


def test_chroot_applies_only_to_files_that_are_read_later(tmp_path: Path) -> None:
    config = openvpn_config(
        tmp_path,
        "chroot /jail\nclient-config-dir ccd\ncrl-verify /etc/crls dir\nca ca.crt\n"
        "cert server.crt\nstatus s.log\nmanagement a.sock unix\n",
    )
    assert config.client_config_dir == Path("/jail/ccd")
    assert (config.crl, config.crl_is_directory) == (Path("/jail/etc/crls"), True)
    assert config.ca == tmp_path / "ca.crt"
    assert config.cert == tmp_path / "server.crt"
    assert config.status_file == tmp_path / "s.log"


def test_paths_are_relative_to_the_last_cd(tmp_path: Path) -> None:
    config = openvpn_config(tmp_path, "status s.log\ncd /etc\ncd deeper\nca ca.crt\n")
    assert config.status_file == Path("/etc/deeper/s.log")
    assert config.ca == Path("/etc/deeper/ca.crt")


@pytest.mark.parametrize(("text", "number"), [("7x", 7), (" 7", 7), ("x", 0), ("+7", 7)])
def test_number_is_read_up_to_the_first_other_character(
    tmp_path: Path, text: str, number: int
) -> None:
    assert openvpn_config(tmp_path, f"mode server\nmax-clients '{text}'\n").max_clients == number
