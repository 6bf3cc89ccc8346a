import json

from exporter import dashboards
from tests.grafana.dashboard_files import FILES


def test_the_package_carries_the_dashboards_of_the_repository() -> None:
    assert dashboards.texts() == {path.name: path.read_text(encoding="utf-8") for path in FILES}


def test_each_is_named_after_its_uid() -> None:
    for name, text in dashboards.texts().items():
        assert json.loads(text)["uid"] + ".json" == name
