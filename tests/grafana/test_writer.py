import shutil
from pathlib import Path

import pytest

from grafana import __main__ as program
from grafana.definitions import DASHBOARDS
from grafana.writer import to_json
from tests.grafana.dashboard_files import ROOT


def test_the_committed_dashboards_are_what_the_code_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert program.main(["--check"]) == 0, "run `make docs`"


def test_the_package_has_the_files_that_the_repository_shows() -> None:
    packaged, shown = (contents(ROOT / place) for place in program.OUTPUT_DIRS)
    assert packaged == shown
    assert len(shown) == 5


def contents(place: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in place.glob("*.json")}


class TestAnotherDirectory:
    @pytest.fixture(autouse=True)
    def there(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.chdir(tmp_path)
        assert program.main(["--check"]) == 1
        assert program.main([]) == 0
        assert program.main(["--check"]) == 0
        return tmp_path

    def test_gets_the_files_of_the_repository(self, there: Path) -> None:
        for place in program.OUTPUT_DIRS:
            assert contents(there / place) == contents(ROOT / place)

    def test_is_found_wrong_where_a_byte_differs(self, there: Path) -> None:
        file = there / program.OUTPUT_DIRS[0] / "openvpn-fleet.json"
        file.write_text(file.read_text(encoding="utf-8") + " ", encoding="utf-8")
        assert program.main(["--check"]) == 1

    def test_is_found_wrong_where_a_file_is_missing(self, there: Path) -> None:
        shutil.rmtree(there / program.OUTPUT_DIRS[1])
        assert program.main(["--check"]) == 1

    def test_loses_a_dashboard_that_is_no_more(self, there: Path) -> None:
        old = there / program.OUTPUT_DIRS[1] / "old.json"
        old.write_text("{}", encoding="utf-8")
        assert program.main(["--check"]) == 1
        assert program.main([]) == 0
        assert not old.exists()


def test_writing_twice_gives_the_same_bytes() -> None:
    for one in DASHBOARDS:
        assert to_json(one) == to_json(one)
