from pathlib import Path
from typing import Any

import yaml

from tests.grafana.dashboard_files import ROOT

PROVISIONING = ROOT / "grafana" / "provisioning"


def read(*parts: str) -> dict[str, Any]:
    text = Path(PROVISIONING, *parts).read_text(encoding="utf-8")
    content: dict[str, Any] = yaml.safe_load(text)
    return content


def test_dashboards_are_loaded_from_the_mounted_directory() -> None:
    content = read("dashboards", "openvpn.yaml")
    (provider,) = content["providers"]
    assert content["apiVersion"] == 1
    assert provider["type"] == "file"
    assert provider["options"] == {"path": "/var/lib/grafana/dashboards"}
    assert provider["allowUiUpdates"] is False


def test_prometheus_is_found_by_its_service_name() -> None:
    (source,) = read("datasources", "prometheus.yaml")["datasources"]
    assert (source["type"], source["url"]) == ("prometheus", "http://prometheus:9090")
    assert source["isDefault"] is True
    assert "uid" not in source, "dashboards find it by its type"
