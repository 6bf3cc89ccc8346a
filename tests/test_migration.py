"""The compatibility rules record every old name."""

import shutil
import subprocess
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent
COMPATIBILITY = ROOT / "prometheus" / "compat-kumina.rules.yml"

KUMINA = {
    "openvpn_up",
    "openvpn_status_update_time_seconds",
    "openvpn_server_connected_clients",
    "openvpn_openvpn_server_connected_clients",
    "openvpn_server_client_received_bytes_total",
    "openvpn_server_client_sent_bytes_total",
    "openvpn_server_route_last_reference_time_seconds",
    "openvpn_client_tun_tap_read_bytes_total",
    "openvpn_client_tun_tap_write_bytes_total",
    "openvpn_client_tcp_udp_read_bytes_total",
    "openvpn_client_tcp_udp_write_bytes_total",
    "openvpn_client_auth_read_bytes_total",
    "openvpn_client_pre_compress_bytes_total",
    "openvpn_client_post_compress_bytes_total",
    "openvpn_client_pre_decompress_bytes_total",
    "openvpn_client_post_decompress_bytes_total",
}


def test_the_rules_record_every_old_name() -> None:
    rules = yaml.safe_load(COMPATIBILITY.read_text())["groups"][0]["rules"]
    assert {
        rule["record"] for rule in rules if rule.get("labels") == {"job": "openvpn-kumina"}
    } == KUMINA


def test_the_rules_pass_their_promtool_tests() -> None:
    promtool = shutil.which("promtool")
    assert promtool
    tests = ROOT / "prometheus" / "tests" / "compat-kumina.test.yml"
    done = subprocess.run(  # noqa: S603 - fixed arguments
        [promtool, "test", "rules", tests], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
