"""Peer info becomes label values of known clients."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.management.messages import Notification
from exporter.management.notifications import ClientEvent, parse_notification
from exporter.management.peer import UNKNOWN, PeerInfo, parse_peer_info
from exporter.management.values import OTHER
from tests.management.captures import CAPTURES, decode


@pytest.mark.parametrize("platform", ["linux", "win", "mac", "android", "ios", "freebsd"])
def test_a_known_platform_is_unchanged(platform: str) -> None:
    assert parse_peer_info({"IV_PLAT": platform}).platform == platform


@pytest.mark.parametrize("platform", ["", "Linux", "linux\n", "plan9", "x" * 1000])
def test_any_other_platform_is_other(platform: str) -> None:
    assert parse_peer_info({"IV_PLAT": platform}).platform == OTHER


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("2.6.14", "2.6.14"),
        ("2.4", "2.4"),
        ("2.6_git", "2.6"),
        ("2.5_beta1", "2.5"),
        ("2.7.0-Debian", "2.7.0"),
        ("3.8.4", "3.8.4"),
        ("3.git::d3f8b18b:Release", OTHER),
        ("2.6.140", "2.6"),
        ("2.612", OTHER),
        ("12.6.14", OTHER),
        ("99.99.999", OTHER),
        ("٢.٦", OTHER),
        ("", OTHER),
        ("v2.6.14", OTHER),
    ],
)
def test_a_version_is_its_number(text: str, version: str) -> None:
    assert parse_peer_info({"IV_VER": text}).version == version


@pytest.mark.parametrize(
    ("text", "program"),
    [
        ("OpenVPN_GUI_11", "openvpn-gui"),
        ("OCWindows_3.2.0-1064", "openvpn-connect"),
        ("OCmacOS_3.4.4-4629", "openvpn-connect"),
        ("net.openvpn.connect.ios_3.2.0-3760", "openvpn-connect"),
        ("de.blinkt.openvpn_0.6.57", "openvpn-for-android"),
        ("net.tunnelblick.tunnelblick_5891_3.8.8b", "tunnelblick"),
        ("Viscosity 1.10", "viscosity"),
        ("my.own.gui_1", OTHER),
        ("", ""),
    ],
)
def test_a_gui_is_the_program_without_its_version(text: str, program: str) -> None:
    assert parse_peer_info({"IV_GUI_VER": text}).gui == program


def test_a_client_without_peer_info_is_unknown() -> None:
    assert parse_peer_info({}) == PeerInfo(UNKNOWN, UNKNOWN)


@given(st.text(), st.text())
def test_any_peer_info_gives_short_printable_label_values(platform: str, version: str) -> None:
    peer = parse_peer_info({"IV_PLAT": platform, "IV_VER": version})
    assert len(peer.platform) <= 7
    assert len(peer.version) <= 8
    assert (peer.platform + peer.version).isascii()


def test_a_captured_client_is_known() -> None:
    readings = [
        parse_notification(message)
        for message in decode([CAPTURES["server-events/nothing-enabled"]])
        if isinstance(message, Notification)
    ]
    peers = [
        parse_peer_info(reading.env) for reading in readings if isinstance(reading, ClientEvent)
    ]
    assert peers == [PeerInfo("linux", "2.6.14")] * 2
