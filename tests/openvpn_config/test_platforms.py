"""The lines of `docs/platforms.md`, on files in the shape that each platform generates."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporter.config import Config
from exporter.config.loader import load
from exporter.openvpn_config import Pattern, discover

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "platforms.md").read_text(encoding="utf-8")
DATA = ROOT / "tests" / "data" / "platforms"

OPNSENSE = "instance-5b8f0c1e-2d34-4a56-9b78-0c1d2e3f4a5b"


def blocks() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name of each platform in small letters, with a configuration of its section."""
    for section in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]:
        name = section.partition("\n")[0].partition("/")[0].lower()
        for text in re.findall(r"```yaml\n(.*?)```", section, re.DOTALL):
            yield name, yaml.safe_load(text)


def configured(directory: Path, values: dict[str, Any], platform: str) -> Config:
    """Load a configuration with the files of a platform in place of those of this host."""
    patterns = values.get("discover", [])
    if patterns:
        values = values | {"discover": [_below(DATA / platform, item) for item in patterns]}
    (directory / "office.password").write_text("secret\n")
    (directory / "config.yaml").write_text(yaml.safe_dump(values))
    return load(directory / "config.yaml")


def _below(root: Path, item: str | dict[str, Any]) -> str | dict[str, Any]:
    if isinstance(item, str):
        return f"{root}{item}"
    return item | {"pattern": f"{root}{item['pattern']}"}


def discovered(directory: Path, platform: str) -> Config:
    (values,) = (values for name, values in blocks() if name == platform and "discover" in values)
    return configured(directory, values, platform)


@pytest.mark.parametrize(
    ("platform", "values"), [pytest.param(*block, id=block[0]) for block in blocks()]
)
def test_every_configuration_is_valid(
    tmp_path: Path, platform: str, values: dict[str, Any]
) -> None:
    config = configured(tmp_path, values, platform)
    assert config.daemons
    assert all(daemon.management for daemon in config.daemons)


@pytest.mark.parametrize(
    ("platform", "daemons"),
    [
        (
            "pfsense",
            {
                "server1": "unix:/var/etc/openvpn/server1/sock",
                "client2": "unix:/var/etc/openvpn/client2/sock",
            },
        ),
        (
            "vyos",
            {
                "vtun10": "unix:/run/openvpn/vtun10.sock",
                "vtun11": "unix:/run/openvpn/vtun11.sock",
                "vtun20": "unix:/run/openvpn/vtun20.sock",
            },
        ),
        ("openwrt", {"office": "127.0.0.1:7505"}),
        ("angristan", {"server": "unix:/var/run/openvpn-server/server.sock"}),
        ("kylemanna", {"openvpn": "unix:/run/openvpn-management/openvpn.sock"}),
    ],
)
def test_discovery_finds_the_daemons(
    tmp_path: Path, platform: str, daemons: dict[str, str]
) -> None:
    config = discovered(tmp_path, platform)
    assert {daemon.name: str(daemon.management) for daemon in config.daemons} == daemons


def test_overridden_slot_is_released(tmp_path: Path) -> None:
    for platform in ("pfsense", "angristan"):
        for daemon in discovered(tmp_path, platform).daemons:
            assert daemon.slot == "release"


@pytest.mark.parametrize(
    ("platform", "files"),
    [
        ("vyos", {f"vtun{n}": f"/run/openvpn/vtun{n}.status" for n in (10, 11, 20)}),
        ("angristan", {"server": "/var/log/openvpn/status.log"}),
        ("kylemanna", {"openvpn": "/tmp/openvpn-status.log"}),  # noqa: S108
    ],
)
def test_discovery_finds_the_status_files(
    tmp_path: Path, platform: str, files: dict[str, str]
) -> None:
    config = discovered(tmp_path, platform)
    assert {daemon.name: str(daemon.status_file) for daemon in config.daemons} == files


def test_max_clients_are_those_of_the_file(tmp_path: Path) -> None:
    limits = {
        daemon.name: daemon.max_clients
        for platform in ("pfsense", "vyos", "openwrt", "angristan")
        for daemon in discovered(tmp_path, platform).daemons
    }
    assert limits == {
        "client2": None,
        "office": 20,
        "server": 1024,
        "server1": 50,
        "vtun10": 64,
        "vtun11": 1024,
        "vtun20": None,
    }


@pytest.mark.parametrize(
    ("pattern", "management"),
    [
        ("/var/etc/openvpn/instance-*.conf", f"unix:/var/etc/openvpn/{OPNSENSE}.sock"),
        ("/usr/syno/etc/packages/VPNCenter/openvpn/openvpn.conf", "127.0.0.1:1195"),
    ],
    ids=["opnsense", "synology"],
)
def test_paths_of_the_table_are_those_of_the_files(
    tmp_path: Path, pattern: str, management: str, request: pytest.FixtureRequest
) -> None:
    platform = request.node.callspec.id
    (daemon,) = configured(tmp_path, {"discover": [pattern]}, platform).daemons
    assert str(daemon.management) == management
    path = management.removeprefix("unix:").replace(OPNSENSE, "instance-UUID")
    assert f"| `{path}` |" in PAGE


def test_servers_of_vyos_share_a_socket_unless_they_get_their_own() -> None:
    found = discover([Pattern(str(DATA / "vyos/run/openvpn/*.conf"))], DATA)
    kinds = {daemon.name: [str(f.kind) for f in daemon.findings] for daemon in found.daemons}
    assert kinds == {
        "vtun10": ["duplicate-address"],
        "vtun11": ["duplicate-address"],
        "vtun20": ["no-management"],
    }
