"""The documentation page lists every dashboard and describes its pictures."""

import json
import re

import pytest

from tests.grafana.dashboard_files import DASHBOARDS, ROOT

PAGE = (ROOT / "docs" / "dashboards.md").read_text(encoding="utf-8")
PREVIEW = ROOT / "grafana" / "preview"


@pytest.mark.parametrize("uid", DASHBOARDS)
def test_each_dashboard_has_a_row_and_a_small_picture(uid: str) -> None:
    name = uid.removeprefix("openvpn-")
    assert f"| [{name}](../grafana/dashboards/{uid}.json) |" in PAGE
    assert re.search(rf"!\[[^\]]+\]\(images/{name}\.png\)", PAGE)
    assert (ROOT / "docs" / "images" / f"{name}.png").stat().st_size < 300 * 1024


def test_page_says_that_the_pictures_are_no_screenshots_of_grafana() -> None:
    before, _, _ = PAGE.partition("![")
    assert "components, not by a Grafana server" in before


def test_preview_dependencies_are_pinned_without_a_registry() -> None:
    wanted = json.loads((PREVIEW / "package.json").read_text(encoding="utf-8"))["dependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
    lock = json.loads((PREVIEW / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert {name: lock[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    fetched = [package for name, package in lock.items() if name]
    assert all("integrity" in package and "resolved" not in package for package in fetched)
