import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from exporter.management.log_events import LOG_EVENTS
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
    metrics, _, _ = docs.render().partition("## Log events")
    rows = ROW.findall(metrics)
    assert [(name, kind) for name, kind, _, _ in rows] == [
        (metric.name, metric.type.value) for metric in METRICS
    ]
    for metric, (_, _, labels, meaning) in zip(METRICS, rows, strict=True):
        assert re.findall(r"\w+", labels) == list(metric.labels)
        assert meaning.startswith(metric.help)


def test_every_log_event_has_a_row_with_the_verb_it_needs() -> None:
    _, _, events = docs.render().partition("## Log events")
    rows = ROW.findall(events)
    assert [(name, verb, meaning) for name, verb, _, meaning in rows] == [
        (event.name, str(event.verb), event.meaning) for event in LOG_EVENTS
    ]


def test_no_cell_breaks_its_table() -> None:
    rows = [line for line in docs.render().splitlines() if line.startswith("|")]
    assert {row.count("|") for row in rows} == {5}


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
