import json

from exporter import dashboards
from tests.grafana.dashboard_files import FILES


def test_package_contains_the_dashboards_of_the_repository() -> None:
    assert dashboards.texts() == {path.name: path.read_text(encoding="utf-8") for path in FILES}


def test_file_names_are_uids() -> None:
    for name, text in dashboards.texts().items():
        assert json.loads(text)["uid"] + ".json" == name
