from pathlib import Path

import pytest

from exporter.management.endpoint import Endpoint, TcpEndpoint, UnixEndpoint
from exporter.openvpn_config import Finding, Kind, services
from exporter.openvpn_config.checks import check, management_endpoint
from tests.openvpn_config.fixtures import openvpn_config


def findings(directory: Path, text: str, **options: str) -> tuple[Finding, ...]:
    return check(openvpn_config(directory, text), name="office", **options)


def single_finding(directory: Path, text: str, **options: str) -> Finding:
    (finding,) = findings(directory, text, **options)
    return finding


def endpoint_of(directory: Path, text: str) -> Endpoint:
    config = openvpn_config(directory, text)
    assert config.management
    return management_endpoint(config.management, config.directory)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1 7505", TcpEndpoint("127.0.0.1", 7505)),
        ("localhost 7505", TcpEndpoint("localhost", 7505)),
        ("::1 7505", TcpEndpoint("::1", 7505)),
        ("0.0.0.0 7505", TcpEndpoint("127.0.0.1", 7505)),
        (":: 7505", TcpEndpoint("::1", 7505)),
        ("/run/a.sock unix", UnixEndpoint("/run/a.sock")),
    ],
)
def test_endpoint_can_be_connected_to(tmp_path: Path, text: str, expected: Endpoint) -> None:
    assert endpoint_of(tmp_path, f"management {text}\n") == expected


def test_service_name_is_the_port_of_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "SERVICES", tmp_path / "services")
    (tmp_path / "services").write_text("vpn 7505/udp\nvpn 7506/tcp ovpn # vpn2\n\nodd\n")
    for name in ("vpn", "ovpn"):
        assert endpoint_of(tmp_path, f"management ::1 {name}\n") == TcpEndpoint("::1", 7506)
    (tmp_path / "services").unlink()
    assert single_finding(tmp_path, "management ::1 vpn\n").kind is Kind.MANAGEMENT_ADDRESS


def test_relative_socket_starts_at_the_directory_of_the_daemon(tmp_path: Path) -> None:
    assert endpoint_of(tmp_path, "management a.sock unix\n") == UnixEndpoint(f"{tmp_path}/a.sock")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tunnel 7505", "`management tunnel` listens on the tunnel's address"),
        ("127.0.0.1 nothing", "the port 'nothing' is no number and no service in /etc/services"),
        ("127.0.0.1 7505\\", r"the port '7505\n' is no number"),
        ("127.0.0.1 0", "port 0 does not exist"),
        ("127.0.0.1 70000", "port 70000 does not exist"),
        ("300.1.1.1 7505", "'300.1.1.1' is not an IPv4 address"),
        (f"/{'x' * 108} unix", "the socket path has 109 bytes"),
    ],
)
def test_unusable_address_is_an_error_with_the_remedy(
    tmp_path: Path, text: str, message: str
) -> None:
    finding = single_finding(tmp_path, f"verb 3\nmanagement {text}\n")
    assert finding.kind is Kind.MANAGEMENT_ADDRESS
    assert finding.text.startswith(message)
    assert finding.text.endswith("; set `management: ADDRESS` for this daemon")
    assert finding.blocks
    assert finding.resolved_by == "management"
    assert str(finding.location) == f"{tmp_path}/office.conf:2"


def test_missing_management_directive_is_an_error_with_the_line_to_add(tmp_path: Path) -> None:
    finding = single_finding(tmp_path, "client\n")
    assert finding.kind is Kind.NO_MANAGEMENT
    assert finding.blocks
    assert "`management /run/openvpn-management/office.sock unix`" in finding.text


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("server/office", "`management /run/openvpn-management/server-office.sock unix`"),
        ("Büro 2", '`management "/run/openvpn-management/Büro 2.sock" unix`'),
        ("\x1b", "`management /run/openvpn-management/NAME.sock unix`"),
    ],
)
def test_line_to_add_is_valid_for_openvpn(tmp_path: Path, name: str, line: str) -> None:
    (finding,) = check(openvpn_config(tmp_path, "client\n"), name=name)
    assert line in finding.text


@pytest.mark.parametrize(
    "text", ["127.0.0.1 7505", "127.9.9.9 7505", "localhost 1", "::1 1", "/run/a unix", "::1 1 pw"]
)
def test_local_interface_has_no_finding(tmp_path: Path, text: str) -> None:
    assert findings(tmp_path, f"management {text}\n") == ()


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.1", "vpn.example.org"])  # noqa: S104
def test_network_address_needs_a_password(tmp_path: Path, address: str) -> None:
    finding = single_finding(tmp_path, f"management {address} 7505\n")
    assert finding.kind is Kind.UNPROTECTED
    assert not finding.blocks
    assert findings(tmp_path, f"management {address} 7505 secret\n") == ()


def test_management_client_is_an_error_with_the_listen_address(tmp_path: Path) -> None:
    finding = single_finding(
        tmp_path, "management 127.0.0.1 7600\nmanagement-client\nmanagement-hold\n"
    )
    assert finding.kind is Kind.MANAGEMENT_CLIENT
    assert finding.blocks
    assert "set `management: listen:127.0.0.1:7600` for this daemon" in finding.text


@pytest.mark.parametrize("path", ["/run/a.sock", "a.sock"])
def test_management_client_on_a_unix_socket_is_an_error_with_its_path(
    tmp_path: Path, path: str
) -> None:
    finding = single_finding(tmp_path, f"management {path} unix\nmanagement-client\n")
    assert f"set `management: listen:unix:{tmp_path / path}` for this daemon" in finding.text


def test_password_from_stdin_needs_a_file(tmp_path: Path) -> None:
    finding = single_finding(tmp_path, "management ::1 7505 stdin\n")
    assert (finding.kind, finding.blocks) == (Kind.MANAGEMENT_PASSWORD, True)
    assert finding.resolved_by == "password_file"


@pytest.mark.parametrize("name", ["signal", "forget-disconnect"])
def test_harmful_disconnect_is_an_error_that_slot_resolves(tmp_path: Path, name: str) -> None:
    finding = single_finding(tmp_path, f"management ::1 7505\nmanagement-{name}\n")
    assert (finding.kind, finding.blocks) == (Kind.HARMFUL_DISCONNECT, True)
    assert finding.resolved_by == "slot"
    assert f"`management-{name}`" in finding.text


@pytest.mark.parametrize(
    "name",
    [
        "client-auth",
        "hold",
        "query-passwords",
        "query-proxy",
        "query-remote",
        "external-key",
        "external-cert x",
    ],
)
def test_daemon_with_a_prompt_owner_has_a_warning(tmp_path: Path, name: str) -> None:
    finding = single_finding(tmp_path, f"management ::1 7505\nmanagement-{name}\n")
    assert (finding.kind, finding.blocks) == (Kind.PROMPT_OWNER, False)
    assert f"`management-{name.split(maxsplit=1)[0]}`" in finding.text


def test_socket_for_another_user_has_a_warning(tmp_path: Path) -> None:
    text = "management /run/a.sock unix\nmanagement-client-user vpn\n"
    assert single_finding(tmp_path, text, user="root").kind is Kind.CLIENT_USER_MISMATCH
    assert findings(tmp_path, text, user="vpn") == ()
    assert findings(tmp_path, text) == ()


def test_management_client_user_is_ignored_on_tcp(tmp_path: Path) -> None:
    text = "management ::1 7505\nmanagement-client-user vpn\n"
    assert findings(tmp_path, text, user="root") == ()


def test_missing_management_directive_suggests_the_status_file(tmp_path: Path) -> None:
    finding = single_finding(tmp_path, "client\nstatus /run/openvpn/office.log\n")
    assert finding.text.endswith(
        "; or set `status_file: /run/openvpn/office.log` for this daemon, which has less data"
    )


@pytest.mark.parametrize(("line", "kinds"), [("mute 20", [Kind.MUTE]), ("mute 0", []), ("", [])])
def test_mute_hides_lines_that_would_be_counted(
    tmp_path: Path, line: str, kinds: list[Kind]
) -> None:
    found = findings(tmp_path, f"management 127.0.0.1 7505\n{line}\n")
    assert [finding.kind for finding in found] == kinds
    assert not any(finding.blocks for finding in found)
