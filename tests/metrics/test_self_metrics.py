"""Metrics about the exporter."""

import pytest
from prometheus_client import generate_latest

from exporter import log
from exporter.metrics.self_metrics import SelfMetrics


def test_the_dropped_messages_of_the_log_are_those_of_now(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = SelfMetrics().registry
    for dropped in (0, 7):
        monkeypatch.setattr(log, "dropped_events", lambda: dropped)  # noqa: B023 -- read at once
        page = generate_latest(registry).decode()
        assert f"\nopenvpn_exporter_log_messages_dropped_total {dropped:.1f}\n" in page
