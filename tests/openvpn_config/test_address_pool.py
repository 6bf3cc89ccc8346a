"""The size of a server's address pool; tests/real compares it with that of real daemons."""

from pathlib import Path

import pytest

from exporter.openvpn_config.address_pool import AddressPool
from tests.openvpn_config.fixtures import openvpn_config

SERVER = "server 10.8.0.0 255.255.255.240\n"
VERSIONS = ("2.3.18", "2.4.12", "2.5.4", "2.5.5", "2.6.14", "2.7_rc2", "2.8_git")


def sizes(directory: Path, text: str) -> list[int | None]:
    pool = openvpn_config(directory, text).address_pool
    return [pool.size(version) for version in VERSIONS] if pool else []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (SERVER, [2, 2, 2, 2, 2, 13, 13]),
        (f"{SERVER}topology net30\n", [2] * 7),
        (f"{SERVER}topology subnet\n", [12, 12, 12, 13, 13, 13, 13]),
        (f"{SERVER}topology p2p\n", [8] * 7),
        (f"{SERVER}dev tap0\n", [13] * 7),
        (f"{SERVER}dev-type tap\ndev vpn\n", [13] * 7),
        ("server 10.8.0.0 255.255.255.248\ntopology net30\n", [1] * 7),
        ("server 10.8.0.0 255.255.255.0 nopool\n", []),
        (
            "server 10.8.0.0 255.255.255.0 nopool\nifconfig-pool 10.8.0.4 10.8.0.11\n",
            [2, 2, 2, 2, 2, 8, 8],
        ),
        ("mode server\nifconfig-pool 10.8.0.50 10.8.0.99 255.255.0.0\ntopology subnet\n", [50] * 7),
        ("dev tap\nserver-bridge 10.8.0.4 255.255.255.0 10.8.0.50 10.8.0.100\n", [51] * 7),
        ("dev tap\nserver-bridge\n", []),
        ("dev tap\nserver-bridge nogw\n", []),
        ("mode server\n", []),
        ("client\nifconfig-pool 10.8.0.50 10.8.0.99\n", []),
        ("server-ipv6 fd00::/64\n", [None, None, *[65536] * 5]),
        ("server-ipv6 fd00::/120\n", [None, None, *[254] * 5]),
        ("mode server\nifconfig-ipv6-pool fd00::10/120\n", [None, None, *[240] * 5]),
        ("mode server\nifconfig-ipv6-pool fd00::/120\n", [None, None, *[255] * 5]),
        (f"{SERVER}topology p2p\nserver-ipv6 fd00::/124\n", [8] * 7),
        (
            "server 10.8.0.0 255.255.255.0\ntopology p2p\nserver-ipv6 fd00::/124\n",
            [248, 248] + [14] * 5,
        ),
        ("server vpn.example 255.255.255.0\n", []),
        ("mode server\nifconfig-pool 10.8.0.50 10.8.0.300\n", []),
        ("mode server\nifconfig-pool 10.8.0.50 10.8.0.40\ntopology subnet\n", []),
        ("mode server\nifconfig-ipv6-pool fd00::/x\n", []),
    ],
)
def test_size_depends_on_topology_device_and_version(
    tmp_path: Path, text: str, expected: list[int | None]
) -> None:
    assert sizes(tmp_path, text) == expected


@pytest.mark.parametrize("version", [None, "", "odd"])
def test_size_for_an_unknown_version_is_known_if_all_versions_agree(version: str | None) -> None:
    assert AddressPool((2, 2, 2, 13)).size(version) is None
    assert AddressPool((8, 8, 8, 8)).size(version) == 8
