import sys
from pathlib import Path

import msgspec
import pytest

from exporter.config import Config, ConfigError
from exporter.config.dump import to_yaml
from exporter.config.loader import load
from exporter.config.probe_plan import ProbePlan
from exporter.port_probe.keys import MAX_FILE_BYTES
from exporter.port_probe.wrapping import (
    PlainWrapping,
    ServerKey,
    TlsAuthWrapping,
    TlsCryptV2Wrapping,
    TlsCryptWrapping,
)
from tests.port_probe.vectors import CLIENT_KEY, DATA, SERVER_KEY, STATIC_KEY

SERVER = "server 10.8.0.0 255.255.255.0\nmanagement 127.0.0.1 7505\n"
DISCOVER = "discover: ['*.conf']\ndaemons:\n"
ENTRY = "port_probes:\n  - {name: branch, target: 'vpn.example.org:1194/udp', allow_traces: true"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory with keys; `static` and `server` are the same blocks inline."""
    for file in DATA.glob("*.key"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def inline(name: str, file: str) -> str:
    return f"<{name}>\n{(DATA / file).read_text()}</{name}>\n"


def read(directory: Path, text: str, openvpn: str = "") -> Config:
    (directory / "office.conf").write_text(SERVER + openvpn)
    (directory / "config.yaml").write_text(text)
    return load(directory / "config.yaml")


def plan(directory: Path, section: str, openvpn: str = "") -> ProbePlan:
    """Return the plan of a discovered daemon with this `port_probe`."""
    text = f"{DISCOVER}  - name: office\n    port_probe: {section}\n"
    (daemon,) = read(directory, text, openvpn).daemons
    assert daemon.probe_plan
    return daemon.probe_plan


def problems(directory: Path, text: str, openvpn: str = "") -> list[str]:
    with pytest.raises(ConfigError) as raised:
        read(directory, text, openvpn)
    source = f"{directory}/config.yaml"
    return [str(problem).removeprefix(f"{source}:") for problem in raised.value.problems]


def problem(directory: Path, section: str, openvpn: str = "") -> str:
    """Return the only problem of a discovered daemon with this `port_probe`."""
    text = f"{DISCOVER}  - name: office\n    port_probe: {section}\n"
    (found,) = problems(directory, text, openvpn)
    return found


def test_true_means_the_sockets_and_the_key_of_the_daemon(directory: Path) -> None:
    found = plan(directory, "true", "proto udp6\nport 5000\ntls-auth static.key 0\nauth SHA256\n")
    assert found == ProbePlan(
        targets=found.targets,
        key=TlsAuthWrapping(STATIC_KEY, direction=1, digest="SHA256"),
        interval=60.0,
        timeout=3.0,
        allow_traces=False,
    )
    assert list(map(str, found.targets)) == ["[::1]:5000/udp6", "127.0.0.1:5000/udp4"]


@pytest.mark.parametrize(
    ("openvpn", "key"),
    [
        ("", PlainWrapping()),
        ("tls-auth static.key\n", TlsAuthWrapping(STATIC_KEY)),
        ("tls-auth static.key 1\n", TlsAuthWrapping(STATIC_KEY, direction=0)),
        ("tls-crypt static.key\n", TlsCryptWrapping(STATIC_KEY)),
        ("tls-crypt-v2 server.key\n", ServerKey(SERVER_KEY)),
        (
            "key-direction 0\n" + inline("tls-auth", "static.key"),
            TlsAuthWrapping(STATIC_KEY, direction=1),
        ),
        (inline("tls-crypt", "static.key"), TlsCryptWrapping(STATIC_KEY)),
        (inline("tls-crypt-v2", "server.key"), ServerKey(SERVER_KEY)),
    ],
)
def test_the_key_is_that_of_the_clients_of_the_discovered_server(
    directory: Path, openvpn: str, key: object
) -> None:
    assert plan(directory, "true", openvpn).key == key


@pytest.mark.parametrize(
    ("section", "key"),
    [
        ("{tls_auth: static.key}", TlsAuthWrapping(STATIC_KEY)),
        (
            "{tls_auth: static.key, key_direction: 1, auth: SHA512}",
            TlsAuthWrapping(STATIC_KEY, direction=1, digest="SHA512"),
        ),
        ("{tls_crypt: static.key}", TlsCryptWrapping(STATIC_KEY)),
        ("{tls_crypt_v2: client.key}", TlsCryptV2Wrapping(CLIENT_KEY)),
    ],
)
def test_a_key_of_the_file_overrides_the_discovered_one(
    directory: Path, section: str, key: object
) -> None:
    assert plan(directory, section, "tls-auth missing.key 0\n").key == key


def test_targets_of_the_file_override_the_sockets(directory: Path) -> None:
    section = "{targets: ['VPN.example.org:443/tcp', '192.0.2.1:1194/udp'], allow_traces: true}"
    targets = plan(directory, section).targets
    assert list(map(str, targets)) == ["vpn.example.org:443/tcp", "192.0.2.1:1194/udp"]


@pytest.mark.parametrize("section", ["false", "{enabled: false}", "", "null"])
def test_a_daemon_is_not_probed_by_default(directory: Path, section: str) -> None:
    text = f"{DISCOVER}  - name: office\n    port_probe: {section}\n"
    assert read(directory, text).daemons[0].probe_plan is None


@pytest.mark.parametrize(
    ("below", "above"),
    [
        ("connect-freq-initial 100 10\n", "connect-freq-initial 1 60\n"),
        ("connect-freq 10 60\n", "connect-freq 9 60\n"),
        ("connect-freq 100 10\n", "connect-freq 100 10\nconnect-freq-initial 10 3600\n"),
        ("proto udp6\nconnect-freq 20 60\n", "proto udp6\nconnect-freq 19 60\n"),
    ],
)
def test_probes_take_a_tenth_of_the_limit_of_new_connections_at_most(
    directory: Path, below: str, above: str
) -> None:
    assert plan(directory, "{interval: 1m}", below).fits_limits
    assert not plan(directory, "{interval: 1m}", above).fits_limits


@pytest.mark.parametrize(
    ("section", "openvpn", "text"),
    [
        ("true", "port x\n", "4: daemons[0].port_probe: where clients reach the daemon is unknown"),
        ("true", "proto tcp\n", "127.0.0.1:1194/tcp4: a server logs each probe over TCP"),
        ("{targets: ['a:1/tcp']}", "", "4: daemons[0].port_probe.targets: a:1/tcp: a server logs"),
        ("true", "tls-auth missing.key\n", "office.conf:3): correct it, or set tls_auth"),
        (
            "true",
            "tls-crypt client.key\n",
            "client.key has a tls-crypt-v2 client key, not a static",
        ),
        (
            "true",
            "tls-crypt-v2 client.key\n",
            "has a tls-crypt-v2 client key, not a tls-crypt-v2 s",
        ),
        ("true", "<tls-crypt>\nsecretseal\n</tls-crypt>\n", "the block <tls-crypt> has no stat"),
        ("true", "tls-auth static.key\nauth BLAKE2\n", "`auth BLAKE2` is not supported"),
        (
            "true",
            "tls-crypt-v2 server.key\ntls-crypt-v2-verify x\n",
            "set tls_crypt_v2",
        ),
        ("{tls_crypt: client.key}", "", "port_probe.tls_crypt: "),
        ("{tls_crypt_v2: server.key}", "", "port_probe.tls_crypt_v2: "),
        ("{tls_auth: static.key, tls_crypt: static.key}", "", "tls_crypt: is set besides tls_auth"),
        ("{key_direction: 1}", "", "key_direction: is only for tls_auth"),
        ("{auth: SHA256, tls_crypt: static.key}", "", "auth: is only for tls_auth"),
        ("{interval: 9s}", "", "interval: '9s' is out of range"),
        ("{timeout: 11s}", "", "timeout: '11s' is out of range"),
        ("{targets: [vpn.example.org:1194]}", "", "has no protocol: write vpn.example.org"),
        ("1", "", "port_probe: '1' is no boolean"),
    ],
)
def test_a_problem_names_the_key_and_what_to_do(
    directory: Path, section: str, openvpn: str, text: str
) -> None:
    found = problem(directory, section, openvpn)
    assert text in found
    assert "secretseal" not in found


def test_a_file_that_is_too_large_is_no_key(directory: Path) -> None:
    (directory / "large.key").write_bytes(bytes(MAX_FILE_BYTES + 1))
    text = "large.key has more than 65536 bytes: it is no key"
    assert text in problem(directory, "{tls_auth: large.key}")


def test_a_daemon_has_a_maximum_of_targets(directory: Path) -> None:
    targets = [f"192.0.2.{number}:1194/udp" for number in range(9)]
    assert "has 9 ports: write 8 at most" in problem(directory, f"{{targets: {targets}}}")


def test_a_daemon_that_is_not_discovered_needs_targets(directory: Path) -> None:
    text = "daemons: [{name: a, management: 'a:1', port_probe: true}]"
    assert problems(directory, text) == [
        "1: daemons[0].port_probe: where clients reach the daemon is unknown: set targets"
    ]


def test_a_port_without_a_daemon_needs_no_daemon(directory: Path) -> None:
    config = read(directory, f"{ENTRY}, tls_crypt: static.key}}")
    (entry,) = config.port_probes
    assert config.daemons == ()
    assert str(entry.target) == "vpn.example.org:1194/udp"
    assert str(entry.tls_crypt) == str(directory / "static.key")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (ENTRY.replace("true", "false") + "}", "2: port_probes[0].allow_traces: must be true"),
        (ENTRY.replace(", allow_traces: true", "}"), "2: port_probes[0].allow_traces: must be"),
        (
            f"{ENTRY}}}\n  - {{name: o, target: 'vpn.example.org:1194/udp6', allow_traces: true}}",
            "3: port_probes[1]: vpn.example.org:1194/udp6 is already probed by port_probes[0]",
        ),
        (
            "daemons: [{name: branch, management: 'a:1'}]\n" + ENTRY + "}",
            "3: port_probes[0].name: branch is the name of a daemon",
        ),
        (f"{ENTRY}}}\n  - {{name: branch, target: 'a:1/udp', allow_traces: true}}", "3: port_pro"),
    ],
)
def test_ports_without_a_daemon_are_checked(directory: Path, text: str, found: str) -> None:
    assert [each for each in problems(directory, text) if found in each]


def test_one_port_may_have_both_protocols_and_both_ip_versions(directory: Path) -> None:
    targets = "['a:1/udp4', 'a:1/udp6', 'a:1/tcp', 'a:2/udp', 'b:1/udp']"
    assert len(plan(directory, f"{{targets: {targets}, allow_traces: true}}").targets) == 5


def test_no_key_is_in_the_configuration_that_is_shown(directory: Path) -> None:
    text = f"{DISCOVER}  - {{name: office, port_probe: {{tls_auth: static.key}}}}\n{ENTRY}}}"
    config = read(directory, text, inline("tls-crypt", "static.key"))
    shown = to_yaml(config)
    assert "tls_auth: " + str(directory / "static.key") in shown
    assert "ef0a94f5" not in shown + repr(config)
    assert repr(STATIC_KEY.first.cipher.reveal())[2:30] not in repr(config)


def test_what_is_shown_loads_as_the_same_configuration(directory: Path) -> None:
    text = "daemons: [{name: a, management: 'a:1', port_probe: {targets: ['a:1/udp']}}]\n" + ENTRY
    config = read(directory, text + ", tls_auth: static.key, key_direction: 0}")
    assert read(directory, to_yaml(config)) == config


def test_another_key_in_the_same_file_is_another_plan(directory: Path) -> None:
    before = plan(directory, "true", "tls-auth static.key 0\n")
    assert plan(directory, "true", "tls-auth static.key 0\n") == before
    content = (directory / "static.key").read_bytes()
    (directory / "static.key").write_bytes(content.replace(b"ef0a", b"ef0b"))
    assert plan(directory, "true", "tls-auth static.key 0\n") != before


def test_tls_crypt_needs_a_library(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "exporter.port_probe.aes", None)
    text = "pip install cryptography"
    assert text in problem(directory, "{tls_crypt: static.key}")
    assert text in problem(directory, "true", "tls-crypt static.key\n")
    assert isinstance(plan(directory, "{tls_auth: static.key}").key, TlsAuthWrapping)
    assert msgspec.structs.asdict(plan(directory, "true"))["key"] == PlainWrapping()
