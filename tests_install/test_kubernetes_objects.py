"""The objects that the program prints for `kubectl apply --server-side`."""

from pathlib import Path

import pytest

from exporter import dashboards
from exporter.cli.main import main
from tests_install.kubernetes import Manifest, objects, validate

LIMIT = 1024 * 1024
"""Bytes of the data of a ConfigMap."""


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[Manifest]:
    assert main(arguments) == 0
    return objects(capsys.readouterr().out)


def test_kubernetes_accepts_the_dashboards(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    items = printed(capsys, "dashboards", "--format", "configmap")
    validate(items, tmp_path)
    data = dict(pair for item in items for pair in item["data"].items())
    assert data == dashboards.texts()
    assert max(len(text.encode()) for text in data.values()) < LIMIT


def test_operator_accepts_the_rules(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    flags = ("--format", "prometheusrule", "--runbook", "http://vpn:9176/docs/runbook")
    items = printed(capsys, "rules", *flags)
    assert [item["kind"] for item in items] == ["PrometheusRule"]
    validate(items, tmp_path)
