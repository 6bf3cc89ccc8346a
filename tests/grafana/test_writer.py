import shutil
from pathlib import Path

import pytest

from grafana import __main__ as program
from grafana.definitions import DASHBOARDS
from grafana.writer import to_json
from tests.grafana.dashboard_files import ROOT


def test_committed_dashboards_are_current(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert program.main(["--check"]) == 0, "run `make docs`"


def test_both_directories_have_the_same_files() -> None:
    packaged, visible = (contents(ROOT / path) for path in program.OUTPUT_DIRS)
    assert packaged == visible
    assert len(visible) == 6


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.glob("*.json")}


class TestOtherDirectory:
    @pytest.fixture(autouse=True)
    def directory(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.chdir(tmp_path)
        assert program.main(["--check"]) == 1
        assert program.main([]) == 0
        assert program.main(["--check"]) == 0
        return tmp_path

    def test_written_files_are_those_of_the_repository(self, directory: Path) -> None:
        for path in program.OUTPUT_DIRS:
            assert contents(directory / path) == contents(ROOT / path)

    def test_check_fails_for_a_changed_file(self, directory: Path) -> None:
        file = directory / program.OUTPUT_DIRS[0] / "openvpn-fleet.json"
        file.write_text(file.read_text(encoding="utf-8") + " ", encoding="utf-8")
        assert program.main(["--check"]) == 1

    def test_check_fails_for_a_missing_file(self, directory: Path) -> None:
        shutil.rmtree(directory / program.OUTPUT_DIRS[1])
        assert program.main(["--check"]) == 1

    def test_obsolete_files_are_removed(self, directory: Path) -> None:
        old = directory / program.OUTPUT_DIRS[1] / "old.json"
        old.write_text("{}", encoding="utf-8")
        assert program.main(["--check"]) == 1
        assert program.main([]) == 0
        assert not old.exists()


def test_writing_is_deterministic() -> None:
    for dashboard in DASHBOARDS:
        assert to_json(dashboard) == to_json(dashboard)
