from pathlib import Path

import pytest

from exporter.openvpn_config import ccd
from exporter.openvpn_config.ccd import expected_clients
from exporter.openvpn_config.errors import UnreadableFile


def fill(directory: Path, **files: str) -> Path:
    for name, text in files.items():
        (directory / name).write_text(text)
    return directory


def test_each_file_is_a_client(tmp_path: Path) -> None:
    fill(tmp_path, **{"oslo": "", "Doe, John": "ifconfig-push 1 2\n", "Zoë": "", "lisbon": ""})
    assert expected_clients(tmp_path) == ("Doe, John", "Zoë", "lisbon", "oslo")


def test_what_is_no_client_is_left_out(tmp_path: Path) -> None:
    fill(tmp_path, **{".hidden": "", "DEFAULT": "", "a\nb": "", " blank": ""})
    (tmp_path / "directory").mkdir()
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    assert expected_clients(tmp_path) == ()


@pytest.mark.parametrize("text", ["disable\n", "# gone\n  --disable", "'disable'\nverb 3\n"])
def test_a_disabled_client_is_not_expected(tmp_path: Path, text: str) -> None:
    assert expected_clients(fill(tmp_path, oslo=text)) == ()


@pytest.mark.parametrize("text", ["# disable\n", "push disable\n", '"open\ndisable\n', "<x>\n"])
def test_a_client_that_is_not_disabled_is_expected(tmp_path: Path, text: str) -> None:
    assert expected_clients(fill(tmp_path, oslo=text)) == ("oslo",)


def test_a_symbolic_link_to_a_file_is_a_client(tmp_path: Path) -> None:
    fill(tmp_path, oslo="disable\n")
    (tmp_path / "rome").symlink_to("oslo")
    (tmp_path / "lisbon").symlink_to("/dev/null")
    assert expected_clients(tmp_path) == ()


def test_a_directory_that_is_missing_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="ccd: cannot read the directory: No such file"):
        expected_clients(tmp_path / "ccd")


def test_a_directory_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ccd, "MAX_CLIENTS", 2)
    fill(tmp_path, a="", b="")
    assert len(expected_clients(tmp_path)) == 2
    with pytest.raises(UnreadableFile, match="more than 2 files"):
        expected_clients(fill(tmp_path, c=""))
