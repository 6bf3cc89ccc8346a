"""Addresses of peers and inside the tunnel, as 2.1 to 2.7 print them."""

import pytest

from exporter.management.values import (
    RealAddress,
    is_host_route,
    is_mac,
    parse_real_address,
)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:49630", RealAddress("", "127.0.0.1", 49630)),
        ("::1", RealAddress("", "::1", None)),
        ("2001:db8::1:2", RealAddress("", "2001:db8::1:2", None)),
        ("[::1]:1194", RealAddress("", "::1", 1194)),
        ("udp4:127.0.0.1:49630", RealAddress("udp4", "127.0.0.1", 49630)),
        ("tcp4-server:127.0.0.1:41152", RealAddress("tcp4-server", "127.0.0.1", 41152)),
        ("udp6:[::1]:38311", RealAddress("udp6", "::1", 38311)),
        ("tcp6-server:[::1]:60260", RealAddress("tcp6-server", "::1", 60260)),
        ("udp6:127.0.0.1:39244", RealAddress("udp6", "127.0.0.1", 39244)),
        ("[NULL]", RealAddress("", "NULL", None)),
        ("UNKNOWN", RealAddress("", "UNKNOWN", None)),
        ("", RealAddress("", "", None)),
        ("udp4:", RealAddress("", "udp4:", None)),
        ("²", RealAddress("", "²", None)),
        ("127.0.0.1:²", RealAddress("", "127.0.0.1:²", None)),
        ("127.0.0.1:٣", RealAddress("", "127.0.0.1:٣", None)),
        ("127.0.0.1:port", RealAddress("", "127.0.0.1:port", None)),
    ],
)
def test_a_real_address_is_taken_apart(text: str, address: RealAddress) -> None:
    assert parse_real_address(text) == address


@pytest.mark.parametrize("text", ["10.8.0.2", "fd00:8::1000", "fd00:8::c"])
def test_a_clients_own_address_is_a_host_route(text: str) -> None:
    assert is_host_route(text)
    assert not is_mac(text)


@pytest.mark.parametrize("text", ["9e:45:f9:23:0a:9c@0", "9E:45:F9:23:0A:9C", "9e:45:f9:23:0a:9c"])
def test_a_tap_route_is_a_mac_address(text: str) -> None:
    assert is_mac(text)
    assert not is_host_route(text)


@pytest.mark.parametrize(
    "text", ["192.168.77.0/24", "fd00:77::/64", "192.168.77.5C", "fd00:77::5C", ""]
)
def test_subnets_and_cached_hosts_are_neither(text: str) -> None:
    assert not is_host_route(text)
    assert not is_mac(text)
