from pathlib import Path

import pytest

from exporter.management.state import Mode
from exporter.openvpn_config.errors import Location
from exporter.openvpn_config.model import Inline, ManagementInterface
from tests.openvpn_config.writing import openvpn_config


def interface(directory: Path, text: str) -> ManagementInterface:
    management = openvpn_config(directory, text).management
    assert management
    return management


def test_a_server_is_read_with_all_its_paths_resolved(tmp_path: Path) -> None:
    read = openvpn_config(
        tmp_path,
        "server 10.8.0.0 255.255.255.0\nca ca.crt\ncert /etc/server.crt\ncrl-verify crl.pem\n"
        "client-config-dir ccd\nmax-clients 100\nstatus s.log 5\nstatus-version 3\nverb 4\n"
        "dev tun7\nduplicate-cn\nusername-as-common-name\n",
    )
    assert read.mode is Mode.SERVER
    assert read.ca == tmp_path / "ca.crt"
    assert read.cert == Path("/etc/server.crt")
    assert (read.crl, read.crl_is_directory) == (tmp_path / "crl.pem", False)
    assert read.client_config_dir == tmp_path / "ccd"
    assert read.status_file == tmp_path / "s.log"
    assert read.max_clients == 100
    assert read.management is None
    hash(read)


def test_what_a_server_does_not_say_is_as_openvpn_has_it(tmp_path: Path) -> None:
    read = openvpn_config(tmp_path, "server 10.8.0.0 255.255.255.0\n")
    assert read.max_clients == 1024
    assert read.status_file is read.ca is read.cert is read.crl is None


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
def test_the_mode_is_told_by_what_is_set(tmp_path: Path, text: str, mode: Mode) -> None:
    read = openvpn_config(tmp_path, text)
    assert read.mode is mode
    assert (read.max_clients is None) is (mode is not Mode.SERVER)


def test_the_interface_is_the_last_one_and_a_password_or_a_socket_stays(tmp_path: Path) -> None:
    assert interface(tmp_path, "management a 1 secret\nmanagement b 2\n") == ManagementInterface(
        location=Location(tmp_path / "office.conf", 2),
        address="b",
        port="2",
        unix=False,
        password_file=tmp_path / "secret",
    )
    assert interface(tmp_path, "management a.sock unix\nmanagement b 2\n").unix


def test_of_several_passwords_the_last_one_counts(tmp_path: Path) -> None:
    text = "management a 1 first\nmanagement b 2 second\nmanagement c 3\n"
    assert interface(tmp_path, text).password_file == tmp_path / "second"


def test_modifiers_are_known_wherever_they_stand(tmp_path: Path) -> None:
    text = "management-hold\nmanagement a.sock unix\nmanagement-client-user root\n"
    read = interface(tmp_path, text)
    assert read.modifiers == {"hold", "client-user"}
    assert (read.user, read.group) == ("root", None)


def test_a_password_typed_in_is_no_path(tmp_path: Path) -> None:
    assert interface(tmp_path, "management a 1 stdin\n").password_file == Path("stdin")
    assert interface(tmp_path, "management a 1 ./stdin\n").password_file == tmp_path / "stdin"


def test_what_is_written_inline_is_kept_with_its_place(tmp_path: Path) -> None:
    read = openvpn_config(tmp_path, "client\n<ca>\npem\n</ca>\ncert a\n<cert>\npem 2\n</cert>\n")
    file = tmp_path / "office.conf"
    assert read.ca == Inline(Location(file, 2), b"pem\n")
    assert read.cert == Inline(Location(file, 6), b"pem 2\n")


def test_a_file_after_an_inline_block_replaces_it(tmp_path: Path) -> None:
    read = openvpn_config(tmp_path, "<ca>\npem\n</ca>\nca b\n")
    assert read.ca == tmp_path / "b"


def test_in_a_jail_only_what_is_read_later_lies_inside(tmp_path: Path) -> None:
    read = openvpn_config(
        tmp_path,
        "chroot /jail\nclient-config-dir ccd\ncrl-verify /etc/crls dir\nca ca.crt\n"
        "cert server.crt\nstatus s.log\nmanagement a.sock unix\n",
    )
    assert read.client_config_dir == Path("/jail/ccd")
    assert (read.crl, read.crl_is_directory) == (Path("/jail/etc/crls"), True)
    assert read.ca == tmp_path / "ca.crt"
    assert read.cert == tmp_path / "server.crt"
    assert read.status_file == tmp_path / "s.log"


def test_paths_start_where_the_last_cd_leads(tmp_path: Path) -> None:
    read = openvpn_config(tmp_path, "status s.log\ncd /etc\ncd deeper\nca ca.crt\n")
    assert read.status_file == Path("/etc/deeper/s.log")
    assert read.ca == Path("/etc/deeper/ca.crt")


@pytest.mark.parametrize(("text", "number"), [("7x", 7), (" 7", 7), ("x", 0), ("+7", 7)])
def test_a_number_is_read_as_far_as_it_has_digits(tmp_path: Path, text: str, number: int) -> None:
    assert openvpn_config(tmp_path, f"mode server\nmax-clients '{text}'\n").max_clients == number
