from pathlib import Path

from exporter.config import from_flags
from exporter.config.dump import to_yaml
from exporter.config.loader import load

ROOT = Path(__file__).parents[2]

WRITTEN = """\
poll_interval: 1m30s
daemons:
  - name: Büro
    management: unix:/run/office.sock
    password_file: secret.password
    slot: release
    expected_clients: [alice, "yes"]
    max_clients: 7
  - name: "010"
    management: "[::1]:7505"
clients:
  identity: username
  forget_after: 90m
"""


def test_dump_loads_as_the_active_configuration(tmp_path: Path) -> None:
    (tmp_path / "secret.password").write_text("hunter2")
    (tmp_path / "a.yaml").write_text(WRITTEN)
    config = load(tmp_path / "a.yaml")
    (tmp_path / "b.yaml").write_text(to_yaml(config))
    assert load(tmp_path / "b.yaml") == config


def test_dump_has_every_default(tmp_path: Path) -> None:
    example = load(ROOT / "config.example.yaml")
    (tmp_path / "b.yaml").write_text(to_yaml(example))
    assert load(tmp_path / "b.yaml") == example


def test_dump_has_the_values_of_flags(tmp_path: Path) -> None:
    config = from_flags(("127.0.0.1:7505",), ())
    (tmp_path / "b.yaml").write_text(to_yaml(config))
    assert load(tmp_path / "b.yaml") == config


def test_dump_has_no_password(tmp_path: Path) -> None:
    (tmp_path / "secret.password").write_text("hunter2")
    (tmp_path / "a.yaml").write_text(WRITTEN)
    shown = to_yaml(load(tmp_path / "a.yaml"))
    assert "hunter2" not in shown
    assert str(tmp_path / "secret.password") in shown


def test_dump_has_no_privacy_key(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k3y" * 16)
    (tmp_path / "a.yaml").write_text(
        "daemons: [{name: office, management: '127.0.0.1:7505'}]\n"
        "clients: {privacy: pseudonym, privacy_key_file: key}\n"
    )
    shown = to_yaml(load(tmp_path / "a.yaml"))
    assert "k3y" not in shown
    assert f"privacy_key_file: {tmp_path / 'key'}" in shown
