"""The way from other exporters leads to what there is, and old dashboards are answered."""

import re
import shutil
import subprocess
from pathlib import Path

import promql_parser
import pytest
import yaml

from exporter.metrics import catalogue

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "migration.md").read_text()
COMPATIBILITY = ROOT / "prometheus" / "compat-kumina.rules.yml"

OURS = {metric.name: metric for metric in catalogue.METRICS} | {"process_start_time_seconds": None}

ANSWERS = [
    answer
    for theirs, ours in re.findall(r"^\| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)
    if not theirs.startswith(("`-", "other exporter", "flag", "---"))
    for answer in re.findall(r"`([^`]+)`", ours.partition(", label")[0].partition(" (with")[0])
    if not answer.startswith("rate(")
]

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


def test_the_page_has_answers() -> None:
    assert len(ANSWERS) > 35


@pytest.mark.parametrize("answer", sorted(set(ANSWERS)))
def test_each_answer_is_a_query_over_metrics_that_exist(answer: str) -> None:
    promql_parser.parse(answer)
    named = set(re.findall(r"\b(?:openvpn|process)_[a-z_]+", answer))
    assert named
    assert named <= set(OURS)


def test_the_rules_give_every_old_name() -> None:
    rules = yaml.safe_load(COMPATIBILITY.read_text())["groups"][0]["rules"]
    assert {
        rule["record"] for rule in rules if rule.get("labels") == {"job": "openvpn-kumina"}
    } == KUMINA


def test_the_rules_hold() -> None:
    promtool = shutil.which("promtool")
    assert promtool
    tests = ROOT / "prometheus" / "tests" / "compat-kumina.test.yml"
    done = subprocess.run(  # noqa: S603 -- both are ours
        [promtool, "test", "rules", tests], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
