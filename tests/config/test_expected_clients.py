"""`expected_clients` of the top level: names, and patterns with the names that they match."""

from pathlib import Path

import pytest

from exporter.config import ConfigError, check_losses
from exporter.config.expected_clients import ccd_names
from exporter.config.loader import load
from exporter.openvpn_config import Kind

SERVER = "management {name}.sock unix\nserver 10.8.0.0 255.255.255.0\nclient-config-dir ccd\n"
DAEMON = "daemons: [{name: office, management: 'a:1'}]\n"


def write(directory: Path, text: str, **servers: list[str]) -> Path:
    """Write a configuration, and servers with the clients of their client-config-dir."""
    for name, clients in servers.items():
        ccd = directory / name / "ccd"
        ccd.mkdir(parents=True)
        (directory / name / "server.conf").write_text(SERVER.format(name=name), encoding="utf-8")
        for client in clients:
            (ccd / client).touch()
    path = directory / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_names_and_patterns_are_kept_as_written(tmp_path: Path) -> None:
    config = load(write(tmp_path, f"{DAEMON}expected_clients: [alice]\n"))
    assert config.expected_clients == ("alice",)
    assert config.findings == ()


def test_patterns_have_the_names_of_all_client_config_directories(tmp_path: Path) -> None:
    text = "discover: ['*/server.conf']\nexpected_clients: [branch-*]\n"
    config = load(write(tmp_path, text, a=["oslo", "DEFAULT"], b=["lisbon", "oslo"]))
    assert ccd_names(config.discovery) == ["lisbon", "oslo"]
    assert [daemon.expected_clients for daemon in config.daemons] == [(), ()]
    assert config.findings == ()


def test_expected_from_ccd_still_expects_them_at_each_server(tmp_path: Path) -> None:
    text = "discover: ['*/server.conf']\nexpected_clients: ['*']\nexpected_from_ccd: true\n"
    config = load(write(tmp_path, text, a=["oslo"], b=[]))
    assert [daemon.expected_clients for daemon in config.daemons] == [("oslo",), ()]


def test_directories_are_not_read_for_plain_names(tmp_path: Path) -> None:
    text = "discover: ['*/server.conf']\nexpected_clients: [alice]\n"
    config = load(write(tmp_path, text, a=["oslo"]))
    assert ccd_names(config.discovery) == []


def test_pattern_without_any_names_is_a_warning(tmp_path: Path) -> None:
    config = load(write(tmp_path, f"{DAEMON}expected_clients: [branch-*]\n"))
    (finding,) = config.findings
    assert (finding.kind, finding.location, finding.blocks) == (
        Kind.NO_MATCH,
        "expected_clients",
        False,
    )


def test_pattern_with_the_certificates_of_a_ca_is_no_warning(tmp_path: Path) -> None:
    text = f"{DAEMON}expected_clients: [branch-*]\npki: {{index: index.txt}}\n"
    assert load(write(tmp_path, text)).findings == ()


def test_name_of_a_daemon_that_looks_like_a_pattern_is_a_warning(tmp_path: Path) -> None:
    text = "daemons: [{name: office, management: 'a:1', expected_clients: [branch-*, oslo]}]\n"
    (finding,) = load(write(tmp_path, text)).findings
    assert (finding.daemon, finding.blocks) == ("office", False)
    assert "patterns are only in the `expected_clients` of the top level" in finding.text


def test_file_of_a_client_config_dir_does_not_look_like_a_pattern(tmp_path: Path) -> None:
    text = "discover: ['*/server.conf']\nexpected_from_ccd: true\ndaemons: [{name: a}]\n"
    config = load(write(tmp_path, text, a=["[oslo]"]))
    assert config.daemons[0].expected_clients == ("[oslo]",)
    assert config.findings == ()


def test_directory_that_cannot_be_read_any_more_fails_the_reload(tmp_path: Path) -> None:
    text = "discover: ['*/server.conf']\nexpected_clients: [branch-*]\n"
    path = write(tmp_path, text, a=["branch-oslo"])
    old = load(path)
    ccd = tmp_path / "a" / "ccd"
    (ccd / "branch-oslo").unlink()
    ccd.rmdir()
    ccd.touch()
    with pytest.raises(ConfigError, match="cannot read the directory: Not a directory"):
        check_losses(old, load(path))


def test_names_are_hidden_in_errors_if_the_privacy_hides_clients(tmp_path: Path) -> None:
    text = f"{DAEMON}expected_clients: [alice, alice]\nclients: {{privacy: none}}\n"
    with pytest.raises(ConfigError, match="the name is already used") as caught:
        load(write(tmp_path, text))
    assert "alice" not in str(caught.value)
