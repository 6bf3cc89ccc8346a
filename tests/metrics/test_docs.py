import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from exporter.management.log_events import LOG_EVENTS
from exporter.management.reconnect_reasons import RECONNECT_REASONS
from exporter.metrics import docs
from exporter.metrics.catalogue import METRICS

ROOT = Path(__file__).parents[2]

ROW = re.compile(r"\| `(\w+)` \| (\w+) \| (.*?) \| (.*?) \|")


def run(directory: Path, *arguments: str) -> int:
    command = [sys.executable, "-m", "exporter.metrics.docs", *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=directory, env=environment, check=False).returncode  # noqa: S603


def test_the_page_in_docs_is_up_to_date() -> None:
    text = (ROOT / docs.PAGE).read_text(encoding="utf-8")
    assert text == docs.render(), "run `make docs`"


def test_every_metric_has_a_row_in_the_order_of_the_page() -> None:
    metrics, _, _ = docs.render().partition("## States")
    rows = ROW.findall(metrics)
    assert [(name, kind) for name, kind, _, _ in rows] == [
        (metric.name, metric.type.value) for metric in METRICS
    ]
    for metric, (_, _, labels, meaning) in zip(METRICS, rows, strict=True):
        assert re.findall(r"\w+", labels) == list(metric.labels)
        assert meaning.startswith(metric.help)


def test_every_log_event_has_a_row_with_the_verb_it_needs() -> None:
    _, _, events = docs.render().partition("## Log events")
    rows = re.findall(r"\| `(\w+)` \| (.*?) \| (\d) \| .*? \| (.*?) \|", events)
    assert [(name, verb, meaning) for name, _, verb, meaning in rows] == [
        (event.name, str(event.verb), event.meaning) for event in LOG_EVENTS
    ]
    modes = {name: modes for name, modes, _, _ in rows}
    assert modes["replay"] == "all"
    assert modes["auth_session_expired"] == "client, server"


def test_every_reason_has_a_row_with_its_modes_and_versions() -> None:
    _, _, reasons = docs.render().partition("## Reasons to reconnect")
    rows = re.findall(r"\| `(.+?)` \| (.*?) \| (.*?) \|\n", reasons.partition("## ")[0])
    assert [name for name, _, _ in rows] == [*RECONNECT_REASONS]
    assert ("SIGUSR1", "all", "2.1-2.8") in rows
    assert ("tls-error", "client, p2p", "2.1-2.8") in rows


def test_no_cell_breaks_its_table() -> None:
    tables = re.findall(r"(?:^\|.*\n)+", docs.render(), re.MULTILINE)
    assert len(tables) > 10
    for table in tables:
        assert len({row.count("|") for row in table.splitlines()}) == 1


@pytest.mark.parametrize(
    ("metric", "switch"),
    [
        ("openvpn_server_client_sessions", "`clients.series` (`true`)"),
        ("openvpn_server_client_info", "`clients.info` (`true`)"),
        ("openvpn_server_route_last_reference_time_seconds", "`clients.routes` (`false`)"),
    ],
)
def test_a_switchable_metric_names_its_key_and_default(metric: str, switch: str) -> None:
    (row,) = [line for line in docs.render().splitlines() if f"`{metric}`" in line]
    assert row.endswith(f" Enabled by {switch}. |")


def test_other_metrics_name_no_key() -> None:
    assert "Enabled" not in docs.render().partition("`openvpn_info`")[2].split("\n")[0]


def test_the_written_page_passes_the_check(tmp_path: Path) -> None:
    page = tmp_path / docs.PAGE
    page.parent.mkdir()
    assert run(tmp_path, "--check") == 1
    assert run(tmp_path) == 0
    assert page.read_text(encoding="utf-8") == docs.render()
    assert run(tmp_path, "--check") == 0
    page.write_text("something else", encoding="utf-8")
    assert run(tmp_path, "--check") == 1
