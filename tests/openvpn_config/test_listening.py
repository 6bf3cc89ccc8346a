from pathlib import Path

import pytest

from exporter.openvpn_config import ConnectFreq, Listening
from exporter.secret import SecretBytes
from tests.openvpn_config.fixtures import openvpn_config

SERVER = "server 10.8.0.0 255.255.255.0\n"


def listening(directory: Path, text: str) -> Listening:
    found = openvpn_config(directory, SERVER + text).listening
    assert found
    return found


@pytest.mark.parametrize(
    ("text", "targets"),
    [
        ("", ["127.0.0.1:1194/udp4"]),
        ("proto udp4", ["127.0.0.1:1194/udp4"]),
        ("proto tcp-server\nport 443", ["127.0.0.1:443/tcp4"]),
        ("proto tcp", ["127.0.0.1:1194/tcp4"]),
        ("port 1195\nlport 1196", ["127.0.0.1:1196/udp4"]),
        ("proto udp6", ["[::1]:1194/udp6", "127.0.0.1:1194/udp4"]),
        ("proto tcp6-server\nbind ipv6only", ["[::1]:1194/tcp6"]),
        ("proto tcp6-server\nbind", ["[::1]:1194/tcp6", "127.0.0.1:1194/tcp4"]),
        ("local 192.0.2.1", ["192.0.2.1:1194/udp"]),
        ("proto udp6\nlocal 2001:db8::1\nport 5000", ["[2001:db8::1]:5000/udp6"]),
        ("local VPN.example.org\nproto tcp4-server", ["vpn.example.org:1194/tcp4"]),
        (  # from 2.7 on
            "local 192.0.2.1\nlocal 192.0.2.2 443 tcp\nlocal * 53 udp6\nlocal 192.0.2.3 1195",
            [
                *("192.0.2.1:1194/udp", "192.0.2.2:443/tcp"),
                *("[::1]:53/udp6", "127.0.0.1:53/udp4", "192.0.2.3:1195/udp"),
            ],
        ),
    ],
)
def test_targets_are_the_sockets_of_the_server(
    tmp_path: Path, text: str, targets: list[str]
) -> None:
    found = listening(tmp_path, text)
    assert list(map(str, found.targets)) == targets
    assert found.problem == ""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("port nosuchservice", "its port 'nosuchservice' is no number"),
        ("port 0", "its port '0' is no number"),
        ("proto sctp", "its `proto` 'sctp' is not one of a server"),
        ("local a+b", "is not a host: it must be a host name, or an address"),
    ],
)
def test_ports_that_are_unknown_have_a_reason(tmp_path: Path, text: str, problem: str) -> None:
    found = listening(tmp_path, text)
    assert problem in found.problem
    assert found.targets == ()


def test_only_a_server_listens_for_clients(tmp_path: Path) -> None:
    assert openvpn_config(tmp_path, "client\nremote vpn.example.org\n").listening is None


@pytest.mark.parametrize(
    ("text", "direction"),
    [
        ("tls-auth ta.key", None),
        ("tls-auth ta.key 0", "0"),
        ("tls-auth ta.key\nkey-direction 1", "1"),
        ("tls-auth ta.key 0\nkey-direction 1", "0"),
        ("key-direction 1\n<tls-auth>\nsecret\n</tls-auth>", "1"),
    ],
)
def test_tls_auth_has_a_direction_and_a_digest(
    tmp_path: Path, text: str, direction: str | None
) -> None:
    key = listening(tmp_path, f"{text}\nauth sha256").key
    assert key
    assert (key.directive, key.direction, key.digest) == ("tls-auth", direction, "SHA256")


def test_tls_crypt_may_have_a_direction_without_effect(tmp_path: Path) -> None:
    key = listening(tmp_path, "tls-crypt ta.key 0").key
    assert key
    assert (key.directive, key.direction, key.source) == ("tls-crypt", None, tmp_path / "ta.key")


@pytest.mark.parametrize("name", ["tls-auth", "tls-crypt", "tls-crypt-v2"])
def test_a_key_is_a_file_or_an_inline_block(tmp_path: Path, name: str) -> None:
    file = listening(tmp_path, f"{name} office.key").key
    inline = listening(tmp_path, f"<{name}>\nsecret\n</{name}>").key
    assert file
    assert inline
    assert (file.source, file.digest) == (tmp_path / "office.key", "SHA1")
    assert inline.source == SecretBytes(b"secret\n")
    assert "secret" not in repr(openvpn_config(tmp_path, f"{SERVER}<{name}>\nsecret\n</{name}>"))
    hash(openvpn_config(tmp_path, f"{SERVER}<{name}>\nsecret\n</{name}>"))


def test_a_script_that_checks_client_keys_is_noted(tmp_path: Path) -> None:
    text = "tls-crypt-v2 server.key\ntls-crypt-v2-verify /bin/true"
    key = listening(tmp_path, text).key
    assert key
    assert key.verifies


def test_a_key_without_encryption_of_client_keys_comes_first(tmp_path: Path) -> None:
    key = listening(tmp_path, "tls-crypt-v2 server.key\ntls-auth ta.key 0").key
    assert key
    assert key.directive == "tls-auth"


def test_limits_of_new_connections_are_read(tmp_path: Path) -> None:
    text = "connect-freq 10 5\nconnect-freq-initial 100 10\nconnect-freq 3 60"
    assert listening(tmp_path, text).connect_freqs == (ConnectFreq(3, 60), ConnectFreq(100, 10))
    assert listening(tmp_path, "connect-freq x 5\n").connect_freqs == ()
