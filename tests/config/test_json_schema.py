"""The verdict of an editor on a configuration, compared with that of the program."""

import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from exporter.config import ConfigError, json_schema
from exporter.config.loader import load

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "config.schema.json"
EXAMPLE = (ROOT / "config.example.yaml").read_text(encoding="utf-8")

OFFICE = "daemons: [{name: office, management: '127.0.0.1:7505'}]\n"


def schema_errors(text: str) -> list[str]:
    """Return the keys with errors by the schema."""
    schema = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))
    errors = jsonschema.Draft7Validator(schema).iter_errors(yaml.safe_load(text))
    return sorted(".".join(map(str, error.absolute_path)) for error in errors)


def is_refused(path: Path, text: str) -> bool:
    path.write_text(text, encoding="utf-8")
    try:
        load(path)
    except ConfigError:
        return True
    return False


def test_schema_file_is_generated_from_the_schema() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == json_schema.render()


def test_module_prints_the_file() -> None:
    command = [sys.executable, "-m", "exporter.config.json_schema"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)  # noqa: S603
    assert done.stdout.decode() == json_schema.render()


def test_generated_schema_is_a_valid_json_schema() -> None:
    jsonschema.Draft7Validator.check_schema(yaml.safe_load(SCHEMA.read_text(encoding="utf-8")))


def test_example_refers_to_the_schema_and_is_valid() -> None:
    assert EXAMPLE.startswith(f"# yaml-language-server: $schema={SCHEMA.name}\n")
    assert schema_errors(EXAMPLE) == []


@pytest.mark.parametrize(
    "text",
    [
        OFFICE,
        OFFICE + "clients:\n",
        OFFICE + "poll_interval: 1m30s\n",
        OFFICE + "clients: {identity: username, limit: 5, forget_after: 1d}\n",
        "daemons: [{name: a b, management: 'unix:/run/x.sock', max_clients: 5, poll_interval: }]",
        "discover: ['*.ovpn']\n",
        "discover: ['*.ovpn', {pattern: '*.conf', options: --verb 3, allow_empty: true}]\n",
        "daemons: [{name: ü, management: 'listen:[::1]:7600', expected_clients: [a, b]}]",
        "daemons: [{name: a, management: 'a:1', port_probe: {targets: ['a:1/udp']}}]",
        "daemons: [{name: a, management: 'a:1', port_probe: false}]",
        "daemons: [{name: a, management: 'a:1', port_probe: }]",
        "port_probes: [{name: a, target: 'a:1194/udp', allow_traces: true}]",
    ],
)
def test_accepted_configuration_is_valid_by_the_schema(tmp_path: Path, text: str) -> None:
    assert not is_refused(tmp_path / "config.yaml", text)
    assert schema_errors(text) == []


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("poll_interval: 15s\n", ""),
        ("daemons: []\n", "daemons"),
        ("port_probes: []\n", ""),
        ("port_probes: [{name: a}]\n", "port_probes.0"),
        ("daemons: [{name: a, management: 'a:1', port_probe: 1}]", "daemons.0.port_probe"),
        (
            OFFICE + "port_probes: [{name: a, target: 'a:1/udp', interval: 5}]",
            "port_probes.0.interval",
        ),
        ("discover: []\n", ""),
        ("daemons: [{name: office}]\n", "daemons.0"),
        ("daemons: [{name: '', management: 'a:1'}]\n", "daemons.0.name"),
        ("daemons: [{name: ' a', management: 'a:1'}]\n", "daemons.0.name"),
        ("daemons: [{name: 123, management: 'a:1'}]\n", "daemons.0.name"),
        ("daemons: [{name: a, management: /run/x.sock}]\n", "daemons.0.management"),
        ("daemons: [{name: a, management: 'unix:run/x'}]\n", "daemons.0.management"),
        ("daemons: [{name: a, management: '7505'}]\n", "daemons.0.management"),
        ("daemons: [{name: a, management: 'a:1', slot: keep}]\n", "daemons.0.slot"),
        ("daemons: [{name: a, management: 'a:1', max_clients: 0}]\n", "daemons.0.max_clients"),
        (
            "daemons: [{name: a, management: 'a:1', expected_clients: [b, b]}]\n",
            "daemons.0.expected_clients",
        ),
        (OFFICE + "poll_intervall: 15s\n", ""),
        (OFFICE + "poll_interval: 15\n", "poll_interval"),
        (OFFICE + "poll_interval: 15 s\n", "poll_interval"),
        (OFFICE + "poll_interval: ''\n", "poll_interval"),
        (OFFICE + "poll_interval:\n", "poll_interval"),
        (OFFICE + "clients: {series: 'true'}\n", "clients.series"),
        (OFFICE + "clients: {serie: true}\n", "clients"),
        (OFFICE + "events: [log]\n", "events"),
    ],
)
def test_configuration_invalid_by_the_schema_is_refused_by_the_program(
    tmp_path: Path, text: str, key: str
) -> None:
    assert schema_errors(text) == [key]
    assert is_refused(tmp_path / "config.yaml", text)
